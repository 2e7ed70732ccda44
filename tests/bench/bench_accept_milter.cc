// The floor for untracked mail: a libmilter program that looks at MAIL and answers ACCEPT, so that
// the MTA shows it nothing more of the message. Argument: the connection, such as unix:/path.
#include "tests/bench/bench_milter.h"

namespace {

sfsistat on_mail(SMFICTX* /*context*/, char** /*argv*/) {
  return SMFIS_ACCEPT;
}

}  // namespace

int main(int argc, char** argv) {
  smfiDesc filter{};
  filter.xxfi_envfrom = on_mail;
  filter.xxfi_negotiate = mtrk::bench::negotiate;
  return mtrk::bench::serve(filter, argc, argv);
}
