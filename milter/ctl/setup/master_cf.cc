#include "milter/ctl/setup/master_cf.h"

#include "common/base/ascii.h"
#include "milter/ctl/setup/milter_list.h"
#include "milter/ctl/setup/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mtrk::setup {
namespace {

constexpr std::size_t kFields = 8;

// Parses name=value or { name = value } at `offset` of the line.
std::optional<Override> parse_override(const Word& word, std::string_view line) {
  std::size_t begin = word.begin;
  std::size_t end = word.end;
  if (line[begin] == '{' && line[end - 1] == '}' && end - begin >= 2) {
    ++begin;
    --end;
  }
  const auto shrink = [&] {
    while (begin < end && is_wsp(line[begin])) {
      ++begin;
    }
    while (end > begin && is_wsp(line[end - 1])) {
      --end;
    }
  };
  shrink();
  const std::size_t equals = line.substr(0, end).find('=', begin);
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  Override result;
  result.name = trim(line.substr(begin, equals - begin));
  begin = equals + 1;
  shrink();
  result.value = line.substr(begin, end - begin);
  result.value_begin = begin;
  result.value_end = end;
  return result;
}

std::vector<Override> parse_overrides(const std::vector<Word>& words, std::string_view line) {
  std::vector<Override> overrides;
  for (std::size_t i = kFields; i < words.size(); ++i) {
    Word option = words[i];
    if (option.text == "-o") {
      if (++i >= words.size()) {
        break;
      }
      option = words[i];
    } else if (option.text.starts_with("-o")) {
      option.begin += 2;
    } else {
      continue;
    }
    if (std::optional<Override> parsed = parse_override(option, line)) {
      overrides.push_back(std::move(*parsed));
    }
  }
  return overrides;
}

Expected<std::string> edit_master_cf(std::string_view file,
                                     const std::vector<std::string>& addresses,
                                     const std::vector<std::string>* attach_unless) {
  const Expected<std::vector<SmtpdService>> services = parse_master_cf(file);
  if (!services) {
    return Unexpected(services.error());
  }
  std::vector<Edit> edits;
  for (const SmtpdService& service : *services) {
    const Override* list = service.find("smtpd_milters");
    if (list == nullptr || list->value.empty()) {
      continue;
    }
    if (attach_unless != nullptr && !braces_match(list->value)) {
      return fail(
          ErrorCode::syntax,
          fmt::format("line {}: the braces of smtpd_milters do not match", service.line.number));
    }
    const std::vector<Part> parts = our_parts(list->value, addresses);
    for (const Part& part : parts) {
      take_out(service.line, list->value_begin + part.begin, list->value_begin + part.end, edits);
    }
    const std::vector<std::string> names = references(list->value);
    const bool by_reference = attach_unless != nullptr &&
                              std::any_of(names.begin(), names.end(), [&](const std::string& name) {
                                return std::find(attach_unless->begin(), attach_unless->end(),
                                                 name) != attach_unless->end();
                              });
    if (attach_unless != nullptr && !by_reference) {
      const std::size_t at = service.line.at[list->value_end - 1] + 1;
      // The reference is written without a blank, which would end an option without braces.
      const bool alone =
          parts.size() == 1 && parts.front().begin == 0 && parts.front().end == list->value.size();
      edits.push_back({at, at, fmt::format("{}{}", alone ? "" : ",", kMilterReference)});
    }
  }
  return apply_edits(file, edits);
}

}  // namespace

const Override* SmtpdService::find(std::string_view parameter) const {
  const Override* found = nullptr;
  for (const Override& one : overrides) {
    if (one.name == parameter) {
      found = &one;
    }
  }
  return found;
}

bool SmtpdService::is_local() const {
  return type != "inet" || name.starts_with("127.") || name.starts_with("localhost:") ||
         name.starts_with("[::1]:");
}

Expected<std::vector<SmtpdService>> parse_master_cf(std::string_view file) {
  Expected<std::vector<LogicalLine>> lines = logical_lines(file);
  if (!lines) {
    return Unexpected(lines.error());
  }
  std::vector<SmtpdService> services;
  for (LogicalLine& line : *lines) {
    const std::vector<Word> words = split_words(line.text, kBlanks);
    if (words.size() < kFields) {
      return fail(ErrorCode::syntax, fmt::format("line {}: \"{}\" has less than eight fields",
                                                 line.number, escape_for_people(line.text, 40)));
    }
    if (words[7].text != "smtpd") {
      continue;
    }
    SmtpdService service;
    service.name = words[0].text;
    service.type = words[1].text;
    service.chroot = words[4].text == "y";
    service.overrides = parse_overrides(words, line.text);
    service.line = std::move(line);
    services.push_back(std::move(service));
  }
  return services;
}

Expected<std::string> attach_master_cf(std::string_view file,
                                       const std::vector<std::string>& addresses,
                                       const std::vector<std::string>& has_ours) {
  return edit_master_cf(file, addresses, &has_ours);
}

Expected<std::string> detach_master_cf(std::string_view file,
                                       const std::vector<std::string>& addresses) {
  return edit_master_cf(file, addresses, nullptr);
}

}  // namespace mtrk::setup
