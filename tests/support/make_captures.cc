// Makes the captures that a milter would have made of messages of a log, so that `mtrkctl ingest`
// has something to apply the log to. Reads rows "queue id <tab> recipient" from standard input;
// each queue id becomes one message with ENVID "QUEUE-ID@rows.example", taken in when the log first
// names it. With --import the messages are printed for `mtrkctl import` instead.
#include "common/config/config.h"
#include "common/maillog/log_line.h"
#include "common/store/tracking_writer.h"
#include "common/track/address.h"
#include "milter/ctl/log_reader.h"
#include "milter/ctl/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

// What tests/support/lib.sh asks with.
constexpr std::string_view kCertifier = "VheLhqV/rCKJmplkGFwsyW59pYk";

struct Message {
  std::string queue_id;
  std::vector<std::string> recipients;
  std::optional<mtrk::TimePoint> arrival;
};

std::vector<Message> read_rows() {
  std::vector<Message> messages;
  std::unordered_map<std::string, std::size_t> known;
  for (std::string row; std::getline(std::cin, row);) {
    const std::size_t tab = row.find('\t');
    if (tab == std::string::npos) {
      throw std::runtime_error("no tab in: " + row);
    }
    const std::string queue_id = row.substr(0, tab);
    const auto [at, first] = known.emplace(queue_id, messages.size());
    if (first) {
      messages.push_back({queue_id, {}, std::nullopt});
    }
    messages[at->second].recipients.push_back(row.substr(tab + 1));
  }
  return messages;
}

// The time of the first line about each message: "QUEUE-ID: …".
void find_arrivals(const std::string& path, std::vector<Message>& messages) {
  std::unordered_map<std::string_view, Message*> wanted;
  for (Message& message : messages) {
    wanted.emplace(message.queue_id, &message);
  }
  mtrk::LogReader reader(path);
  mtrk::LogBlock block;
  while (reader.next(block)) {
    for (std::string_view lines = block.lines(); !lines.empty();) {
      const auto line = mtrk::maillog::split_log_line(mtrk::take_line(lines), reader.stamps());
      if (!line) {
        continue;
      }
      const auto found = wanted.find(line->text.substr(0, line->text.find(':')));
      if (found != wanted.end() && !found->second->arrival) {
        found->second->arrival = std::chrono::floor<mtrk::Seconds>(line->at);
      }
    }
  }
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "\"";
}

void print_for_import(const Message& message) {
  fmt::print(R"({{"envelope_id":"{0}@rows.example","certifier":"{1}","arrival":"{2}",)"
             R"("timeout":864000,"queue_id":"{0}","recipients":[)",
             message.queue_id, kCertifier, mtrk::format_rfc3339(*message.arrival));
  std::string_view separator;
  for (const std::string& recipient : message.recipients) {
    const mtrk::TypedAddress address = mtrk::address_from_rcpt(recipient);
    const std::string typed = json_string(address.type + ";" + address.value);
    fmt::print(R"({0}{{"original":{1},"final":{1},"action":"delayed","status":"4.0.0"}})",
               separator, typed);
    separator = ",";
  }
  fmt::print("]}}\n");
}

mtrk::store::Capture to_capture(const Message& message, const mtrk::MtaName& mta) {
  mtrk::store::Capture capture{
      mtrk::QueueId::parse(message.queue_id).value(),
      mtrk::EnvelopeId::from_decoded(message.queue_id + "@rows.example").value(),
      mtrk::TrackingCertifier::parse_base64(kCertifier).value(),
      std::nullopt,
      mta,
      *message.arrival,
      mtrk::Minutes(0),
      1,
      mtrk::store::Stage::final,
      {}};
  for (const std::string& recipient : message.recipients) {
    const mtrk::TypedAddress address = mtrk::address_from_rcpt(recipient);
    capture.recipients.push_back({address, address});
  }
  return capture;
}

void make(const mtrk::Config& config, const std::vector<Message>& messages) {
  mtrk::store::TrackingWriter writer(mtrk::writer_options(config), mtrk::store::Create::if_missing);
  writer.begin();
  for (const Message& message : messages) {
    if (writer.put_capture(to_capture(message, mtrk::reporting_mta(config))) !=
        mtrk::store::Kept::stored) {
      throw std::runtime_error("not stored: " + message.queue_id);
    }
  }
  writer.commit();
}

void run(const std::vector<std::string>& arguments) {
  const bool import = arguments.size() > 1 && arguments[0] == "--import";
  const mtrk::Config config = mtrk::load_config(arguments.at(import ? 1 : 0)).value();
  std::vector<Message> messages = read_rows();
  for (std::size_t i = import ? 2 : 1; i < arguments.size(); ++i) {
    find_arrivals(arguments[i], messages);
  }
  for (const Message& message : messages) {
    if (!message.arrival) {
      throw std::runtime_error(message.queue_id + " is not in the log");
    }
  }
  if (import) {
    std::for_each(messages.begin(), messages.end(), print_for_import);
  } else {
    make(config, messages);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: make_captures [--import] CONFIG LOG... <ROWS\n");
    return 64;
  }
  try {
    run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_captures: %s\n", error.what());
    return 1;
  }
  return 0;
}
