#include "milter/ctl_import.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "milter/ctl_import_line.h"
#include "milter/ctl_store.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace mtrk {
namespace {

// Lines a commit. Enough that the disk is not what limits; few enough that the daemon, which waits
// for its turn meanwhile, hardly notices.
constexpr std::size_t kMessagesAtOnce = 2000;

class Import {
 public:
  Import(const ImportOptions& options, store::TrackingWriter& writer)
      : name_(options.file), reporting_mta_(reporting_mta(options.config)), writer_(writer) {}

  // False if the store is full: what is in it by then stays.
  bool read(std::istream& in);
  void print_summary() const {
    fmt::print(stderr, "{}lines={} imported={} bad={}\n", shows_progress_ ? "\r" : "", lines_,
               imported_, bad_);
  }
  [[nodiscard]] std::uint64_t bad() const { return bad_; }

 private:
  struct Parsed {
    std::uint64_t number;
    ImportLine line;
  };

  void parse(std::string_view line);
  bool store_batch();
  store::Kept put(const ImportLine& line);
  void reject(std::uint64_t number, std::string_view reason);

  std::string name_;
  MtaName reporting_mta_;
  store::TrackingWriter& writer_;
  const bool shows_progress_ = ::isatty(STDERR_FILENO) != 0;
  std::vector<Parsed> batch_;
  std::uint64_t lines_ = 0;
  std::uint64_t imported_ = 0;
  std::uint64_t bad_ = 0;
};

bool Import::read(std::istream& in) {
  std::string line;
  while (std::getline(in, line)) {
    ++lines_;
    parse(line);
    if (batch_.size() == kMessagesAtOnce && !store_batch()) {
      return false;
    }
  }
  return store_batch();
}

void Import::parse(std::string_view line) {
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (trim(line).empty()) {
    return;
  }
  Expected<ImportLine> parsed = parse_import_line(line);
  if (!parsed) {
    reject(lines_, parsed.error().detail);
    return;
  }
  parsed->message.reporting_mta = reporting_mta_;
  parsed->message.expires_at = writer_.expiry_of(parsed->message.arrival, parsed->timeout);
  batch_.push_back({lines_, *std::move(parsed)});
}

void Import::reject(std::uint64_t number, std::string_view reason) {
  ++bad_;
  fmt::print(stderr, "{}{}:{}: {}\n", shows_progress_ ? "\r" : "", name_, number,
             escape_for_people(reason));
}

store::Kept Import::put(const ImportLine& line) {
  store::Kept kept = writer_.put_message(line.envelope_id, line.certifier, line.message);
  if (kept == store::Kept::store_full) {
    // A batch on a small store may only have used up its own share.
    writer_.commit();
    writer_.begin();
    kept = writer_.put_message(line.envelope_id, line.certifier, line.message);
  }
  return kept;
}

bool Import::store_batch() {
  if (batch_.empty()) {
    return true;
  }
  bool full = false;
  writer_.begin();
  for (const Parsed& parsed : batch_) {
    const store::Kept kept = put(parsed.line);
    if (kept == store::Kept::store_full) {
      fmt::print(stderr, "{}:{}: the store is full: this line and all after it are not imported\n",
                 name_, parsed.number);
      full = true;
      break;
    }
    if (kept == store::Kept::merged_limit) {
      reject(parsed.number, "this message has as many transactions as are kept already");
    } else {
      ++imported_;
    }
  }
  writer_.commit();
  batch_.clear();
  if (shows_progress_) {
    fmt::print(stderr, "\r{} lines", lines_);
  }
  return !full;
}

int import_from(std::istream& in, const ImportOptions& options) {
  store::TrackingWriter writer(writer_options(options.config), store::Create::if_missing);
  Import import(options, writer);
  const bool all = import.read(in);
  import.print_summary();
  if (!all) {
    return exit_code::temp_fail;
  }
  if (in.bad()) {
    fmt::print(stderr, "mtrkctl: {}: read error\n", options.file);
    return exit_code::io_error;
  }
  return import.bad() == 0 ? exit_code::ok : exit_code::data_error;
}

}  // namespace

int run_import(const ImportOptions& options) {
  return with_store_errors([&] {
    if (options.file == "-") {
      std::ios::sync_with_stdio(false);
      return import_from(std::cin, options);
    }
    std::ifstream file(options.file, std::ios::binary);
    if (!file) {
      fmt::print(stderr, "mtrkctl: {}: cannot be opened\n", options.file);
      return exit_code::no_input;
    }
    return import_from(file, options);
  });
}

}  // namespace mtrk
