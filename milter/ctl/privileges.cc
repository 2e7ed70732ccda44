#include "milter/ctl/privileges.h"

#include "common/base/exit_code.h"
#include "common/base/folder_owner.h"
#include "common/base/process.h"
#include "common/store/store_error.h"

#include <fmt/format.h>

#include <pwd.h>
#include <unistd.h>

#include <system_error>

namespace mtrk {
namespace {

store::StoreUnusable keep_out(const std::string& path, const std::string& why) {
  return {exit_code::no_permission, fmt::format("store {}: {}", path, why)};
}

FolderOwner owner_of_store(const std::string& path) {
  try {
    return owner_of_folder(path);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::operation_not_permitted) {
      throw keep_out(path, error.what());
    }
    throw store::StoreUnusable(exit_code::no_input, fmt::format("store {}", error.what()));
  }
}

// Returns the group for files in the folder, which is the folder's group. If that is root's, no
// service has it, and the account's own group is used.
gid_t group_of(const FolderOwner& owner) {
  if (owner.group != 0) {
    return owner.group;
  }
  const passwd* const account =
      ::getpwuid(owner.user);  // NOLINT(concurrency-mt-unsafe): one thread
  return account == nullptr ? 0 : account->pw_gid;
}

}  // namespace

void become_store_owner(const std::string& store_path) {
  if (::geteuid() != 0) {
    return;
  }
  const FolderOwner owner = owner_of_store(store_path);
  if (owner.user == 0) {
    if (!owner.closed) {
      throw keep_out(store_path, "the folder is root's, but others may write into it");
    }
    return;
  }
  const gid_t group = group_of(owner);
  if (group == 0) {
    throw keep_out(store_path, "the folder belongs to an account whose group is root's");
  }
  try {
    become_account(owner.user, group);
  } catch (const std::system_error& error) {
    throw keep_out(store_path, fmt::format("cannot become user {}, whose folder it is: {}",
                                           owner.user, error.what()));
  }
}

}  // namespace mtrk
