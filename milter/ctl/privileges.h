#pragma once

#include <string>

// How mtrkctl, which root runs, keeps clear of the traps that a store's owner could set. The
// store's folder belongs to the service, which listens to the whole mail system and may be broken
// into one day: nothing in that folder is a reason for root to write anywhere.
//
//  * What the command line names, configuration and inputs, is opened first, by root.
//  * Then root becomes the owner of the store's folder, for good.
//  * Only then is anything in the folder touched, by its path, as LMDB wants it. Links, FIFOs and
//    folders that change places meanwhile lead to nothing that the owner could not reach without
//    us; what root has opened before is for reading only, and the process cannot be traced.
namespace mtrk {

// For anybody but root, and for root where the folder is root's and nobody else may write there,
// nothing changes. Fails: store::StoreUnusable (66, 77).
void become_store_owner(const std::string& store_path);

}  // namespace mtrk
