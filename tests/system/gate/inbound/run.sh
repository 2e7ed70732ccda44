#!/bin/bash
# mtrk-gate before a real Postfix: MTRK is announced and taken in any order and case, refused where it is
# malformed; the mail system sees the client, not the gate; the next hop sees the plain ENVID; TRACK answers. By the
# PROXY protocol and by XCLIENT, with BDAT and pipelining, and what becomes of it when the milter is dead.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
proxy_port='' xclient_port='' gate_port='' gate2_port=''
for port in proxy_port xclient_port gate_port gate2_port; do free_port "$port"; done
extra_services="127.0.0.1:$proxy_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter= -o syslog_name=postfix/gate
127.0.0.1:$xclient_port inet n - n - - smtpd -o smtpd_authorized_xclient_hosts=127.0.0.0/8 -o smtpd_command_filter= -o syslog_name=postfix/gate"
start_mail_system
gate_config() { # gate_config LISTEN UPSTREAM IDENTIFY
  write_config "[gate.inbound]
listen = [\"127.0.0.1:$1\"]
upstream = \"127.0.0.1:$2\"
identify = \"$3\""
}
gate_config "$gate_port" "$proxy_port" proxy
start_milter
start_mtqpd
start_gate "$gate_port"
direct_port=$smtp_port
smtp_port=$gate_port

# MTRK-2-01, MTRK-2-02, MTRK-2-10: exactly the keyword, and no verb.
printf '%s\n' "EHLO client.example" MTRK QUIT | dialogue smtp "$gate_port" >"$work/ehlo"
grep -qE '^S: 250[- ]MTRK$' "$work/ehlo" || fail "MTRK is not announced: $(cat "$work/ehlo")"
grep -q '^S: 50[0-2]' "$work/ehlo" || fail "MTRK as a verb: $(cat "$work/ehlo")"
for keyword in PIPELINING SIZE 8BITMIME DSN CHUNKING SMTPUTF8 ENHANCEDSTATUSCODES; do
  grep -q "^S: 250[- ]$keyword" "$work/ehlo" || fail "$keyword is lost"
done
! grep -qE 'XCLIENT|XFORWARD|STARTTLS' "$work/ehlo" || fail "announced what is not offered: $(cat "$work/ehlo")"

# submit RECIPIENT MAIL-COMMAND
submit() {
  printf '%s\n' "EHLO client.example" "$2" "RCPT TO:<$1>" DATA "Subject: test" "" Hello . QUIT |
    dialogue smtp "$gate_port" >"$work/smtp.dialogue"
  accepted_message
}

# MTRK-2-04 to -07, MTRK-3-01
submit ok1@partner.example "MAIL FROM:<s@example.net> MTRK=$certifier:3600 RET=HDRS ENVID=one@example.net"
submit alice@example.test "mail from:<s@example.net> envid=two@example.net ret=full mtrk=$certifier"
submit b5a@partner.example "MAIL FROM:<s@example.net> ENVID=three@example.net SIZE=100 Mtrk=$certifier:90000 RET=HDRS"
submit d5a@partner.example "MAIL FROM:<> ENVID=a+2Bb@example.net BODY=8BITMIME MTRK=$certifier"
expect_outcome one@example.net ok1@partner.example relayed 2.1.9 '[127.0.0.1]'
expect_outcome two@example.net alice@example.test delivered 2.0.0 -
expect_outcome three@example.net b5a@partner.example failed 5.1.1 '[127.0.0.1]'
expect_outcome a+2Bb@example.net d5a@partner.example failed 5.7.1 '[127.0.0.1]'

# MTRK-2-08, MTRK-2-09, DSNX-4.2-03, DSNX-4.4-02, DSNX-5.4-01: the lengths of the RFCs.
long_envid=$(printf 'e%.0s' {1..88})@example.net
long_orcpt=rfc822\;$(printf 'o%.0s' {1..493})
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@example.net> MTRK=$certifier:999999999 ENVID=$long_envid" \
  "RCPT TO:<ok8@partner.example> ORCPT=$long_orcpt NOTIFY=SUCCESS,FAILURE,DELAY" DATA "" . QUIT |
  dialogue smtp "$gate_port" >"$work/smtp.dialogue"
accepted_message
expect_outcome "$long_envid" ok8@partner.example relayed 2.1.9 '[127.0.0.1]'

# DSNX-4.5-01, MTRK-3.1-22, MTRK-1-02, DSNX-5.1-02: 501, and the session goes on. MTRK without ENVID is taken,
# not tracked (MTRK-3.2-02).
{
  say "EHLO client.example"
  for words in "MTRK=$certifier MTRK=$certifier ENVID=x@example.net" "MTRK=ab!c ENVID=x@example.net" \
    "MTRK=$certifier:1234567890 ENVID=x@example.net" "MTRK=$certifier ENVID=x@example.net ENVID=y@example.net" \
    "MTRK=$certifier ENVID=a+zz@example.net"; do
    say "MAIL FROM:<s@example.net> $words"
  done
  printf '%s\n' "MAIL FROM:<s@example.net> MTRK=$certifier" RSET QUIT
} | dialogue smtp "$gate_port" >"$work/refused"
[ "$(grep -c '^S: 501 5.5.4' "$work/refused")" -eq 5 ] || fail "malformed MTRK: $(cat "$work/refused")"
[ "$(grep -c '^S: 250 2' "$work/refused")" -eq 2 ] || fail "MTRK without ENVID: $(cat "$work/refused")"

# DSNX-5.1-01: MAIL gets the same reply with ENVID as without. DSNX-4.5-02, DSNX-5.1-03: ORCPT twice, or malformed.
{
  say "EHLO client.example"
  printf '%s\n' "MAIL FROM:<s@example.net>" RSET "MAIL FROM:<s@example.net> ENVID=x@example.net" RSET \
    "MAIL FROM:<s@example.net> ENVID=x@example.net MTRK=$certifier"
  for words in "ORCPT=rfc822;a@b.test ORCPT=rfc822;a@b.test" ORCPT=rfc822 "ORCPT=rfc822;a+zz@b.test"; do say "RCPT TO:<alice@example.test> $words"; done
  printf '%s\n' "RCPT TO:<alice@example.test> ORCPT=rfc822;A+2Bb@b.test" RSET QUIT
} | dialogue smtp "$gate_port" >"$work/refused"
[ "$(grep -c '^S: 250 2.1.0 Ok' "$work/refused")" -eq 3 ] || fail "ENVID changes the reply: $(cat "$work/refused")"
[ "$(grep -c '^S: 501 ' "$work/refused")" -eq 3 ] || fail "malformed ORCPT: $(cat "$work/refused")"
[ "$(grep -c '^S: 250 2.1.5 Ok' "$work/refused")" -eq 1 ] || fail "good ORCPT: $(cat "$work/refused")"

# Pipelined in one segment, BDAT with what looks like commands in it; octets are counted (RFC 3030).
body=$'Subject: chunk\r\n\r\nMAIL FROM:<evil@example.net>\r\n.\r\nx\n.\r\n'
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
smtp_reply >/dev/null
printf 'EHLO client.example\r\n' >&"$socket"
smtp_reply >/dev/null
printf 'MAIL FROM:<s@example.net> MTRK=%s ENVID=bdat@example.net\r\nRCPT TO:<alice@example.test>\r\nBDAT %d LAST\r\n%sQUIT\r\n' \
  "$certifier" "${#body}" "$body" >"$work/pipelined"
cat "$work/pipelined" >&"$socket"
for _ in 1 2 3 4; do smtp_reply; done >"$work/bdat"
exec {socket}>&-
[ "$(grep -c '^S: 250' "$work/bdat")" -eq 3 ] || fail "BDAT: $(cat "$work/bdat")"
grep -q '^S: 221' "$work/bdat" || fail "no answer to what follows the chunk: $(cat "$work/bdat")"
expect_outcome bdat@example.net alice@example.test delivered 2.0.0 -
grep -rq '^MAIL FROM:<evil' "$work/mx/mail/alice" || fail "the chunk is not the message"

# The mail system knows the client by what the gate said: its port is not the gate's.
grep -qE 'postfix/gate/smtpd.*: client=.*\[127\.0\.0\.1\]' "$work/mx/log/maillog" || fail "no client in the log"

stop mtrk-gate
[ "$exit_status" -eq 0 ] || fail "mtrk-gate ended with $exit_status"
gate_config "$gate2_port" "$xclient_port" xclient
start_gate "$gate2_port"
smtp_port=$gate2_port
send_tracked xclient@example.net ok2@partner.example
expect_outcome xclient@example.net ok2@partner.example relayed 2.1.9 '[127.0.0.1]'
printf '%s\n' "EHLO client.example" "XCLIENT ADDR=192.0.2.1" "XFORWARD IDENT=x" QUIT |
  dialogue smtp "$gate2_port" >"$work/xclient"
[ "$(grep -c '^S: 502' "$work/xclient")" -eq 2 ] || fail "a client may say who it is: $(cat "$work/xclient")"

# The mail system's own port remains; gate or not, the next hop sees no fold.
smtp_port=$direct_port
send_tracked direct@example.net ok3@partner.example
expect_outcome direct@example.net ok3@partner.example relayed 2.1.9 '[127.0.0.1]'
for want in 'ENVID=one@example.net' 'ENVID=xclient@example.net' "ENVID=$long_envid" "ORCPT=$long_orcpt"; do
  grep -qF "$want" "$work/next-hop.commands" || fail "the next hop did not see: $want"
done
! grep -i mtrk "$work/next-hop.commands" || fail "the next hop saw the fold"

# With the milter dead the fold stays in ENVID: seen by the next hop, harmless (it is B, never the secret), until the
# milter is back. mtrk-gate(8) says how the outbound half takes it off.
stop mtrk-milter
smtp_port=$gate2_port
send_tracked dead@example.net ok4@partner.example
fold_arrived() { grep -q 'ENVID=dead@example.net;MTRK:' "$work/next-hop.commands"; }
wait_until 15 fold_arrived || fail "mail does not flow without the milter"

! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
