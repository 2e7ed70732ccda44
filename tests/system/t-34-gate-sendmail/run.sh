#!/bin/bash
# mtrk-gate before a real Sendmail, which refuses MTRK= itself and cannot be told who the client is: MTRK is announced and
# taken, the next hop sees the plain ENVID, TRACK answers; clients of other networks do not get through.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
begin
gate_port=''
free_port gate_port
start_sendmail_system
gate_config() { # gate_config NETWORKS
  write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$smtp_port\"
identify = \"none\"
networks = [$1]"
}
gate_config '"127.0.0.0/8"'
start_milter
start_mtqpd
start_gate "$gate_port"

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
