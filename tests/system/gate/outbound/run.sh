#!/bin/bash
# mtrk-gate behind a real Postfix: MTRK= with the remaining time to a next hop that announces it, and "transferred" with
# the true next hop by TRACK; none where the time is up, where it was expanded, for lists, for next hops without
# MTRK, with nobody to ask. Without the milter the fold does not go out.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
out_port='' plain_hop_port=''
free_port out_port
free_port next_hop_port
free_port plain_hop_port
extra_services='mtrkout unix - - n - - smtp -o smtp_send_xforward_command=yes -o syslog_name=postfix/mtrkout'
start_mail_system "transport_maps = inline:{ partner.example=mtrkout:[127.0.0.1]:$out_port }" \
  "virtual_alias_maps = inline:{ away@example.test=ok-away@partner.example, { two@example.test = ok-t1@partner.example, ok-t2@partner.example }, { both@example.test = alice@example.test, ok-both@partner.example }, { ok-first@partner.example = ok-first@partner.example, alice@example.test } }" \
  "alias_maps = inline:{ fwd=ok-fwd@partner.example, { many = ok-m1@partner.example, ok-m2@partner.example }, list=ok-list@partner.example, owner-list=alice@example.test }"
mtrk_hop_port=$next_hop_port
stop next-hop
start next-hop "$MTRK_BIN/fake_next_hop" --port "$mtrk_hop_port" --log "$work/next-hop.commands" --mtrk
start plain-hop "$MTRK_BIN/fake_next_hop" --port "$plain_hop_port" --log "$work/plain-hop.commands"
wait_until 10 answers "$mtrk_hop_port" || fail "no next hop"

