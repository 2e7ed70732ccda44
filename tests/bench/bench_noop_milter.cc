// The floor for tracked mail: a libmilter program with the callbacks of mtrk-milter that keeps the
// envelope's ENVID, gives the plain one back with smfi_chgfrom at end of message, and does nothing
// else: no parsing, no capture, no store. Argument: the connection, such as unix:/path.
#include "tests/bench/bench_milter.h"

#include <memory>
#include <string>

namespace {

struct Message {
  std::string sender;
  std::string envelope_id;  // "ENVID=..." without the fold
};

sfsistat on_mail(SMFICTX* context, char** argv) {
  auto message = std::make_unique<Message>();
  message->sender = argv[0];
  for (char** argument = argv + 1; *argument != nullptr; ++argument) {
    const std::string text = *argument;
    const std::size_t fold = text.find(";MTRK:");
    if (fold != std::string::npos) {
      message->envelope_id = text.substr(0, fold);
    }
  }
  if (message->envelope_id.empty()) {
    return SMFIS_ACCEPT;
  }
  delete static_cast<Message*>(smfi_getpriv(context));
  smfi_setpriv(context, message.release());
  return SMFIS_CONTINUE;
}

sfsistat on_rcpt(SMFICTX* /*context*/, char** /*argv*/) {
  return SMFIS_NOREPLY;
}

sfsistat on_data(SMFICTX* /*context*/) {
  return SMFIS_NOREPLY;
}

sfsistat on_eom(SMFICTX* context) {
  auto* const message = static_cast<Message*>(smfi_getpriv(context));
  if (message != nullptr) {
    smfi_chgfrom(context, message->sender.data(), message->envelope_id.data());
  }
  return SMFIS_CONTINUE;
}

sfsistat on_abort(SMFICTX* /*context*/) {
  return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
  delete static_cast<Message*>(smfi_getpriv(context));
  smfi_setpriv(context, nullptr);
  return SMFIS_CONTINUE;
}

}  // namespace

int main(int argc, char** argv) {
  smfiDesc filter{};
  filter.xxfi_envfrom = on_mail;
  filter.xxfi_envrcpt = on_rcpt;
  filter.xxfi_data = on_data;
  filter.xxfi_eom = on_eom;
  filter.xxfi_abort = on_abort;
  filter.xxfi_close = on_close;
  filter.xxfi_negotiate = mtrk::bench::negotiate;
  return mtrk::bench::serve(filter, argc, argv);
}
