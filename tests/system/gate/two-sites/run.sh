#!/bin/bash
# Two organisations, each a stock Postfix with gate, milter and mtqpd, and a third without tracking behind the second;
# mail goes by MX, and the client follows a message from one to the other by DNS and shows one view; recipients end delivered, expanded,
# failed and relayed; the time that is left shrinks from hop to hop; no fold is in anything that arrives anywhere.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
# shellcheck source=tests/support/sites.sh
. "$top/tests/support/sites.sh"
begin
create_sites
for name in alpha beta; do
  at_site "$name"
  start_site
done
readonly beta_host=mx.beta.test branch_host=mx.branch.beta.test

# ann_sends ENVID RECIPIENT...
ann_sends() {
  {
    printf '%s\n' "EHLO client.example" "MAIL FROM:<ann@alpha.test> ENVID=$1 MTRK=$certifier:86400"
    printf 'RCPT TO:<%s>\n' "${@:2}"
    printf '%s\n' DATA "Subject: test" "" Hello . QUIT
  } | dialogue smtp "${address_of[alpha]}:$mail_port" >"$work/smtp.dialogue"
  accepted_message
}

at_alpha() { at_site alpha && expect_outcome "$@"; }
at_beta() { at_site beta && expect_outcome "$@"; }
# ask STATUS COMMAND ENVID [OPTION...]: as a client anywhere would.
ask() {
  local status=$1 command=$2 envid=$3
  shift 3
  MTQP_SECRET=$secret expect_exit "$status" "$MTRK_BIN/mtqp" "$command" --tls no --dns "$dns" --server mx.alpha.test "$@" "$envid"
}

# What the gates announce is what mtqp uses, by name; the next hop is found by MX, the next tracking server by SRV.
printf 'Subject: hello\n\nHello\n' >"$work/message"
expect_exit 0 "$MTRK_BIN/mtqp" send --smtp "mx.alpha.test:$mail_port" --dns "$dns" --from ann@alpha.test --to bob@beta.test --timeout 86400 --json "$work/message"
expect_output '"carrier":"mtrk"'
delivered() { "$MTRK_BIN/mtqp" track --tls no --dns "$dns" last >"$work/view" 2>&1 && grep -q 'delivered (2' "$work/view"; }
wait_until 15 delivered || fail "the client does not see the end: $(cat "$work/view")"
for line in '^bob@beta.test' 'accepted by mx.alpha.test' 'passed on to mx.beta.test' 'accepted by mx.beta.test' 'asked mx.alpha.test'; do
  grep -q "$line" "$work/view" || fail "no /$line/ in: $(cat "$work/view")"
done
[ "$(grep -c '^bob@beta.test' "$work/view")" -eq 1 ] || fail "one view for one recipient: $(cat "$work/view")"

# MTRK-3.3-01, MTRK-3.3-05: the second gate takes what the first passes on, and both answer.
ann_sends one+2B1@client.example bob@beta.test
at_alpha one+2B1@client.example bob@beta.test transferred 2.4.0 "$beta_host"
at_beta one+2B1@client.example bob@beta.test delivered 2.0.0 -

# Every fate, and a server that is away at first: beta.test has less time left than alpha.test had (MTRK-3.1-19,
# MTRK-3.1-20, MTRK-3.3-06).
stop beta-mtrk-gate
ann_sends many@client.example bob@beta.test team@beta.test nobody@beta.test ok-dan@branch.beta.test b5-eve@branch.beta.test
accepted_at=$SECONDS
at_alpha many@client.example bob@beta.test delayed 4.4.1 "$beta_host"
ask 1 status many@client.example
two_seconds_later() { [ "$SECONDS" -gt $((accepted_at + 2)) ]; }
wait_until 5 two_seconds_later
at_site beta
start_site_gate
at_site alpha
postfix_run postqueue -f
at_alpha many@client.example bob@beta.test transferred 2.4.0 "$beta_host"
at_alpha many@client.example team@beta.test transferred 2.4.0 "$beta_host"
at_alpha many@client.example nobody@beta.test failed 5.1.1 "$beta_host"
at_alpha many@client.example ok-dan@branch.beta.test transferred 2.4.0 "$beta_host"
at_alpha many@client.example b5-eve@branch.beta.test transferred 2.4.0 "$beta_host"
at_beta many@client.example bob@beta.test delivered 2.0.0 -
at_beta many@client.example team@beta.test expanded 2.1.5 -
at_beta many@client.example ok-dan@branch.beta.test relayed 2.1.9 "$branch_host"
at_beta many@client.example b5-eve@branch.beta.test failed 5.1.1 "$branch_host"
[ "$(seconds_at alpha)" -eq 86400 ] || fail "alpha.test was asked for $(seconds_at alpha) s"
if [ "$(seconds_at beta)" -gt 86398 ] || [ "$(seconds_at beta)" -lt 86340 ]; then fail "beta.test was asked for $(seconds_at beta) s"; fi

# The same by the client, who asks each server once.
ask 2 track many@client.example
[ "$(grep -c '^asked ' "$work/output")" -eq 2 ] || fail "not two servers: $(cat "$work/output")"
for line in '^bob@beta.test' 'delivered \(2.0.0' '^team@beta.test' 'expanded' '^nobody@beta.test' 'failed \(5.1.1' \
  '^ok-dan@branch.beta.test' 'relayed to .*, beyond which nothing is tracked' '^b5-eve@branch.beta.test'; do expect_output "$line"; done
ask 2 status many@client.example --json
[ "$(grep -o '"path":' "$work/output" | wc -l)" -eq 5 ] || fail "not a path for each recipient: $(cat "$work/output")"
ask 2 track many@client.example --json
[ "$(grep -c '^{"v":1,"hop":' "$work/output")" -eq 2 ] || fail "not two hops: $(cat "$work/output")"

# The branch learns MTRK: three hops, the time shrinks at each.
stop branch
start_branch --mtrk
ann_sends three@client.example ok-fay@branch.beta.test
at_beta three@client.example ok-fay@branch.beta.test transferred 2.4.0 "$branch_host"
left=$(sed -nE "s|^MAIL .* MTRK=$certifier:([0-9]+).*|\1|p" "$work/branch.commands" | tail -n 1)
if [ "${left:-0}" -gt "$(seconds_at beta)" ] || [ "$(seconds_at beta)" -gt "$(seconds_at alpha)" ]; then
  fail "time grows: $(seconds_at alpha), $(seconds_at beta), ${left:-none}"
fi
grep -q 'MAIL.* ENVID=three@client.example' "$work/branch.commands" || fail "ENVID is lost"

# The fold is nowhere: not in mailboxes, not in the report that ann got, not at the last next hop.
grep -rq 'many@client.example' "$work/alpha/mx/mail/ann" || fail "no report about nobody@beta.test"
grep -rq 'Hello' "$work/beta/mx/mail/bob" || fail "no message in bob's mailbox"
! grep -riE ';MTRK:|MTRK:' "$work"/alpha/mx/mail "$work"/beta/mx/mail || fail "a fold was delivered"
! grep -i ';MTRK:' "$work/branch.commands" || fail "a fold went out"
! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
