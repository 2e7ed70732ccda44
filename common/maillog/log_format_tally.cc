#include "common/maillog/log_format_tally.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kExample = 200;  // octets of a line that are kept as an example

// Returns whether the word before `end` looks like a queue id: it has letters and digits, and at
// least one digit.
bool follows_queue_id(std::string_view line, std::size_t end) {
  constexpr std::size_t kShortest = 5;
  constexpr std::size_t kLongest = 20;
  std::size_t length = 0;
  bool digit = false;
  while (length < end && length <= kLongest && is_alnum(line[end - 1 - length])) {
    digit = digit || is_digit(line[end - 1 - length]);
    ++length;
  }
  return digit && length >= kShortest && length <= kLongest;
}

bool begins_record(std::string_view text) {
  constexpr std::array<std::string_view, 6> kBegins = {
      "to=", "from=", "message-id=", "client=", "uid=", "removed"};
  return std::any_of(kBegins.begin(), kBegins.end(),
                     [&](std::string_view begin) { return text.starts_with(begin); });
}

}  // namespace

bool holds_mail_record(std::string_view line) {
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos;
       colon = line.find(':', colon + 1)) {
    const std::string_view rest = line.substr(colon + 1);
    const std::size_t text = std::min(rest.find_first_not_of(" \t"), rest.size());
    if (text > 0 && begins_record(rest.substr(text)) && follows_queue_id(line, colon)) {
      return true;
    }
  }
  return false;
}

bool is_mail_program(std::string_view program) {
  constexpr std::array<std::string_view, 3> kBegins = {"postfix", "sendmail", "sm-"};
  constexpr std::array<std::string_view, 16> kServices = {
      "smtp",  "smtpd", "lmtp",   "qmgr",   "cleanup",    "local", "virtual", "pipe",
      "error", "retry", "bounce", "pickup", "postscreen", "oqmgr", "discard", "trivial-rewrite"};
  if (std::any_of(kBegins.begin(), kBegins.end(),
                  [&](std::string_view begin) { return program.starts_with(begin); })) {
    return true;
  }
  const std::size_t slash = program.rfind('/');
  return slash != std::string_view::npos && std::find(kServices.begin(), kServices.end(),
                                                      program.substr(slash + 1)) != kServices.end();
}

// Returns whether the line holds a record.
bool LogFormatTally::keep_example(std::string_view text) {
  const bool record = holds_mail_record(text);
  std::string& example = record ? unknown_ : odd_;
  if (example.empty()) {
    example = text.substr(0, kExample);
  }
  return record;
}

void LogFormatTally::unknown(std::string_view text) {
  const bool first = !began_;
  began_ = true;
  if (!keep_example(text)) {
    return;
  }
  if (first) {
    first_unknown_ = true;
  } else {
    ++others_unknown_;
  }
}

void LogFormatTally::without_tag(std::string_view text) {
  without_tag_ += keep_example(text) ? 1U : 0U;
}

std::uint64_t LogFormatTally::unknown_lines() const {
  const bool first_counts = first_unknown_ && (others_unknown_ > 0 || !mail_);
  return others_unknown_ + (first_counts ? 1 : 0) + (mail_ ? 0 : without_tag_);
}

LogFormatTally& LogFormatTally::operator+=(const LogFormatTally& later) {
  if (!began_) {
    return *this = later;
  }
  mail_ = mail_ || later.mail_;
  others_unknown_ += later.others_unknown_ + (later.first_unknown_ ? 1 : 0);
  without_tag_ += later.without_tag_;
  if (unknown_.empty()) {
    unknown_ = later.unknown_;
  }
  if (odd_.empty()) {
    odd_ = later.odd_;
  }
  return *this;
}

std::string_view compression_of(std::string_view first_octets) {
  using namespace std::string_view_literals;
  struct Magic {
    std::string_view octets, name;
  };
  constexpr std::array<Magic, 6> kMagic = {{{"\x1F\x8B"sv, "gzip"},
                                            {"\xFD"
                                             "7zXZ"sv,
                                             "xz"},
                                            {"\x28\xB5\x2F\xFD"sv, "zstd"},
                                            {"BZh"sv, "bzip2"},
                                            {"\x04\x22\x4D\x18"sv, "lz4"},
                                            {"PK\x03\x04"sv, "zip"}}};
  for (const Magic& magic : kMagic) {
    if (first_octets.starts_with(magic.octets)) {
      return magic.name;
    }
  }
  return {};
}

}  // namespace mtrk::maillog
