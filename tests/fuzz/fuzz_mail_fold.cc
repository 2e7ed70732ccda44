// Any MAIL command: what is folded is not folded again, can be unfolded to what it was but for
// MTRK=, and never has two certifiers; what goes out has no fold.
#include "common/base/ascii.h"
#include "milter/gate/session/mail_fold.h"
#include "tests/fuzz/gate_player.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mtrk::smtp::RewrittenMail;
  const std::string line = "MAIL FROM:" + std::string(data, data + size);
  const RewrittenMail mail = mtrk::smtp::fold_mail(line);
  if (mail.kind == RewrittenMail::Kind::folded || mail.kind == RewrittenMail::Kind::dropped) {
    const auto command = mtrk::smtp::parse_path_command(mail.line);
    mtrk::require(command.has_value());
    mtrk::require(command->count("MTRK") == 0);
    mtrk::require(mtrk::smtp::fold_mail(mail.line).kind == RewrittenMail::Kind::verbatim);
  }
  if (mail.kind == RewrittenMail::Kind::folded) {
    mtrk::require(mtrk::smtp::unfold_mail(mail.line, nullptr) ==
                  mtrk::smtp::unfold_mail(line, nullptr));
    const std::string envid = mtrk::smtp::plain_envid(mail.line);
    mtrk::require(!envid.empty() && !mtrk::split_folded_envid(envid).folded);
  }
  const std::string out = mtrk::smtp::unfold_mail(line, nullptr);
  if (const auto command = mtrk::smtp::parse_path_command(out)) {
    mtrk::require(command->count("MTRK") == 0);
    for (const auto& parameter : command->parameters) {
      mtrk::require(!mtrk::iequals(parameter.keyword, "ENVID") ||
                    !mtrk::split_folded_envid(parameter.value).folded);
    }
  }
  return 0;
}
