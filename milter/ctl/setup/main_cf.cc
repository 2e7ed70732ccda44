#include "milter/ctl/setup/main_cf.h"

#include "common/base/ascii.h"
#include "milter/ctl/setup/command_filter.h"
#include "milter/ctl/setup/milter_list.h"

#include <fmt/format.h>

#include <utility>

namespace mtrk::setup {
namespace {

constexpr std::string_view kBlockBegin =
    "# Message tracking: `mtrkctl setup postfix` added these lines, `mtrkctl setup --undo` takes "
    "them out.\n";
constexpr std::string_view kBlockEnd = "# End of message tracking.\n";

struct Block {
  std::size_t begin = std::string_view::npos;
  std::size_t end = std::string_view::npos;  // after its last line

  [[nodiscard]] bool there() const { return begin != std::string_view::npos; }
  [[nodiscard]] bool holds(std::size_t at) const { return there() && at >= begin && at < end; }
};

// If somebody removed the end of a block, only the line with its beginning counts as the block.
Block find_block(std::string_view file) {
  Block block;
  block.begin = file.find(kBlockBegin);
  if (block.begin == std::string_view::npos || (block.begin > 0 && file[block.begin - 1] != '\n')) {
    return {};
  }
  const std::size_t end = file.find(kBlockEnd, block.begin);
  block.end =
      end == std::string_view::npos ? block.begin + kBlockBegin.size() : end + kBlockEnd.size();
  return block;
}

struct Detached {
  std::string text;
  std::size_t block_at = std::string::npos;  // where the block was in `text`
};

// Adds the edits for one parameter. Returns true if its whole line is removed.
bool take_out_of(const Parameter& parameter,
                 bool in_block,
                 const std::vector<std::string>& addresses,
                 std::vector<Edit>& edits) {
  if (parameter.name == kMilterParameter) {
    return true;
  }
  if (parameter.name == "smtpd_command_filter") {
    return is_our_command_filter(parameter.value);
  }
  if (parameter.name == "enable_long_queue_ids") {
    return in_block;
  }
  if (!parameter.name.ends_with("_milters")) {
    return false;
  }
  const std::vector<Part> parts = our_parts(parameter.value, addresses);
  if (in_block && parts.size() == 1 && parts.front().begin == 0 &&
      parts.front().end == parameter.value.size()) {
    return true;
  }
  for (const Part& part : parts) {
    // The first part of the list also removes the blank before it, which was inserted with it.
    std::size_t begin = parameter.value_begin + part.begin;
    if (part.begin == 0 && part.end == parameter.value.size()) {
      while (begin > 0 && is_wsp(parameter.line.text[begin - 1])) {
        --begin;
      }
    }
    take_out(parameter.line, begin, parameter.value_begin + part.end, edits);
  }
  return false;
}

Expected<Detached> detach(std::string_view file, const std::vector<std::string>& addresses) {
  const Expected<std::vector<Parameter>> parameters = parse_main_cf(file);
  if (!parameters) {
    return Unexpected(parameters.error());
  }
  const Block block = find_block(file);
  std::vector<Edit> edits;
  for (const Parameter& parameter : *parameters) {
    if (take_out_of(parameter, block.holds(parameter.line.begin), addresses, edits)) {
      edits.push_back({parameter.line.begin, parameter.line.end, {}});
    }
  }
  if (block.there()) {
    edits.push_back({block.begin, block.begin + kBlockBegin.size(), {}});
    if (block.end > block.begin + kBlockBegin.size()) {
      edits.push_back({block.end - kBlockEnd.size(), block.end, {}});
    }
  }
  Detached result{apply_edits(file, edits), std::string::npos};
  if (block.there()) {
    std::size_t at = block.begin;
    for (const Edit& edit : edits) {
      if (edit.begin < block.begin) {
        at -= edit.end - edit.begin;
      }
    }
    result.block_at = at;
  }
  return result;
}

}  // namespace

Expected<std::vector<Parameter>> parse_main_cf(std::string_view file) {
  Expected<std::vector<LogicalLine>> lines = logical_lines(file);
  if (!lines) {
    return Unexpected(lines.error());
  }
  std::vector<Parameter> parameters;
  for (LogicalLine& line : *lines) {
    const std::size_t equals = line.text.find('=');
    if (equals == std::string::npos || trim(line.text.substr(0, equals)).empty()) {
      return fail(ErrorCode::syntax, fmt::format("line {}: \"{}\" is no \"name = value\"",
                                                 line.number, escape_for_people(line.text, 40)));
    }
    Parameter parameter;
    parameter.name = trim(std::string_view(line.text).substr(0, equals));
    std::size_t begin = equals + 1;
    std::size_t end = line.text.size();
    while (end > begin && is_wsp(line.text[end - 1])) {
      --end;
    }
    while (begin < end && is_wsp(line.text[begin])) {
      ++begin;
    }
    if (begin == end) {
      begin = end = equals + 1;
    }
    parameter.value = line.text.substr(begin, end - begin);
    parameter.value_begin = begin;
    parameter.value_end = end;
    parameter.line = std::move(line);
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

const Parameter* find_parameter(const std::vector<Parameter>& parameters, std::string_view name) {
  const Parameter* found = nullptr;
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) {
      found = &parameter;
    }
  }
  return found;
}

Expected<std::string> attach_main_cf(std::string_view file, const Attachment& attachment) {
  Expected<Detached> clean = detach(file, attachment.addresses);
  if (!clean) {
    return Unexpected(clean.error());
  }
  std::string& text = clean->text;
  if (!text.empty() && text.back() != '\n') {
    text.push_back('\n');
  }
  const Expected<std::vector<Parameter>> parameters = parse_main_cf(text);
  if (!parameters) {
    return Unexpected(parameters.error());
  }
  std::string block(kBlockBegin);
  block += fmt::format("{} = {}\n", kMilterParameter, attachment.milter);
  std::vector<Edit> edits;
  if (const Parameter* list = find_parameter(*parameters, "smtpd_milters"); list == nullptr) {
    block += fmt::format("smtpd_milters = {}\n", kMilterReference);
  } else if (!braces_match(list->value)) {
    return fail(ErrorCode::syntax, fmt::format("line {}: the braces of smtpd_milters do not match",
                                               list->line.number));
  } else {
    const std::size_t at = list->line.at[list->value_end - 1] + 1;
    edits.push_back(
        {at, at, fmt::format("{} {}", list->value.empty() ? "" : ",", kMilterReference)});
  }
  if (attachment.command_filter) {
    if (const Parameter* own = find_parameter(*parameters, "smtpd_command_filter");
        own == nullptr || own->value.empty()) {
      block += fmt::format("smtpd_command_filter = {}\n", inline_command_filter());
    }
  }
  if (find_parameter(*parameters, "enable_long_queue_ids") == nullptr) {
    block += "enable_long_queue_ids = yes\n";
  }
  block += kBlockEnd;
  const std::size_t at = clean->block_at <= text.size() ? clean->block_at : text.size();
  edits.push_back({at, at, block});
  return apply_edits(text, edits);
}

Expected<std::string> detach_main_cf(std::string_view file,
                                     const std::vector<std::string>& addresses) {
  Expected<Detached> clean = detach(file, addresses);
  if (!clean) {
    return Unexpected(clean.error());
  }
  return std::move(clean->text);
}

}  // namespace mtrk::setup
