#include "milter/gate/session/onward.h"

#include "common/base/ascii.h"
#include "common/smtp/command.h"
#include "milter/gate/session/client_identity.h"
#include "milter/gate/session/ehlo_rewrite.h"

#include <algorithm>
#include <utility>

namespace mtrk::smtp {

void GateOnwardSession::take_xforward(std::string_view line) {
  if (std::optional<std::string> ident = find_attribute(line, "IDENT")) {
    ident_ = std::move(ident);
  }
  answer("250 2.0.0 Ok");
}

void GateOnwardSession::begin_transaction(std::string_view line, std::string_view plain) {
  const Expected<PathCommand> command = parse_path_command(line);
  transaction_ = {};
  transaction_.queue_id = ident_.value_or("");
  transaction_.sender = command ? std::string(command->path) : "";
  transaction_.envid = plain_envid(plain);
  if (const std::optional<MtrkParam> fold = ident_ ? std::nullopt : folded_mtrk(line)) {
    transaction_.certifier = fold->certifier;
  }
}

void GateOnwardSession::add_recipient(std::string_view line) {
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command) {
    return;
  }
  const Parameter* orcpt = command->find("ORCPT");
  transaction_.recipients.push_back(
      {std::string(command->path), orcpt == nullptr ? "" : std::string(orcpt->value)});
}

bool GateOnwardSession::worth_asking(bool takes_mtrk) {
  transaction_.takes_mtrk = takes_mtrk;
  return may_be_known() &&
         (takes_mtrk || (!transaction_.envid.empty() && is_list_owner(transaction_.sender)));
}

void GateOnwardSession::end_passing(const Reply& reply) {
  constexpr std::size_t kMostOfAReply = 160;
  if (reply.positive()) {
    ++passed_on_;
    note({std::move(passing_id_), "passed on"});
  } else {
    std::string text = reply.text().substr(0, kMostOfAReply);
    std::replace(text.begin(), text.end(), '"', '\'');
    note({std::move(passing_id_), "refused", "reply", '"' + text + '"'});
  }
  passing_id_.clear();
}

Reply GateOnwardSession::tagged(Reply reply, bool transferred) const {
  if (next_hop_.address.empty()) {
    return reply;
  }
  GateTag tag = next_hop_;
  tag.transferred = transferred && reply.positive();
  reply.lines.front() = insert_gate_tag(reply.lines.front(), tag);
  return reply;
}

std::string GateOnwardSession::tagged_refusal(Reply reply) const {
  std::string text = format_reply(tagged(std::move(reply), false));
  text.resize(text.size() - 2);  // CRLF
  return text;
}

}  // namespace mtrk::smtp
