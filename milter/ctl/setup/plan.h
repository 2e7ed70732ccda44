#pragma once

#include "common/base/expected.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A Plan says what a set-up, or its undoing, would change. Pure: files are passed in and returned
// as texts.
namespace mtrk::setup {

enum class FileKind { main_cf, master_cf, command_filter, sendmail_mc, mtrk_conf };
[[nodiscard]] std::string_view to_string(FileKind kind);
[[nodiscard]] std::optional<FileKind> parse_file_kind(std::string_view text);

struct FileChange {
  FileKind kind = FileKind::main_cf;
  std::string path;
  std::string before;
  std::string after;
};

struct Plan {
  std::vector<FileChange> changes;  // in the order in which they must be made
  std::vector<std::string> notes;   // whole sentences for the administrator
};

// A MilterSocket is a socket as smtpd_milters names it, with the other names for it that a list may
// use.
struct MilterSocket {
  std::string address;                 // "unix:mtrk/milter.sock", "inet:127.0.0.1:8892"
  std::vector<std::string> addresses;  // all of its names, including `address`
};
// Makes it from milter.socket. Fails if a unix socket is not below the queue directory, where
// smtpd(8) may be chrooted.
[[nodiscard]] Expected<MilterSocket> postfix_socket(std::string_view milter_socket,
                                                    std::string_view queue_directory);

// A PostfixInstance is one instance of Postfix as it is now.
struct PostfixInstance {
  std::string directory;         // the folder of main.cf
  std::string discard_keywords;  // the value of smtpd_discard_ehlo_keywords
  std::string main_cf;
  std::string master_cf;
  // These are the administrator's own command filter, if it is a file that can take our rules.
  std::string filter_path;
  std::string filter;
};

[[nodiscard]] Expected<Plan> plan_postfix(const PostfixInstance& instance,
                                          const MilterSocket& socket);
[[nodiscard]] Expected<Plan> plan_postfix_undo(const PostfixInstance& instance,
                                               const std::vector<std::string>& addresses);

// A SavedFile is a file that a set-up changed, as it was and as the set-up left it. It is kept
// until the change is undone.
struct SavedFile {
  FileKind kind = FileKind::main_cf;
  std::string path;
  std::string before;
  std::string after;
};
[[nodiscard]] std::string encode_saved_file(const SavedFile& saved);
[[nodiscard]] Expected<SavedFile> decode_saved_file(std::string_view text);

// Returns a file without anything of ours. `addresses` are for main.cf and master.cf. mtrk.conf is
// returned unchanged.
[[nodiscard]] Expected<std::string> without_our_words(FileKind kind,
                                                      std::string_view file,
                                                      const std::vector<std::string>& addresses);

// Returns what the file becomes when the set-up is undone: if nobody has changed it since, the file
// as it was, octet for octet; otherwise the present file without what is ours.
[[nodiscard]] Expected<std::string> undone(const SavedFile& saved,
                                           std::string_view now,
                                           const std::vector<std::string>& addresses);

}  // namespace mtrk::setup
