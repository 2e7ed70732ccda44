#include "milter/ctl/setup/logical_lines.h"

#include "common/base/ascii.h"

#include <fmt/format.h>

#include <algorithm>

namespace mtrk::setup {

Expected<std::vector<LogicalLine>> logical_lines(std::string_view file) {
  std::vector<LogicalLine> lines;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < file.size();) {
    const std::size_t feed = file.find('\n', begin);
    const std::size_t end = feed == std::string_view::npos ? file.size() : feed + 1;
    const std::string_view line =
        file.substr(begin, (feed == std::string_view::npos ? end : feed) - begin);
    ++number;
    if (line.find('\0') != std::string_view::npos) {
      return fail(ErrorCode::syntax, fmt::format("line {}: holds a NUL", number));
    }
    if (line.ends_with('\r')) {
      return fail(ErrorCode::syntax,
                  fmt::format("line {}: ends with CR LF as on DOS, which Postfix takes for a part "
                              "of the value",
                              number));
    }
    const std::string_view content = trim(line);
    if (!content.empty() && content.front() != '#') {
      const bool continues = is_wsp(line.front());
      if (continues && lines.empty()) {
        return fail(ErrorCode::syntax,
                    fmt::format("line {}: starts with white space, but there is no line that it "
                                "could continue",
                                number));
      }
      if (!continues) {
        lines.push_back({{}, {}, number, begin, end});
      }
      LogicalLine& whole = lines.back();
      for (std::size_t i = 0; i < line.size(); ++i) {
        whole.text.push_back(line[i]);
        whole.at.push_back(begin + i);
      }
      whole.end = end;
    }
    begin = end;
  }
  return lines;
}

std::string apply_edits(std::string_view file, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string text;
  std::size_t from = 0;
  for (const Edit& edit : edits) {
    text.append(file.substr(from, edit.begin - from));
    text.append(edit.text);
    from = edit.end;
  }
  text.append(file.substr(from));
  return text;
}

void take_out(const LogicalLine& line,
              std::size_t begin,
              std::size_t end,
              std::vector<Edit>& edits) {
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t at = line.at[i];
    if (i > begin && edits.back().end == at) {
      ++edits.back().end;
    } else {
      edits.push_back({at, at + 1, {}});
    }
  }
}

}  // namespace mtrk::setup
