#include "mtqpd/mtqp/send/sent_file.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"
#include "common/track/digest.h"
#include "mtqpd/mtqp/answer/json.h"
#include "mtqpd/mtqp/base/state_file.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace mtrk::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSentFile = 256UL << 20U;

std::string to_line(const SentRecord& record) {
  json::object object;
  object["v"] = 1;
  object["time"] = format_rfc3339(record.time);
  object["envelope_id"] = record.envelope_id;
  object["uri"] = record.uri;
  object["smtp"] = record.smtp;
  object["carrier"] = record.carrier;
  object["from"] = record.from;
  object["to"] = json::array(record.to.begin(), record.to.end());
  return json::serialize(object) + "\n";
}

// Writes all of the line, or throws. After an error nothing of the line is left, so that the file
// keeps its form.
void write_line(const UniqueFd& fd, const std::string& line, const std::string& path) {
  const off_t before = ::lseek(fd.get(), 0, SEEK_END);
  try {
    write_all(fd, line, path);
  } catch (const std::system_error& error) {
    if (::ftruncate(fd.get(), before) != 0) {
      throw std::system_error(error.code(), path + " (half a line remains)");
    }
    throw;
  }
  if (::fsync(fd.get()) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
}

}  // namespace

std::string sent_file_path() {
  return state_file_path("sent.ndjson");
}

void append_sent_record(const std::string& path, const SentRecord& record) {
  make_private_folder(path);
  const UniqueFd fd = open_private(path, O_WRONLY | O_APPEND | O_CREAT);
  lock_exclusively(fd, path);
  std::string line = to_line(record);
  try {
    write_line(fd, line, path);
  } catch (...) {
    wipe(line);
    throw;
  }
  wipe(line);
  sync_folder_of(path);  // after a crash a new file exists only if its folder was synced
}

Expected<SentRecord> parse_sent_record(std::string_view line) {
  json::error_code error;
  const json::value value = json::parse({line.data(), line.size()}, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) {
    return fail(ErrorCode::syntax, "not a JSON object");
  }
  SentRecord record;
  const auto time = parse_rfc3339(text_member(*object, "time"));
  record.envelope_id = text_member(*object, "envelope_id");
  record.uri = text_member(*object, "uri");
  if (!time || record.envelope_id.empty() || record.uri.empty()) {
    return fail(ErrorCode::syntax, "no record of a sent message");
  }
  record.time = std::chrono::floor<Seconds>(time->at);
  record.smtp = text_member(*object, "smtp");
  record.carrier = text_member(*object, "carrier");
  record.from = text_member(*object, "from");
  if (const json::value* to = object->if_contains("to"); to != nullptr && to->is_array()) {
    for (const json::value& one : to->get_array()) {
      if (const json::string* recipient = one.if_string()) {
        record.to.emplace_back(recipient->c_str());
      }
    }
  }
  return record;
}

std::vector<SentRecord> read_sent_records(const std::string& path) {
  std::string text = read_private(path, kMaxSentFile);
  std::vector<SentRecord> records;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (Expected<SentRecord> record = parse_sent_record(rest.substr(0, end))) {
      records.push_back(std::move(*record));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  wipe(text);
  return records;
}

void wipe_records(std::vector<SentRecord>& records) noexcept {
  for (SentRecord& record : records) {
    wipe(record.uri);
  }
}

std::string short_name(const SentRecord& record) {
  static constexpr char kHex[] = "0123456789abcdef";
  const Digest32 digest = sha256(record.envelope_id);
  std::string name;
  for (std::size_t i = 0; i < 4; ++i) {
    name += {kHex[digest[i] >> 4], kHex[digest[i] & 15]};
  }
  return name;
}

Expected<const SentRecord*> find_sent(const std::vector<SentRecord>& records,
                                      std::string_view name) {
  if (iequals(name, "last")) {
    if (records.empty()) {
      return fail(ErrorCode::syntax, "nothing was sent yet");
    }
    return &records.back();
  }
  if (name.size() < kMinPrefix) {
    return fail(ErrorCode::syntax, "a name of mtqp list has four characters at least");
  }
  const SentRecord* found = nullptr;
  for (const bool by_envelope_id : {false, true}) {  // the names that mtqp list shows come first
    for (const SentRecord& record : records) {
      if (!(by_envelope_id ? record.envelope_id.starts_with(name)
                           : istarts_with(short_name(record), name))) {
        continue;
      }
      if (found != nullptr && found->envelope_id != record.envelope_id) {
        return fail(ErrorCode::syntax,
                    "several messages begin like that; mtqp list shows their whole names");
      }
      found = &record;
    }
    if (found != nullptr) {
      return found;
    }
  }
  return fail(ErrorCode::syntax,
              "no sent message has that name; mtqp list shows what was sent. (An ENVID needs "
              "--server HOST.)");
}

}  // namespace mtrk::cli
