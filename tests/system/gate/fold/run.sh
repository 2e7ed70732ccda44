#!/bin/bash
# The fold is between gate, mail system and milter, and nowhere else. With mtrk-milter killed or stopped at every step of a
# message, or not there at all, it stays in the queue, and the outbound gate takes it off: no next hop sees it. Where it
# is seen in spite of that, as mtrk-gate(8) has it: in reports, and at next hops that are not reached by the gate.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
gate_port='' upstream_port='' out_port=''
for port in gate_port upstream_port out_port next_hop_port; do free_port "$port"; done
extra_services="127.0.0.1:$upstream_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter=
mtrkout unix - - n - - smtp -o smtp_send_xforward_command=yes"
start_mail_system "transport_maps = inline:{ partner.example=mtrkout:[127.0.0.1]:$out_port, direct.example=smtp:[127.0.0.1]:$next_hop_port }" \
  "relay_domains = partner.example, direct.example"
write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$upstream_port\"
[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"127.0.0.1:$next_hop_port\""
start_milter
start_mtqpd
start_gate "$gate_port" "$out_port"
smtp_port=$gate_port
arrived() { grep -q "RCPT TO:<$1>" "$work/next-hop.commands"; }
comes() { wait_until 20 arrived "$1" || fail "the mail to $1 does not arrive"; }

# Within a message: Postfix has asked the milter about it, and then it is gone, or does not answer.
for signal in KILL STOP; do
  for reply in '250 2.1.0' '250 2.1.5' 354; do
    id=${signal,,}-${reply##*.}
    hit_after "$reply" "$signal" "$id@client.example" "ok-$id@partner.example"
    stop mtrk-milter KILL
    comes "ok-$id@partner.example"
    start_milter
  done
done

# The log position was kept: the next message is tracked as ever.
send_tracked again@client.example ok-again@partner.example
expect_outcome again@client.example ok-again@partner.example relayed 2.1.9 '[127.0.0.1]'

# Not there at all, as a long time before; and back before the mail leaves: what was queued with the fold leaves without.
stop mtrk-milter
send_tracked dead@client.example ok-dead@partner.example
comes ok-dead@partner.example
postfix_run postconf -e "defer_transports = mtrkout"
postfix_run postfix reload >/dev/null 2>&1
send_tracked queued@client.example ok-queued@partner.example
deferred() { postfix_run postqueue -j | shows '"queue_name": "deferred".*ok-queued@'; }
wait_until 15 deferred || fail "not deferred"
start_milter
postfix_run postconf -e "defer_transports ="
postfix_run postfix reload >/dev/null 2>&1
postfix_run postqueue -f
comes ok-queued@partner.example
for id in again dead queued; do grep -qE "^MAIL .* ENVID=$id@client.example( |\$)" "$work/next-hop.commands" || fail "the ENVID of $id is not plain"; done
! grep -i mtrk "$work/next-hop.commands" || fail "the next hop saw the fold"

# The bound: what does not leave by the gate, and reports, show the certifier as long as there is no milter; never the secret.
stop mtrk-milter
send_tracked bound@client.example ok-bound@direct.example
comes ok-bound@direct.example
grep -q "ENVID=bound@client.example;MTRK:" "$work/next-hop.commands" || fail "the manual says that a fold is seen here"
printf '%s\n' "EHLO client.example" "MAIL FROM:<alice@example.test> MTRK=$certifier ENVID=report@client.example" "RCPT TO:<b5-x@partner.example>" \
  DATA "Subject: test" "" Hello . QUIT | dialogue smtp "$gate_port" >"$work/smtp.dialogue"
accepted_message
reported() { grep -rqi '^Original-Envelope-Id: report@client.example;MTRK:' "$work/mx/mail/alice"; }
wait_until 15 reported || fail "the manual says that reports name it: $(cat "$work"/mx/mail/alice/new/* 2>/dev/null)"
[ "$(grep -ci ';mtrk:' "$work/next-hop.commands")" -eq 1 ] || fail "more than the one fold: $(grep -i ';mtrk:' "$work/next-hop.commands")"
! grep -rF "$secret" "$work/mx/mail" "$work/next-hop.commands" || fail "the secret is somewhere"
pass
