#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// This is a second implementation of RFC 3886 §3 for tests, which shares no code with the emitter
// or the parser. It accepts exactly what we promise to emit.
namespace mtrk::testing {

struct CheckedReport {
  std::string problem;  // empty if the report is right
  std::size_t parts = 0;
  std::size_t groups = 0;  // the recipient groups of all parts
};

class ReportChecker {
 public:
  // Checks a whole answer to TRACK: the entity between the status line and the final dot.
  [[nodiscard]] static CheckedReport check(std::string_view entity) {
    ReportChecker checker;
    if (checker.split_lines(entity)) {
      checker.check_entity();
    }
    return checker.result_;
  }

 private:
  struct Field {
    std::string name;
    std::string value;
  };
  using Group = std::vector<Field>;

  bool fail(const std::string& problem) {
    if (result_.problem.empty()) {
      result_.problem = problem;
    }
    return false;
  }

  bool split_lines(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find("\r\n");
      if (end == std::string_view::npos) {
        return fail("the last line has no CRLF");
      }
      const std::string_view line = text.substr(0, end);
      for (const char c : line) {
        if (c < 32 || c > 126) {
          return fail("octet outside 32..126 in line " + std::to_string(lines_.size() + 1));
        }
      }
      if (line.size() > 998) {
        return fail("line of " + std::to_string(line.size()) + " octets");
      }
      if (!line.empty() && line.find_first_not_of(' ') == std::string_view::npos) {
        return fail("line of blanks");
      }
      lines_.emplace_back(line);
      text.remove_prefix(end + 2);
    }
    return true;
  }

  [[nodiscard]] std::string_view line() const {
    return at_ < lines_.size() ? std::string_view(lines_[at_]) : std::string_view("(end)");
  }

  bool expect(std::string_view wanted) {
    if (line() != wanted) {
      return fail("wanted \"" + std::string(wanted) + "\", found \"" + std::string(line()) + '"');
    }
    ++at_;
    return true;
  }

  bool check_entity() {
    constexpr std::string_view kStart = "Content-Type: multipart/related; boundary=\"";
    constexpr std::string_view kEnd = "\"; type=\"message/tracking-status\"";
    const std::string_view first = line();
    if (!starts_with(first, kStart) || first.size() < kStart.size() + kEnd.size() ||
        first.substr(first.size() - kEnd.size()) != kEnd) {
      return fail("wrong Content-Type of the entity");
    }
    const std::string boundary(
        first.substr(kStart.size(), first.size() - kStart.size() - kEnd.size()));
    if (boundary.empty() || boundary.size() > 70 ||
        boundary.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") !=
            std::string::npos) {
      return fail("illegal boundary");
    }
    for (std::size_t i = 1; i < lines_.size(); ++i) {
      const bool own = lines_[i] == "--" + boundary || lines_[i] == "--" + boundary + "--";
      if (!own && lines_[i].find("--" + boundary) != std::string::npos) {
        return fail("the boundary occurs in the content");
      }
    }
    ++at_;
    if (!expect("")) {
      return false;
    }
    while (line() == "--" + boundary) {
      ++at_;
      ++result_.parts;
      if (!expect("Content-Type: message/tracking-status") || !expect("") || !check_part()) {
        return false;
      }
    }
    if (!expect("--" + boundary + "--")) {
      return false;
    }
    return at_ == lines_.size() || fail("text after the closing delimiter");
  }

  bool check_part() {
    Group group;
    if (!read_group(group) || !check_message_fields(group)) {
      return false;
    }
    std::size_t recipients = 0;
    while (!starts_with(line(), "--")) {
      group.clear();
      if (!read_group(group) || !check_recipient_fields(group)) {
        return false;
      }
      ++recipients;
    }
    result_.groups += recipients;
    return recipients > 0 || fail("part without a recipient");
  }

  // Reads the fields up to the empty line that ends the group, and unfolds them.
  bool read_group(Group& group) {
    for (; at_ < lines_.size() && !lines_[at_].empty(); ++at_) {
      const std::string& text = lines_[at_];
      if (text.front() == ' ') {
        if (group.empty()) {
          return fail("continuation of nothing");
        }
        group.back().value += text;
        continue;
      }
      const std::size_t colon = text.find(':');
      if (colon == std::string::npos) {
        return fail("no field: \"" + text + '"');
      }
      group.push_back({text.substr(0, colon), text.substr(colon + 1)});
    }
    for (Field& field : group) {
      if (field.value.empty() || field.value.front() != ' ') {
        return fail("no blank after the colon of " + field.name);
      }
      field.value.erase(0, 1);
      if (field.value.size() > 1024 + 1) {  // a fold inside a word adds a blank
        return fail("value over 1024 octets");
      }
    }
    return expect("");
  }

