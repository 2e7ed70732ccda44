#pragma once

#include "tests/support/scratch_directory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

// This header makes real journal files without a running journald: entries are written in the
// export format, and systemd-journal-remote turns them into a file.
namespace mtrk::test {

// A JournalItem is one entry as journald stores it when Postfix logs over syslog.
class JournalItem {
 public:
  JournalItem(std::string_view identifier, std::string_view message) {
    const std::size_t slash = identifier.rfind('/');
    fields_ = {{"_TRANSPORT", "syslog"},
               {"_UID", "101"},
               {"_PID", "4711"},
               {"_COMM", std::string(identifier.substr(slash + 1)).substr(0, 15)},
               {"_SYSTEMD_UNIT", "postfix@-.service"},
               {"_HOSTNAME", "mx"},
               {"SYSLOG_FACILITY", "2"},
               {"SYSLOG_IDENTIFIER", std::string(identifier)},
               {"MESSAGE", std::string(message)}};
  }
  JournalItem& with(const std::string& name, std::string_view value) {
    fields_[name] = value;
    return *this;
  }
  JournalItem& without(const std::string& name) {
    fields_.erase(name);
    return *this;
  }
  JournalItem& at(std::int64_t micros) {
    micros_ = micros;
    return *this;
  }

  [[nodiscard]] std::int64_t micros() const { return micros_; }
  // Returns the entry in systemd's journal export format, in the binary-safe form, which fits any
  // value.
  [[nodiscard]] std::string exported(std::int64_t micros) const {
    std::string text = fmt::format(
        "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID="
        "0123456789abcdef0123456789abcdef\n",
        micros, micros - 1'700'000'000'000'000);
    for (const auto& [name, value] : fields_) {
      text += name + '\n';
      for (unsigned i = 0; i < 64; i += 8) {
        text += static_cast<char>(value.size() >> i & 0xFF);
      }
      text += value + '\n';
    }
    return text + '\n';
  }

 private:
  std::map<std::string, std::string> fields_;
  std::int64_t micros_ = 0;  // 0 = a millisecond after the previous entry
};

inline JournalItem entry(std::string_view identifier, std::string_view message) {
  return {identifier, message};
}

class JournalFiles {
 public:
  [[nodiscard]] std::string path() const { return directory_.path(); }

  void add(const JournalItem& item) {
    micros_ = item.micros() != 0 ? item.micros() : micros_ + 1000;
    pending_ += item.exported(micros_);
  }
  // Appends the entries that were added to the file, which may be new.
  void write(std::string_view name) {
    const ScratchDirectory scratch;
    scratch.write("entries", pending_);
    pending_.clear();
    const std::string command =
        fmt::format("{} --output={} {} >{} 2>&1", remote(), directory_.path(name),
                    scratch.path("entries"), scratch.path("output"));
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void rename(std::string_view from, std::string_view to) { directory_.rename(from, to); }
  void remove(std::string_view name) { directory_.remove(name); }
  [[nodiscard]] std::int64_t micros() const { return micros_; }

 private:
  static std::string remote() {
    for (const char* const place :
         {"/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote"}) {
      if (std::filesystem::exists(place)) {
        return place;
      }
    }
    ADD_FAILURE() << "systemd-journal-remote is not installed";
    return "false";
  }

  ScratchDirectory directory_;
  std::string pending_;
  std::int64_t micros_ = 1'795'000'000'000'000;  // of the newest entry
};

}  // namespace mtrk::test