gate_to() { # gate_to PORT [SOCKET OF THE MILTER]
  write_config "[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"localhost:$1\"
tls = \"none\""
  [ $# -lt 2 ] || sed -i "s|^\[milter\]|&\ngate_socket = \"unix:$2\"|" "$work/mtrk.conf"
}
gate_to "$mtrk_hop_port"
start_milter
start_mtqpd
start_gate "$out_port"

# MTRK-2-03 (this next hop announces MTRK with a parameter), MTRK-3.3-01, MTRK-3.3-05, MTRK-3.1-19, MTRK-3.1-20,
# DSNX-5.2.1-01, DSNX-5.2.1-02
printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example> MTRK=$certifier:86400 RET=HDRS ENVID=x+2B1@example.net" \
  "RCPT TO:<ok1@partner.example> ORCPT=rfc822;First+2Bone@elsewhere.example NOTIFY=SUCCESS,FAILURE" DATA "Subject: x" "" Hello . QUIT |
  dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
accepted_message
expect_outcome x+2B1@example.net ok1@partner.example transferred 2.4.0 localhost
mail=$(grep 'ENVID=x+2B1@example.net' "$work/next-hop.commands") || fail "ENVID did not go on"
left=$(sed -nE "s|.* MTRK=$certifier:([0-9]+).*|\1|p" <<<"$mail")
if [ "${left:-0}" -gt 86400 ] || [ "${left:-0}" -lt 86340 ]; then fail "remaining time: $mail"; fi
grep -q 'ORCPT=rfc822;First+2Bone@elsewhere.example' "$work/next-hop.commands" || fail "ORCPT did not go on"
grep -q 'RET=HDRS' <<<"$mail" || fail "RET did not go on"
grep -q 'NOTIFY=SUCCESS,FAILURE' "$work/next-hop.commands" || fail "NOTIFY did not go on"

# Each recipient its own reply; the true next hop also of failures.
send_tracked several@example.net ok2@partner.example b5a@partner.example t4a@partner.example bob@example.test
expect_outcome several@example.net ok2@partner.example transferred 2.4.0 localhost
expect_outcome several@example.net b5a@partner.example failed 5.1.1 localhost
expect_outcome several@example.net t4a@partner.example delayed 4.2.1 localhost
expect_outcome several@example.net bob@example.test delivered 2.0.0 -
send_tracked content@example.net d5a@partner.example
expect_outcome content@example.net d5a@partner.example failed 5.7.1 localhost

with_mtrk() { grep "ENVID=$1@example.net" "$work/next-hop.commands" | tail -n 1 | shows "MTRK=$certifier"; }
went_out() { grep -q "ENVID=$1@example.net" "$work/next-hop.commands"; }

# MTRK-3.3-04, MTRK-3.2-10, DSNX-5.2.7-03: redirected to one address: an ordinary hop. By Postfix's cleanup, and by local(8).
send_tracked away@example.net away@example.test
wait_until 15 went_out away || fail "not redirected"
with_mtrk away || fail "MTRK is lost on the way of a virtual alias"
send_tracked fwd@example.net fwd@mx.example.test
wait_until 15 went_out fwd || fail "not forwarded"
with_mtrk fwd || fail "MTRK is lost on the way of a local alias"

# MTRK-3.3-07, MTRK-3.3-09, MTRK-3.3-10: expanded, or a list: no certifier.
send_tracked two@example.net two@example.test
send_tracked both@example.net both@example.test
send_tracked many@example.net many@mx.example.test
send_tracked list@example.net list@mx.example.test
for id in two both many; do
  wait_until 15 went_out "$id" || fail "$id did not go out"
  ! with_mtrk "$id" || fail "$id was expanded, and has MTRK"
done
expect_outcome two@example.net two@example.test expanded 2.1.5 -
# DSNX-5.2.1-03: what was not given at RCPT is the address given there.
grep -q 'ORCPT=rfc822;two@example.test' "$work/next-hop.commands" || fail "ORCPT of an alias"

# DSNX-5.2.7-01, DSNX-5.2.7-02, DSNX-4.2-05: an alias sends in the sender's name, a list in its owner's, to recipients of
# its own. Postfix gives ENVID to them all; the gate takes it from a list's, as MTRK and ORCPT.
grep -qE '^MAIL FROM:<sender@client.example>.* ENVID=fwd@example.net' "$work/next-hop.commands" || fail "the sender of an alias"
list_went_out() { grep -q '^MAIL FROM:<owner-list@mx.example.test>' "$work/$1-hop.commands"; }
wait_until 15 list_went_out next || fail "the list did not go out"
! grep -E '^MAIL FROM:<owner-list@.*(ENVID|MTRK)=' "$work/next-hop.commands" || fail "a list passes ENVID on"
grep -q 'ORCPT=rfc822;ok-list@partner.example' "$work/next-hop.commands" || fail "ORCPT of a list's recipient"
! grep -q 'ORCPT=rfc822;list@' "$work/next-hop.commands" || fail "a list passes ORCPT on"

# MTRK-3.3-08: who stands at RCPT is the primary recipient, also as one of several of its own alias.
send_tracked first@example.net ok-first@partner.example
wait_until 15 went_out first || fail "first did not go out"
with_mtrk first || fail "the primary recipient has no MTRK"

# MTRK-3.1-21: deferred once, and by the next attempt the time is up.
printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example> MTRK=$certifier:1 ENVID=short@example.net" \
  "RCPT TO:<t4b@partner.example>" DATA "" . QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
accepted_message
accepted_at=$SECONDS
wait_until 15 went_out short || fail "short did not go out"
time_is_up() { [ "$SECONDS" -gt $((accepted_at + 2)) ]; }
wait_until 10 time_is_up
attempts() { grep -c 'ENVID=short@example.net' "$work/next-hop.commands"; }
before=$(attempts)
postfix_run postqueue -f
tried_again() { [ "$(attempts)" -gt "$before" ]; }
wait_until 15 tried_again || fail "no second attempt"
! with_mtrk short || fail "MTRK went on although its time was up"

# Untracked mail has no MTRK.
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=untracked@example.net" "RCPT TO:<ok5@partner.example>" \
  DATA "" . QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
wait_until 15 went_out untracked || fail "untracked mail did not go out"
! with_mtrk untracked || fail "untracked mail has MTRK"

# MTRK-3.3-02, MTRK-3.3-03: a next hop with DSN alone. The gate reads its configuration again; sessions go on.
gate_to "$plain_hop_port"
kill -HUP "${pids[mtrk-gate]}"
reloaded() { grep -q 'mtrk-gate=reloaded' "$work/mtrk-gate.log"; }
wait_until 10 reloaded || fail "no reload"
send_tracked plain@example.net ok6@partner.example
expect_outcome plain@example.net ok6@partner.example relayed 2.1.9 localhost
grep -q 'ENVID=plain@example.net' "$work/plain-hop.commands" || fail "ENVID is lost"
! grep -q MTRK= "$work/plain-hop.commands" || fail "MTRK to a next hop that does not announce it"
send_tracked list2@example.net list@mx.example.test # DSNX-5.2.7-02, here too
wait_until 15 list_went_out plain || fail "the list did not go out"
! grep -E '^MAIL FROM:<owner-list@.*ENVID=' "$work/plain-hop.commands" || fail "a list passes ENVID on"

# DSNX-5.2.2-01: a next hop without DSN gets neither ENVID nor ORCPT; with MTRK alone it gets ENVID, which goes with that.
for words in --no-dsn "--no-dsn --mtrk"; do
  stop plain-hop
  : >"$work/plain-hop.commands"
  # shellcheck disable=SC2086  # options
  start plain-hop "$MTRK_BIN/fake_next_hop" --port "$plain_hop_port" --log "$work/plain-hop.commands" $words
  wait_until 10 answers "$plain_hop_port" || fail "no next hop"
  id=old${words//[ -]/}@example.net
  send_tracked "$id" ok-old@partner.example
  case $words in
    *mtrk)
      expect_outcome "$id" ok-old@partner.example transferred 2.4.0 localhost
      grep -qE "^MAIL FROM:<sender@client.example> .*ENVID=$id" "$work/plain-hop.commands" || fail "MTRK without ENVID"
      ;;
    *)
      expect_outcome "$id" ok-old@partner.example relayed 2.1.9 localhost
      ! grep -E 'ENVID|MTRK' "$work/plain-hop.commands" || fail "parameters for a next hop without DSN"
      ;;
  esac
  ! grep -E 'ORCPT|NOTIFY|RET=' "$work/plain-hop.commands" || fail "parameters of DSN for a next hop without it"
