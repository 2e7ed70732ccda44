#include "common/track/mail_params.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk {
namespace {

constexpr std::string_view kEnvidPrefix = "ENVID=";

struct Word {
  std::string_view keyword;
  std::string_view value;
};

Word split_word(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    return {word, {}};
  }
  return {word.substr(0, equals), word.substr(equals + 1)};
}

bool is_other(const Word& word) {
  return iequals(word.keyword, "BODY") || iequals(word.keyword, "AUTH") ||
         iequals(word.keyword, "BY") || iequals(word.keyword, "SMTPUTF8");
}

// Holds the words of MAIL before they are judged. The first of a repeated word counts; the
// repetition is a reason for refusal of its own.
struct Found {
  std::size_t envids = 0;
  std::size_t mtrks = 0;
  std::string_view envid;  // with the fold, if there is one
  std::string_view mtrk;
  std::string_view ret;
  std::vector<std::string> others;

  void take(std::string_view text) {
    const Word word = split_word(text);
    if (iequals(word.keyword, "ENVID")) {
      envid = envids++ == 0 ? word.value : envid;
    } else if (iequals(word.keyword, "MTRK")) {
      mtrk = mtrks++ == 0 ? word.value : mtrk;
    } else if (iequals(word.keyword, "RET") &&
               (iequals(word.value, "FULL") || iequals(word.value, "HDRS"))) {
      ret = word.value;  // no other value may get into the arguments that are passed again
    } else if (is_other(word) && std::all_of(text.begin(), text.end(), is_vchar)) {
      others.emplace_back(text);
    }
  }
};

std::string_view refusal_of_combination(const Found& found, const FoldedEnvid& envid) {
  if (found.mtrks > 1) {
    return "MTRK twice";
  }
  if (found.mtrks == 1 && envid.folded) {
    return "MTRK both plain and folded into ENVID";
  }
  if (found.envids > 1) {
    return "ENVID twice";
  }
  if (envid.plain.empty()) {
    return "no ENVID";  // MTRK-3.2-02
  }
  return {};
}

void decide_tracking(const Found& found, const FoldedEnvid& envid, MailParams& params) {
  params.refusal = refusal_of_combination(found, envid);
  if (!params.refusal.empty()) {
    return;
  }
  const Expected<MtrkParam> mtrk =
      envid.folded ? parse_folded_mtrk(*envid.folded) : parse_mtrk_param(found.mtrk);
  if (!mtrk) {
    params.refusal = mtrk.error().detail;
    return;
  }
  Expected<EnvelopeId> envelope_id = EnvelopeId::parse_xtext(envid.plain);
  if (!envelope_id) {
    params.refusal = envelope_id.error().detail;
    return;
  }
  params.tracking = MailParams::Tracking{*std::move(envelope_id), *mtrk};
}

}  // namespace

bool may_carry_mtrk(const char* const* argv) {
  if (argv[0] == nullptr) {
    return false;
  }
  for (const char* const* word = argv + 1; *word != nullptr; ++word) {
    const char first = to_lower(**word);
    if (first == 'm' && istarts_with(*word, "MTRK")) {
      return true;
    }
    if (first == 'e' && istarts_with(*word, kEnvidPrefix) &&
        split_filtered_envid(std::string_view(*word).substr(kEnvidPrefix.size())).folded) {
      return true;
    }
  }
  return false;
}

MailParams parse_mail_params(const char* const* argv) {
  MailParams params;
  if (argv[0] == nullptr) {
    return params;
  }
  params.sender = argv[0];
  Found found;
  for (const char* const* word = argv + 1; *word != nullptr; ++word) {
    found.take(*word);
  }
  if (!found.ret.empty()) {
    params.ret = found.ret;
  }
  params.others = std::move(found.others);
  // If MTRK itself is present, no command filter was involved.
  const FoldedEnvid envid =
      found.mtrks > 0 ? split_folded_envid(found.envid) : split_filtered_envid(found.envid);
  // An ENVID that consists of the fold alone is not restored, because no MTA can be told to have
  // none.
  const bool restorable =
      !envid.plain.empty() && std::all_of(envid.plain.begin(), envid.plain.end(), is_vchar);
  params.folded = envid.folded && restorable;
  if (found.envids > 0) {
    params.envid = params.folded ? envid.plain : found.envid;
  }
  params.mentions_mtrk = found.mtrks > 0 || envid.folded;
  if (params.mentions_mtrk) {
    decide_tracking(found, envid, params);
  }
  return params;
}

std::string restored_arguments(const MailParams& params, Forgotten forgotten) {
  std::string arguments;
  const auto add = [&arguments](std::string_view keyword, std::string_view value) {
    arguments.append(arguments.empty() ? "" : " ").append(keyword).append(value);
  };
  if (params.envid) {
    add(kEnvidPrefix, *params.envid);
  }
  if (params.ret) {
    add("RET=", *params.ret);
  }
  if (forgotten == Forgotten::all) {
    for (const std::string& word : params.others) {
      add(word, {});
    }
  }
  return arguments;
}

RcptParams parse_rcpt_params(const char* const* argv) {
  RcptParams params;
  if (argv[0] == nullptr) {
    return params;
  }
  params.final = address_from_rcpt(argv[0]);
  params.original = params.final;
  for (const char* const* word = argv + 1; *word != nullptr; ++word) {
    const Word orcpt = split_word(*word);
    if (!iequals(orcpt.keyword, "ORCPT")) {
      continue;
    }
    if (Expected<TypedAddress> original = parse_orcpt(orcpt.value)) {
      params.original = *std::move(original);
    }
    break;
  }
  return params;
}

}  // namespace mtrk
