#include "milter/ctl/import.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/line_reader.h"
#include "common/base/print_error.h"
#include "milter/ctl/import_line.h"
#include "milter/ctl/privileges.h"
#include "milter/ctl/store.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace mtrk {
namespace {

// Lines per commit: enough that the disk is not the limit, and few enough that the daemon, which
// waits for its turn meanwhile, hardly notices.
constexpr std::size_t kMessagesAtOnce = 2000;
constexpr std::size_t kOctetsAtOnce = std::size_t{32} << 20;
// A line for a message to a hundred thousand recipients is about this long.
constexpr std::size_t kLongestImportLine = std::size_t{16} << 20;

class Import {
 public:
  Import(const ImportOptions& options, store::TrackingWriter& writer)
      : name_(options.file), reporting_mta_(reporting_mta(options.config)), writer_(writer) {}

  // Returns false if the store is full. What is in it by then stays.
  bool read(LineReader& in);
  void print_summary() const {
    print_error("{}lines={} imported={} bad={}\n", shows_progress_ ? "\r" : "", lines_, imported_,
                bad_);
  }
  [[nodiscard]] std::uint64_t bad() const { return bad_; }
  [[nodiscard]] bool unreadable() const { return unreadable_; }

 private:
  struct Parsed {
    std::uint64_t number;
    ImportLine line;
  };

  std::optional<LineReader::Line> next_line(LineReader& in);
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
  bool unreadable_ = false;  // the rest of the input cannot be read
};

// A failure to read ends the input. What was read before it is imported.
std::optional<LineReader::Line> Import::next_line(LineReader& in) {
  try {
    return in.next();
  } catch (const std::system_error& error) {
    print_error("mtrkctl: {}: {}\n", name_, error.what());
    unreadable_ = true;
    return std::nullopt;
  }
}

bool Import::read(LineReader& in) {
  std::size_t octets = 0;  // of the lines in the batch
  while (const std::optional<LineReader::Line> line = next_line(in)) {
    ++lines_;
    if (line->too_long) {
      reject(lines_, in.gave_up() ? "the line has no end; what comes after it is not read"
                                  : "the line has more than 16 MiB");
      continue;
    }
    parse(line->text);
    octets += line->text.size();
    if (batch_.size() == kMessagesAtOnce || octets >= kOctetsAtOnce) {
      octets = 0;
      if (!store_batch()) {
        return false;
      }
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
  print_error("{}{}:{}: {}\n", shows_progress_ ? "\r" : "", name_, number,
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
      print_error("{}:{}: the store is full: this line and all after it are not imported\n", name_,
                  parsed.number);
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
    print_error("\r{} lines", lines_);
  }
  return !full;
}

int import_from(int input, const ImportOptions& options) {
  CheckedWriter writer(options.config);
  Import import(options, writer.get());
  LineReader lines(input, kLongestImportLine);
  const bool all = import.read(lines);
  import.print_summary();
  if (!all) {
    return exit_code::temp_fail;
  }
  if (import.unreadable()) {
    return exit_code::io_error;
  }
  return import.bad() == 0 ? exit_code::ok : exit_code::data_error;
}

}  // namespace

int run_import(const ImportOptions& options) {
  return with_store_errors([&] {
    const UniqueFd input = open_input(options.file);
    if (!input) {
      print_error("mtrkctl: {}: {}\n", options.file, std::generic_category().message(errno));
      return exit_code::no_input;
    }
    become_store_owner(options.config.store.path);
    return import_from(input.get(), options);
  });
}

}  // namespace mtrk
