#include "mtqpd/mtqp/ask/list.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "common/base/utf8.h"
#include "mtqpd/mtqp/ask/track.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <unordered_map>

namespace mtrk::cli {
namespace {

constexpr std::size_t kShownRecipients = 3;
constexpr std::size_t kMaxRecipient = 320;

std::size_t number_shown(const std::vector<SentRecord>& records, std::size_t count) {
  return count == 0 ? records.size() : std::min(count, records.size());
}

// Finds out how many characters of a name are enough to distinguish it from all others.
class Names {
 public:
  explicit Names(const std::vector<SentRecord>& records) {
    for (const SentRecord& record : records) {
      const std::string name = short_name(record);
      for (std::size_t size = kMinPrefix; size <= name.size(); ++size) {
        ++beginnings_[name.substr(0, size)];
      }
    }
  }
  [[nodiscard]] std::string shortest(const std::string& name) const {
    std::size_t size = kMinPrefix;
    while (size < name.size() && beginnings_.at(name.substr(0, size)) > 1) {
      ++size;
    }
    return name.substr(0, size);
  }

 private:
  std::unordered_map<std::string, int> beginnings_;
};

std::string recipients_of(const SentRecord& record) {
  std::string text;
  for (std::size_t i = 0; i < std::min(record.to.size(), kShownRecipients); ++i) {
    text += (i == 0 ? "" : ", ") + escape_for_people(record.to[i], kMaxRecipient);
  }
  if (record.to.size() > kShownRecipients) {
    text += fmt::format(" and {} more", record.to.size() - kShownRecipients);
  }
  return text;
}

}  // namespace

std::string format_sent(const std::vector<SentRecord>& records,
                        std::size_t count,
                        const std::function<std::string(TimePoint)>& time) {
  const Names names(records);
  std::string text;
  for (std::size_t i = 0; i < number_shown(records, count); ++i) {
    const SentRecord& record = records[records.size() - 1 - i];
    text += fmt::format("{:<8}  {}  {}\n", names.shortest(short_name(record)), time(record.time),
                        recipients_of(record));
  }
  return text;
}

std::string format_sent_json(const std::vector<SentRecord>& records, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < number_shown(records, count); ++i) {
    const SentRecord& record = records[records.size() - 1 - i];
    boost::json::object object;
    object["v"] = 1;
    object["name"] = short_name(record);
    object["time"] = format_rfc3339(record.time);
    object["envelope_id"] = record.envelope_id;
    object["smtp"] = record.smtp;
    object["carrier"] = record.carrier;
    object["from"] = record.from;
    object["to"] = boost::json::array(record.to.begin(), record.to.end());
    text += escape_json(boost::json::serialize(object)) + "\n";
  }
  return text;
}

int run_list(const ListOptions& options) {
  std::vector<SentRecord> records;
  try {
    records = read_sent_records(sent_file_path());
  } catch (const std::system_error& error) {
    print_error("mtqp: {}\n", error.what());
    return exit_code::no_input;
  }
  wipe_records(records);
  if (records.empty()) {
    print_error("mtqp: nothing was sent yet\n");
  }
  fmt::print("{}", options.json
                       ? format_sent_json(records, options.count)
                       : format_sent(records, options.count, style_of_output(Color::never).time));
  return exit_code::ok;
}

}  // namespace mtrk::cli
