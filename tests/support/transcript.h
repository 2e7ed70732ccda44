#pragma once

#include "common/base/ascii.h"
#include "common/base/time.h"
#include "common/mtqp/server_session.h"
#include "common/track/outcome.h"
#include "common/track/tracked_message.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A Transcript is a dialogue from a text file, tests/data/sessions/*.mtqp. It is replayed against
// the pure session and against the real server. tests/data/sessions/README.md describes the format.
namespace mtrk::test {

struct StoredMessage {
  std::string envelope_id;  // decoded
  std::string secret;       // base64
  TrackedMessage message;
};

// A Section is what happens between two handshakes; all of it may be sent at once (pipelining).
struct Section {
  struct Turn {
    std::string sent;
    std::string expected;
  };
  std::vector<Turn> turns;  // `sent` of the first one is empty: it is the greeting
  bool closes = false;      // the server ends the connection

  [[nodiscard]] std::string sent() const {
    std::string all;
    for (const Turn& turn : turns) {
      all += turn.sent;
    }
    return all;
  }
  [[nodiscard]] std::string expected() const {
    std::string all;
    for (const Turn& turn : turns) {
      all += turn.expected;
    }
    return all;
  }
};

struct Transcript {
  std::string name;
  mtqp::SessionPolicy policy;
  std::vector<std::string> names;  // the dNSNames of the certificate
  bool certificate_expired = false;
  bool store_broken = false;  // look-ups fail
  bool maintenance = false;   // set after the greeting
  bool pure_only = false;     // this state cannot be produced over TCP
  std::vector<StoredMessage> messages;
  std::vector<Section> sections;

  [[nodiscard]] const StoredMessage* find(std::string_view envelope_id,
                                          const TrackingSecret& secret) const {
    for (const StoredMessage& one : messages) {
      if (one.envelope_id == envelope_id &&
          TrackingSecret::parse_base64(one.secret)->octets() == secret.octets()) {
        return &one;
      }
    }
    return nullptr;
  }
};

// Test reports show the name.
inline void PrintTo(const Transcript& transcript, std::ostream* out) {
  *out << transcript.name;
}

namespace detail {

[[noreturn]] inline void bad(const std::string& line) {
  throw std::runtime_error("bad transcript line: " + line);
}

inline std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> result;
  for (std::string word; in >> word;) {
    result.push_back(word);
  }
  return result;
}

// Replaces \r \n \t \0 \\ \xHH, and \{N*c} by N times c.
inline std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      out += static_cast<char>(*parse_number<unsigned>(text.substr(i + 1, 2), 16));
      i += 2;
    } else if (c == '{') {
      const std::size_t star = text.find('*', i);
      out.append(*parse_number<std::size_t>(text.substr(i + 1, star - i - 1)), text[star + 1]);
      i = star + 2;
    } else {
      out += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
    }
  }
  return out;
}

inline TimePoint instant(std::string_view text) {
  return std::chrono::floor<Seconds>(parse_rfc3339(text).value().at);
}

// Parses the line
//   recipient: rfc822;u@d ACTION STATUS [remote=NAME] [last=TIME] [retry=TIME] [redirected]
inline Recipient recipient(std::string_view text) {
  const std::vector<std::string> parts = words(text);
  OutcomeFields fields;
  fields.action = parse_action(parts.at(1)).value();
  fields.status = parse_enhanced_status(parts.at(2)).value();
  bool redirected = false;
  for (std::size_t i = 3; i < parts.size(); ++i) {
    const std::string value = parts[i].substr(parts[i].find('=') + 1);
    if (parts[i].starts_with("remote=")) {
      fields.remote_mta = MtaName{"dns", value};
    } else if (parts[i].starts_with("last=")) {
      fields.last_attempt = instant(value);
    } else if (parts[i].starts_with("retry=")) {
      fields.will_retry_until = instant(value);
    } else if (parts[i] == "redirected") {
      redirected = true;
    } else {
      bad(std::string(text));
    }
  }
  const TypedAddress address = parse_typed_address(parts.at(0)).value();
  return {address, address, make_outcome(fields).value(), redirected};
}

inline void read_header(Transcript& transcript, const std::string& line) {
  const std::size_t colon = line.find(':');
  const std::string key = line.substr(0, colon);
  const std::string value(trim(std::string_view(line).substr(colon + 1)));
  mtqp::SessionPolicy& policy = transcript.policy;
  if (key == "names") {
    transcript.names = words(value);
    policy.tls = mtqp::SessionPolicy::Tls::offered;
  } else if (key == "tls-required-for") {
    policy.tls = mtqp::SessionPolicy::Tls::required_for_some;
    policy.tls_required_for = std::make_shared<std::vector<std::string>>(words(value));
  } else if (key == "tls-state") {
    policy.tls_active = true;
    policy.tls_insufficient = value == "insufficient";
    transcript.pure_only = true;
  } else if (key == "certificate") {
    transcript.certificate_expired = value == "expired";
    transcript.pure_only = true;
  } else if (key == "service") {
    policy.service = value == "unavailable" ? mtqp::SessionPolicy::Service::unavailable
                                            : mtqp::SessionPolicy::Service::maintenance;
    transcript.pure_only = value != "unavailable";
  } else if (key == "store") {
    transcript.store_broken = value == "broken";
    transcript.maintenance = value == "maintenance";
    transcript.pure_only = true;
  } else if (key == "message") {
    const std::vector<std::string> parts = words(value);
    StoredMessage stored{parts.at(0), parts.at(1), {}};
    stored.message.reporting_mta = {"dns", "mx.example2.com"};
    stored.message.arrival = instant("2001-01-01T20:15:15Z");
    stored.message.utc_offset = Minutes(-300);
    stored.message.expires_at = instant("2100-01-01T00:00:00Z");
    transcript.messages.push_back(std::move(stored));
  } else if (key == "recipient") {
    transcript.messages.back().message.recipients.push_back(recipient(value));
  } else {
    bad(line);
  }
}

}  // namespace detail

inline Transcript read_transcript(const std::filesystem::path& path) {
  Transcript transcript;
  transcript.name = path.stem().string();
  std::ifstream in(path);
  bool in_header = true;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#') || line.empty()) {
      continue;
    }
    if (in_header && !line.starts_with("S:")) {
      detail::read_header(transcript, line);
      continue;
    }
    if (std::exchange(in_header, false)) {
      transcript.sections.push_back({{{}}, false});
    }
    Section& section = transcript.sections.back();
    const std::string text = line.size() > 3 ? line.substr(3) : std::string();
    if (line.starts_with("S:")) {
      section.turns.back().expected += text + "\r\n";
    } else if (line.starts_with("C:") || line.starts_with("C-")) {
      section.turns.push_back({detail::unescape(text) + (line[1] == ':' ? "\r\n" : ""), ""});
    } else if (line == "(close)") {
      section.closes = true;
    } else if (line == "(handshake)") {
      transcript.sections.push_back({{{}}, false});
    } else {
      detail::bad(line);
    }
  }
  if (transcript.sections.empty()) {
    throw std::runtime_error("empty transcript " + path.string());
  }
  return transcript;
}

inline std::vector<Transcript> read_transcripts(const std::filesystem::path& folder) {
  std::map<std::string, Transcript> by_name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".mtqp") {
      Transcript transcript = read_transcript(entry.path());
      by_name.emplace(transcript.name, std::move(transcript));
    }
  }
  std::vector<Transcript> all;
  for (auto& [name, transcript] : by_name) {
    all.push_back(std::move(transcript));
  }
  return all;
}

}  // namespace mtrk::test