done

# The next hop is down: deferred, nothing lost.
stop plain-hop
send_tracked down@example.net ok7@partner.example
expect_outcome down@example.net ok7@partner.example delayed 4.3.0 -
start plain-hop "$MTRK_BIN/fake_next_hop" --port "$plain_hop_port" --log "$work/plain-hop.commands"
wait_until 10 answers "$plain_hop_port" || fail "no next hop"
postfix_run postqueue -f
expect_outcome down@example.net ok7@partner.example relayed 2.1.9 localhost

# Nobody to ask, no MTRK; mail flows, and it is said.
stop mtrk-gate
gate_to "$mtrk_hop_port" "$work/nowhere"
start_gate "$out_port"
send_tracked nobody@example.net ok8@partner.example
expect_outcome nobody@example.net ok8@partner.example relayed 2.1.9 localhost
grep -q 'mtrk-milter=does not answer, mail goes on without MTRK' "$work/mtrk-gate.log" || fail "not said"
stop mtrk-gate
gate_to "$mtrk_hop_port"
start_gate "$out_port"

# No milter, so nobody takes the fold off but the gate.
stop mtrk-milter
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=folded@example.net;MTRK:$certifier:86400" \
  "RCPT TO:<ok9@partner.example>" DATA "" . QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
accepted_message
wait_until 15 went_out folded || fail "mail does not flow without the milter"
! grep -i ';MTRK:' "$work"/*.commands || fail "a fold went out"
! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
