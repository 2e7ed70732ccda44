#pragma once

#include <string>

// This is how mtrkctl, when root runs it, avoids traps that the owner of the store could set. The
// store's folder belongs to the service, which listens to the whole mail system and may be broken
// into one day. So nothing in that folder may cause root to write anywhere.
//
//  * Root first opens what the command line names: configuration and inputs.
//  * Then root becomes the owner of the store's folder, for good.
//  * Only then is anything in the folder touched, by its path, as LMDB requires. Links, FIFOs and
//    folders that change places meanwhile lead to nothing that the owner could not reach anyway.
//    What root has opened before is for reading only, and the process cannot be traced.
namespace mtrk {

// Changes nothing for users other than root, and nothing for root if the folder is root's own and
// nobody else may write there. Throws store::StoreUnusable (66, 77).
void become_store_owner(const std::string& store_path);

}  // namespace mtrk