  bool check_message_fields(const Group& group) {
    if (group.size() != 3 || group[0].name != "Original-Envelope-Id" ||
        group[1].name != "Reporting-MTA" || group[2].name != "Arrival-Date") {
      return fail("wrong per-message fields: " + names_of(group));
    }
    return check_typed(group[1]) && check_date(group[2]);
  }

  bool check_recipient_fields(const Group& group) {
    if (group.size() < 4 || group[0].name != "Original-Recipient" ||
        group[1].name != "Final-Recipient" || group[2].name != "Action" ||
        group[3].name != "Status") {
      return fail("wrong per-recipient fields: " + names_of(group));
    }
    std::size_t i = 4;
    const auto optional = [&group, &i](std::string_view name) {
      const bool there = i < group.size() && group[i].name == name;
      i += there ? 1U : 0U;
      return there;
    };
    const bool remote = optional("Remote-MTA");
    const bool attempted = optional("Last-Attempt-Date");
    const bool retry = optional("Will-Retry-Until");
    if (i != group.size()) {
      return fail("wrong per-recipient fields: " + names_of(group));
    }
    for (std::size_t k = 0; k < group.size(); ++k) {
      if (k != 2 && k != 3 &&
          !(group[k].name.find("-MTA") != std::string::npos || k < 2 ? check_typed(group[k])
                                                                     : check_date(group[k]))) {
        return false;
      }
    }
    return check_combination(group[2].value, group[3].value, remote, attempted, retry);
  }

  // Checks which fields may appear with which action (RFC 3886 §3.3).
  bool check_combination(const std::string& action,
                         const std::string& status,
                         bool remote,
                         bool attempted,
                         bool retry) {
    if (status.size() < 5 || status[1] != '.' ||
        status.find_first_not_of("0123456789.") != std::string::npos) {
      return fail("wrong Status " + status);
    }
    const char status_class = status[0];
    bool right = (status == "2.1.9") == (action == "relayed");
    if (action == "delayed") {
      right = right && status_class == '4' && (attempted || !remote);
    } else if (action == "failed") {
      right = right && (status_class == '4' || status_class == '5') && (attempted || !remote);
    } else if (action == "delivered" || action == "relayed") {
      right = right && status_class == '2' && attempted;
    } else if (action == "expanded") {
      right = right && status_class == '2' && attempted && !remote;
    } else if (action == "transferred") {
      right = right && status_class == '2' && attempted && remote;
    } else if (action == "opaque") {
      right = right && !attempted && !remote;
    } else {
      return fail("unknown Action " + action);
    }
    right = right && (!retry || action == "delayed");
    return right || fail("Action " + action + " with fields it may not have, or without");
  }

  bool check_typed(const Field& field) {
    const std::size_t semicolon = field.value.find(';');
    const std::string type = field.value.substr(0, semicolon);
    if (semicolon == std::string::npos || type.empty() ||
        type.find_first_of(" ()<>@,;:\\\".[]") != std::string::npos) {
      return fail("no type in " + field.name + ": " + field.value);
    }
    return true;
  }

  // Checks that the date has letters and digits where "Mon, 1 Jan 2001 15:15:15 -0500" has them.
  bool check_date(const Field& field) {
    std::string shape;
    for (const char c : field.value) {
      shape += c >= '0' && c <= '9'                               ? '9'
               : (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? 'a'
                                                                  : c;
    }
    for (const std::string_view day : {"9", "99"}) {
      for (const std::string_view sign : {"+", "-"}) {
        if (shape ==
            "aaa, " + std::string(day) + " aaa 9999 99:99:99 " + std::string(sign) + "9999") {
          return true;
        }
      }
    }
    return fail("wrong date in " + field.name + ": " + field.value);
  }

  static bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
  }
  static std::string names_of(const Group& group) {
    std::string names;
    for (const Field& field : group) {
      names += field.name + ' ';
    }
    return names;
  }

  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  CheckedReport result_;
};

}  // namespace mtrk::testing
