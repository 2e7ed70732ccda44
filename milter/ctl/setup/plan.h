#pragma once

#include "common/base/expected.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a set-up, or its undoing, would change. Pure: files come in as texts and go out as texts.
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
  std::vector<FileChange> changes;  // in the order in which they are to be made
  std::vector<std::string> notes;   // whole sentences for the administrator
};

// A socket as smtpd_milters names it, and how else a list may name the same one.
struct MilterSocket {
  std::string address;                 // "unix:mtrk/milter.sock", "inet:127.0.0.1:8892"
  std::vector<std::string> addresses;  // this one too
};
// From milter.socket. A unix socket has to be below the queue directory, since smtpd(8) may be
// chrooted there.
[[nodiscard]] Expected<MilterSocket> postfix_socket(std::string_view milter_socket,
                                                    std::string_view queue_directory);

// One instance of Postfix as it is.
struct PostfixInstance {
  std::string directory;         // of main.cf
  std::string discard_keywords;  // the value of smtpd_discard_ehlo_keywords
  std::string main_cf;
  std::string master_cf;
  // The administrator's own command filter, if it is a file in which our rules can stand.
  std::string filter_path;
  std::string filter;
};

[[nodiscard]] Expected<Plan> plan_postfix(const PostfixInstance& instance,
                                          const MilterSocket& socket);
[[nodiscard]] Expected<Plan> plan_postfix_undo(const PostfixInstance& instance,
                                               const std::vector<std::string>& addresses);

// A file that a set-up changed, as it was and as it was left. Kept until it is undone.
struct SavedFile {
  FileKind kind = FileKind::main_cf;
  std::string path;
  std::string before;
  std::string after;
};
[[nodiscard]] std::string encode_saved_file(const SavedFile& saved);
[[nodiscard]] Expected<SavedFile> decode_saved_file(std::string_view text);

// A file without anything of ours. `addresses` are for main.cf and master.cf. mtrk.conf is left as
// it is.
[[nodiscard]] Expected<std::string> without_our_words(FileKind kind,
                                                      std::string_view file,
                                                      const std::vector<std::string>& addresses);

// What the file becomes when it is undone: what it was, octet by octet, if nobody has changed it
// since; else what it is now without what is ours.
[[nodiscard]] Expected<std::string> undone(const SavedFile& saved,
                                           std::string_view now,
                                           const std::vector<std::string>& addresses);

}  // namespace mtrk::setup
