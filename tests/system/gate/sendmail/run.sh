#!/bin/bash
# mtrk-gate before a real Sendmail, which refuses MTRK= itself and cannot be told who the client is: MTRK is announced and
# taken, the next hop sees the plain ENVID, TRACK answers; clients of other networks do not get through. Behind it the gate
# takes the fold off that a dead milter leaves.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
gate_port='' out_port=''
free_port gate_port
free_port out_port
# What goes to dead.example leaves through the outbound gate.
start_sendmail_system "define(\`SMTP8_MAILER_ARGS', \`TCP \$h $out_port')dnl"
gate_config() { # gate_config NETWORKS
  write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$smtp_port\"
identify = \"none\"
networks = [$1]
[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"127.0.0.1:$next_hop_port\""
}
gate_config '"127.0.0.0/8"'
start_milter
start_mtqpd
start_gate "$gate_port" "$out_port"

printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=x@client.example MTRK=$certifier" QUIT |
  dialogue smtp "$smtp_port" >"$work/direct"
grep -q '^S: 555' "$work/direct" || fail "Sendmail took MTRK: $(cat "$work/direct")"
printf '%s\n' "EHLO client.example" QUIT | dialogue smtp "$gate_port" >"$work/ehlo"
grep -qE '^S: 250[- ]MTRK$' "$work/ehlo" || fail "MTRK is not announced: $(cat "$work/ehlo")"

# submit RECIPIENT MAIL-COMMAND
submit() {
  printf '%s\n' "EHLO client.example" "$2" "RCPT TO:<$1>" DATA "Subject: test" "" Hello . QUIT |
    dialogue smtp "$gate_port" >"$work/smtp.dialogue"
  accepted_message
}
# MTRK-2-01, MTRK-2-04 to -07, MTRK-3-01, MTRK-3.3-05, DSNX-5.1-01
submit ok1@partner.example "MAIL FROM:<s@client.example> MTRK=$certifier:86400 RET=HDRS ENVID=one@client.example"
submit alice@mx.example.test "MAIL FROM:<s@client.example> envid=two@client.example mtrk=$certifier"
submit b5a@partner.example "MAIL FROM:<s@client.example> ENVID=three@client.example MTRK=$certifier"
expect_outcome one@client.example ok1@partner.example relayed 2.1.9 mx1.partner.example
expect_outcome two@client.example alice@mx.example.test delivered 2.0.0 -
expect_outcome three@client.example b5a@partner.example failed 5.1.1 mx1.partner.example

# Several messages in one session, pipelined; a malformed one in between leaves nothing behind (no ENVID of before).
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=bad@client.example MTRK=!" \
  "MAIL FROM:<s@client.example> ENVID=four@client.example MTRK=$certifier" "RCPT TO:<ok4@partner.example>" DATA "" . QUIT |
  dialogue smtp "$gate_port" >"$work/smtp.dialogue"
grep -q '^S: 501 5.5.4' "$work/smtp.dialogue" || fail "a malformed MTRK was taken: $(cat "$work/smtp.dialogue")"
accepted_message
expect_outcome four@client.example ok4@partner.example relayed 2.1.9 mx1.partner.example
grep -q 'ENVID=one@client.example' "$work/next-hop.commands" || fail "ENVID did not go on"
! grep -i mtrk "$work/next-hop.commands" || fail "the next hop saw the fold"

# Behind, nothing tells the message (gate/sendmail-both-ways has leave_fold): no MTRK (MTRK-3.3-02), ENVID goes on (MTRK-3.3-03); no milter, and yet no fold goes out.
for state in alive dead; do
  [ "$state" = alive ] || stop mtrk-milter
  submit "ok-$state@dead.example" "MAIL FROM:<s@client.example> MTRK=$certifier:86400 RET=HDRS ENVID=$state@client.example"
  went_out() { grep -qE "^MAIL .* ENVID=$state@client.example( |\$)" "$work/next-hop.commands"; }
  wait_until 20 went_out || fail "no mail with a plain ENVID: $(cat "$work/next-hop.commands")"
done
! grep -i mtrk "$work/next-hop.commands" || fail "the next hop saw the fold"

# For Sendmail every client of the gate is this host: others are turned away.
gate_config '"192.0.2.0/24"'
kill -HUP "${pids[mtrk-gate]}"
reloaded() { grep -q 'mtrk-gate=reloaded' "$work/mtrk-gate.log"; }
wait_until 10 reloaded || fail "no reload"
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 10 line <&"$socket" || fail "no answer"
exec {socket}>&-
case $line in 554*) ;; *) fail "a stranger got: $line" ;; esac
pass
