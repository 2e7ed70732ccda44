// The words of MAIL and RCPT as a milter gets them, one a line of the input.
#include "common/track/mail_params.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string word(text.substr(0, end));
    words.emplace_back(word.c_str());  // a C string ends at its first NUL
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> words = words_of({reinterpret_cast<const char*>(data), size});
  std::vector<const char*> argv;
  for (const std::string& word : words) {
    argv.push_back(word.c_str());
  }
  argv.push_back(nullptr);

  const mtrk::MailParams params = mtrk::parse_mail_params(argv.data());
  check(!params.mentions_mtrk || mtrk::may_carry_mtrk(argv.data()));
  check(!params.folded || (params.mentions_mtrk && params.envid));
  check(params.mentions_mtrk == (params.tracking || !params.refusal.empty()));
  check(!(params.tracking && !params.refusal.empty()));
  if (params.folded) {
    // What is given back is one line of the words that came, at most.
    const std::string restored = mtrk::restored_arguments(params, mtrk::Forgotten::all);
    check(
        std::all_of(restored.begin(), restored.end(), [](char c) { return c >= ' ' && c < 127; }));
    check(std::count(restored.begin(), restored.end(), ' ') + 1 < std::ssize(argv) - 1);
    const std::string shorter = mtrk::restored_arguments(params, mtrk::Forgotten::envid_and_ret);
    check(restored.starts_with(shorter) && std::count(shorter.begin(), shorter.end(), ' ') <= 1);
  }
  if (params.tracking) {
    check(mtrk::EnvelopeId::parse_xtext(*params.envid)->decoded() ==
          params.tracking->envelope_id.decoded());
  }
  const mtrk::RcptParams rcpt = mtrk::parse_rcpt_params(argv.data());
  check(argv[0] == nullptr || (!rcpt.original.type.empty() && !rcpt.final.type.empty()));
  return 0;
}
