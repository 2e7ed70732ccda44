#include "milter/gate/session/mail_fold.h"

#include "common/base/ascii.h"
#include "common/track/envelope_id.h"

#include <vector>

namespace mtrk::smtp {
namespace {

constexpr std::string_view kMtrk = "MTRK";
constexpr std::string_view kEnvid = "ENVID";

// Writes some parameters of the line anew: `text` replaces the octets [begin, end).
struct Edit {
  std::size_t begin;
  std::size_t end;
  std::string text;
};
std::string edited(std::string_view line, const std::vector<Edit>& edits) {
  std::string result;
  std::size_t at = 0;
  for (const Edit& edit : edits) {  // in the order of the line
    result.append(line.substr(at, edit.begin - at)).append(edit.text);
    at = edit.end;
  }
  return result.append(line.substr(at));
}

Edit replace_value(std::string_view line, const Parameter& parameter, std::string_view value) {
  const auto begin = static_cast<std::size_t>(parameter.value.data() - line.data());
  return {begin, parameter.end, std::string(value)};
}

RewrittenMail refused(std::string why) {
  return {RewrittenMail::Kind::refused, {}, std::move(why)};
}

// Returns why a well-formed MTRK cannot be folded; empty if it can.
std::string obstacle(const PathCommand& command, const Parameter* envid) {
  if (envid == nullptr) {
    return "no ENVID";  // MTRK-3.2-02
  }
  if (command.count(kEnvid) > 1) {
    return "ENVID twice";  // the server refuses the command (DSNX-4.5-01)
  }
  const Expected<EnvelopeId> id = EnvelopeId::parse_xtext(envid->value);
  return id ? std::string() : id.error().detail;  // MTRK-3.2-03
}

}  // namespace

RewrittenMail fold_mail(std::string_view line) {
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command) {
    return {};
  }
  const Parameter* mtrk = command->find(kMtrk);
  if (mtrk == nullptr) {
    return {};
  }
  if (command->count(kMtrk) > 1) {
    return refused("MTRK twice");
  }
  const Expected<MtrkParam> param = parse_mtrk_param(mtrk->value);
  if (!param && param.error().code != ErrorCode::out_of_range) {
    return refused(param.error().detail);
  }
  const Parameter* envid = command->find(kEnvid);
  if (envid != nullptr && split_folded_envid(envid->value).folded) {
    return refused("MTRK both plain and folded into ENVID");
  }
  std::vector<Edit> edits;
  if (std::string why = param ? obstacle(*command, envid) : param.error().detail; !why.empty()) {
    edits.push_back({mtrk->begin, mtrk->end, {}});
    return {RewrittenMail::Kind::dropped, edited(line, edits), std::move(why)};
  }
  const Edit taken{mtrk->begin, mtrk->end, {}};
  const Edit folded = replace_value(line, *envid, fold_envid(envid->value, *param));
  edits = mtrk->begin < envid->begin ? std::vector{taken, folded} : std::vector{folded, taken};
  return {RewrittenMail::Kind::folded, edited(line, edits), {}};
}

std::string unfold_mail(std::string_view line, const Onward* onward) {
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command) {
    return std::string(line);
  }
  std::vector<Edit> edits;
  bool has_envid = false;
  for (const Parameter& parameter : command->parameters) {
    if (iequals(parameter.keyword, kMtrk)) {
      edits.push_back({parameter.begin, parameter.end, {}});
    } else if (iequals(parameter.keyword, kEnvid)) {
      std::string_view plain = parameter.value;
      // A client may have appended one fold to another; none of them may go out.
      for (FoldedEnvid split = split_folded_envid(plain); split.folded;
           split = split_folded_envid(plain)) {
        plain = split.plain;
      }
      if (plain.empty()) {
        edits.push_back({parameter.begin, parameter.end, {}});
        continue;
      }
      has_envid = true;
      if (plain.size() != parameter.value.size()) {
        edits.push_back(replace_value(line, parameter, plain));
      }
    }
  }
  std::string result = edited(line, edits);
  if (onward != nullptr) {
    if (!has_envid) {
      result.append(" ENVID=").append(onward->envid);
    }
    result.append(" MTRK=").append(format_mtrk_param(onward->mtrk));
  }
  return result;
}

std::string without_envid(std::string_view line) {
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command) {
    return std::string(line);
  }
  std::vector<Edit> edits;
  for (const Parameter& parameter : command->parameters) {
    if (iequals(parameter.keyword, kEnvid)) {
      edits.push_back({parameter.begin, parameter.end, {}});
    }
  }
  return edited(line, edits);
}

std::optional<MtrkParam> folded_mtrk(std::string_view line) {
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command || command->count(kEnvid) != 1) {
    return std::nullopt;
  }
  const FoldedEnvid split = split_folded_envid(command->find(kEnvid)->value);
  if (!split.folded) {
    return std::nullopt;
  }
  const Expected<MtrkParam> mtrk = parse_folded_mtrk(*split.folded);
  return mtrk ? std::optional(*mtrk) : std::nullopt;
}

std::string plain_envid(std::string_view line) {
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command || command->count(kEnvid) != 1) {
    return {};
  }
  return std::string(split_folded_envid(command->find(kEnvid)->value).plain);
}

}  // namespace mtrk::smtp
