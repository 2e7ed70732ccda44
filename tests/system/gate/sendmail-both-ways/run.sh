#!/bin/bash
# mtrk-gate on both sides of a real Sendmail, which cannot tell the gate a queue id: the milter leaves the fold of tracked
# mail, and the gate knows it by that. MTRK= with the remaining time to a next hop that announces it, "transferred" with
# the true next hop by TRACK; none where it was expanded, for lists, for a fold the store does not know; the fold goes off
# in any case. Then next hops by MX. The set-up is contrib/sendmail/mtrk-gate.m4.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
gate_port='' out_port='' hop_port='' mx_port=''
free_port gate_port
free_port out_port
free_port hop_port
free_port mx_port
mailertable='' # all goes to the smart host
start_sendmail_system "$(sed "s/10023/$out_port/" "$top/contrib/sendmail/mtrk-gate.m4")"
start hop "$MTRK_BIN/fake_next_hop" --port "$hop_port" --log "$work/hop.commands" --mtrk
wait_until 10 answers "$hop_port" || fail "no next hop"
gate_config() { # gate_config NEXTHOP...
  write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$smtp_port\"
identify = \"none\"
networks = [\"127.0.0.0/8\"]
[gate.outbound]
listen = [\"127.0.0.2:$out_port\"]
tls = \"none\"
$1"
  sed -i "s|^\[milter\]|&\nleave_fold = true|" "$work/mtrk.conf"
}
gate_config "nexthop = \"localhost:$hop_port\""
start_milter
start_mtqpd
start_gate "$gate_port" "127.0.0.2:$out_port"

# submit ENVID RECIPIENT...: a message with MTRK=, as any client of RFC 3885 sends it.
submit() {
  local envid=$1 recipient
  shift
  {
    say "EHLO client.example"
    say "MAIL FROM:<sender@client.example> MTRK=$certifier:86400 RET=HDRS ENVID=$envid"
    for recipient in "$@"; do say "RCPT TO:<$recipient>"; done
    printf '%s\n' DATA "Subject: test" "" Hello . QUIT
  } | dialogue smtp "$gate_port" >"$work/smtp.dialogue"
  accepted_message
}
went_out() { grep -q "ENVID=$1@example.net" "$work/hop.commands"; }
with_mtrk() { grep "ENVID=$1@example.net" "$work/hop.commands" | tail -n 1 | shows "MTRK=$certifier"; }

# MTRK-3.3-01, MTRK-3.3-05, MTRK-3.1-19, MTRK-3.1-20
submit x+2B1@example.net ok1@far.example
expect_outcome x+2B1@example.net ok1@far.example transferred 2.4.0 localhost
mail=$(grep 'ENVID=x+2B1@example.net' "$work/hop.commands") || fail "ENVID did not go on"
left=$(sed -nE "s|.* MTRK=$certifier:([0-9]+).*|\1|p" <<<"$mail")
if [ "${left:-0}" -gt 86400 ] || [ "${left:-0}" -lt 86340 ]; then fail "remaining time: $mail"; fi
grep -q 'RET=HDRS' <<<"$mail" || fail "RET did not go on"
grep -q "$queue_id.*mtrk=passed on" "$work/mtrk-gate.log" || fail "the gate does not say so: $(cat "$work/mtrk-gate.log")"

# Each recipient its own reply; the true next hop also of failures.
submit several@example.net ok2@far.example b5a@far.example t4a@far.example bob@mx.example.test
expect_outcome several@example.net ok2@far.example transferred 2.4.0 localhost
expect_outcome several@example.net b5a@far.example failed 5.1.1 localhost
expect_outcome several@example.net t4a@far.example delayed 4.2.1 localhost
expect_outcome several@example.net bob@mx.example.test delivered 2.0.0 -
submit content@example.net d5a@far.example
expect_outcome content@example.net d5a@far.example failed 5.7.1 localhost

# One message in two transactions, with the same two words (RFC 3885, 3.2): each has its certifier.
submit twice@example.net ok3@far.example
submit twice@example.net ok4@far.example
expect_outcome twice@example.net ok3@far.example transferred 2.4.0 localhost
expect_outcome twice@example.net ok4@far.example transferred 2.4.0 localhost

# MTRK-3.3-04, MTRK-3.2-10: redirected to one address: an ordinary hop. By an alias, and by a .forward file.
submit away@example.net away@mx.example.test
wait_until 15 went_out away || fail "not redirected"
with_mtrk away || fail "MTRK is lost on the way of an alias: $(cat "$work/hop.commands" "$work/mtrk-gate.log")"
submit home@example.net carol@mx.example.test
wait_until 15 went_out home || fail "not forwarded"
with_mtrk home || fail "MTRK is lost on the way of a .forward file: $(cat "$work/mtrk-gate.log")"

# MTRK-3.3-07, MTRK-3.3-09, MTRK-3.3-10: expanded, or a list: no certifier.
submit team@example.net team@mx.example.test
submit list@example.net list@mx.example.test
for id in team list; do
  wait_until 15 went_out "$id" || fail "$id did not go out"
  ! with_mtrk "$id" || fail "$id was expanded, and has MTRK"
  expect_outcome "$id@example.net" "$id@mx.example.test" expanded 2.0.0 -
done

# A fold that a client wrote, of a message the store knows nothing of; mail without any; a milter that is dead.
stop mtrk-milter
submit dead@example.net ok5@far.example
wait_until 20 went_out dead || fail "no mail without a milter"
! with_mtrk dead || fail "MTRK of a message that is not tracked"
start_milter
answers_again() { grep -q 'mtrk-milter=answers again' "$work/mtrk-gate.log"; }
wait_until 10 answers_again || fail "the gate does not find the milter again"
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=plain@example.net" "RCPT TO:<ok6@far.example>" \
  DATA "" . QUIT | dialogue smtp "$gate_port" >"$work/smtp.dialogue"
wait_until 20 went_out plain || fail "untracked mail did not go out"
! with_mtrk plain || fail "untracked mail has MTRK"

# MTRK-3.3-02, MTRK-3.3-03: a next hop with DSN alone.
stop hop
start hop "$MTRK_BIN/fake_next_hop" --port "$hop_port" --log "$work/hop.commands"
wait_until 10 answers "$hop_port" || fail "no next hop"
submit dsn@example.net ok7@far.example
expect_outcome dsn@example.net ok7@far.example relayed 2.1.9 localhost
went_out dsn || fail "ENVID is lost"
! with_mtrk dsn || fail "MTRK to a next hop that does not announce it"

# By MX: two domains in one message, each recipient to its own next hop.
readonly one=127.41.0.1 two=127.41.0.2
start_dns <<END
one    MX 10 mx.one
mx.one A $one
two    MX 10 mx.two
mx.two A $two
null   MX 0 .
END
start one "$MTRK_BIN/fake_next_hop" --port "$mx_port" --address "$one" --log "$work/hop.commands" --mtrk
start two "$MTRK_BIN/fake_next_hop" --port "$mx_port" --address "$two" --log "$work/two.commands"
gate_config "nexthop = \"mx\"
mx_port = $mx_port
dns = [\"$dns\"]
own_addresses = [\"127.0.0.1\"]"
kill -HUP "${pids[mtrk-gate]}"
reloaded() { grep -q 'mtrk-gate=reloaded' "$work/mtrk-gate.log"; }
wait_until 10 reloaded || fail "no reload"
submit mx@example.net ok8@one.test ok9@two.test b5b@two.test ok10@one.test x@null.test
expect_outcome mx@example.net ok8@one.test transferred 2.4.0 mx.one.test
expect_outcome mx@example.net ok10@one.test transferred 2.4.0 mx.one.test
expect_outcome mx@example.net ok9@two.test relayed 2.1.9 mx.two.test
expect_outcome mx@example.net b5b@two.test failed 5.1.1 mx.two.test
expect_outcome mx@example.net x@null.test failed 5.1.10 -
! grep MTRK= "$work/two.commands" || fail "MTRK to a next hop that does not announce it"

# The fold never went out (a keyword is MTRK=, a fold ";MTRK:").
! grep -i ';mtrk' "$work"/*.commands || fail "a next hop saw the fold"
pass
