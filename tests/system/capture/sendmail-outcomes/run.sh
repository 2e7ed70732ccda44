#!/bin/bash
# Tracked mail through a real Sendmail, the certifier folded into ENVID by the client: every way that a
# recipient can go, each told by TRACK; the next hop sees what it would have seen without us.
# MTSN-3.3.3-14, MTSN-4.2-02 to -04, DSNF-2.3.3-02: aliases and a list are expanded, members not shown.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
# Mail of low urgency is given up at once, to see the expiry of a message without waiting for days; over five
# recipients are split into several messages.
# shellcheck disable=SC2016  # quotes of m4
start_sendmail_system 'define(`confTO_QUEUERETURN_NONURGENT'\'', `1s'\'')dnl' \
  'QUEUE_GROUP(`mqueue'\'', `P=/var/spool/mqueue, F=f, r=5'\'')dnl'
write_config
start_milter
start_mtqpd
readonly mx1=mx1.partner.example expanded=2.0.0

# submit MAIL-WORDS RECIPIENT-WORDS [HEADER]: a message with its own words
submit() {
  printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example> $1" "RCPT TO:$2" DATA "Subject: test" \
    ${3:+"$3"} "" "Grüße" . QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  accepted_message
}
fold() { say ";MTRK:$certifier:86400"; }

# Mailboxes and next hops; of several recipients each has its own fate.
send_tracked mailbox@x.example Alice@Example.Test
expect_outcome mailbox@x.example Alice@Example.Test delivered 2.0.0 -
send_tracked many@x.example ok1@partner.example ok2@partner.example b5a@partner.example t4a@partner.example \
  bob@example.test ok3@nodsn.example refused@dead.example
expect_outcome many@x.example ok1@partner.example relayed 2.1.9 "$mx1"
expect_outcome many@x.example ok2@partner.example relayed 2.1.9 "$mx1"
expect_outcome many@x.example b5a@partner.example failed 5.1.1 "$mx1"
expect_outcome many@x.example t4a@partner.example delayed 4.2.1 "$mx1"
expect_outcome many@x.example bob@example.test delivered 2.0.0 -
expect_outcome many@x.example ok3@nodsn.example relayed 2.1.9 mx2.nodsn.example
expect_outcome many@x.example refused@dead.example delayed 4.4.1 mx.dead.example
# One connection: a message that is given up, one without tracking, two with; a sender of bounces; a
# recipient that is refused, which no report may name.
{
  printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=session1@x.example$(fold)" "RCPT TO:<alice@example.test>" RSET
  printf '%s\n' "MAIL FROM:<s@client.example> ENVID=session2@x.example" "RCPT TO:<alice@example.test>" DATA "" . \
    "MAIL FROM:<> ENVID=session3@x.example$(fold)" "RCPT TO:<nosuch@example.test>" "RCPT TO:<alice@example.test>" DATA "" . \
    "MAIL FROM:<s@client.example> ENVID=session4@x.example$(fold)" "RCPT TO:<bob@example.test>" DATA "" . QUIT
} | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
grep -q '^S: 550 5.1.1 <nosuch@example.test>' "$work/smtp.dialogue" || fail "nosuch was not refused: $(cat "$work/smtp.dialogue")"
expect_outcome session3@x.example alice@example.test delivered 2.0.0 -
expect_outcome session4@x.example bob@example.test delivered 2.0.0 -
[ "$(say session3@x.example | outcomes | wc -l)" -eq 1 ] || fail "more than one recipient: $(say session3@x.example | outcomes)"
for id in session1@x.example session2@x.example; do
  say "$id" | outcomes | shows -- -ERR/noinfo || fail "$id was tracked"
done
send_tracked content@x.example d5a@partner.example
expect_outcome content@x.example d5a@partner.example failed 5.7.1 "$mx1"
send_tracked content-later@x.example d4a@partner.example
expect_outcome content-later@x.example d4a@partner.example delayed 4.3.0 "$mx1"

# Programs, files, aliases and .forward files: one target is followed, several are an expansion.
send_tracked aliases@x.example program@example.test archive@example.test broken-program@example.test \
  chain@example.test away@example.test
expect_outcome aliases@x.example program@example.test delivered 2.0.0 -
expect_outcome aliases@x.example archive@example.test delivered 2.0.0 -
expect_outcome aliases@x.example broken-program@example.test failed 5.3.0 -
expect_outcome aliases@x.example chain@example.test delivered 2.0.0 -
expect_outcome aliases@x.example away@example.test relayed 2.1.9 -
send_tracked forward@x.example carol@example.test dave@example.test
expect_outcome forward@x.example carol@example.test relayed 2.1.9 -
expect_outcome forward@x.example dave@example.test expanded "$expanded" -
send_tracked team@x.example team@example.test
expect_outcome team@x.example team@example.test expanded "$expanded" -
send_tracked list@x.example list@example.test # has an owner: the members get a clone of the message
expect_outcome list@x.example list@example.test expanded "$expanded" -
send_tracked loop@x.example loop@example.test
expect_outcome loop@x.example loop@example.test failed 5.4.6 -

# A mailbox that is busy, then free; one that fails for good. A return receipt is not a failure.
touch "$work/mx/root/var/mail/erin.busy"
submit "ENVID=busy@x.example$(fold)" "<erin@example.test> NOTIFY=SUCCESS,DELAY,FAILURE"
expect_outcome busy@x.example erin@example.test delayed 4.0.0 -
rm "$work/mx/root/var/mail/erin.busy"
sendmail_run -q
expect_outcome busy@x.example erin@example.test delivered 2.0.0 -
touch "$work/mx/root/var/mail/erin.full"
send_tracked full@x.example erin@example.test
expect_outcome full@x.example erin@example.test failed 5.0.0 -
rm "$work/mx/root/var/mail/erin.full"

# Given up: Sendmail logs no line of its own for the recipient.
submit "ENVID=expired@x.example$(fold)" "<t4b@partner.example>" "Priority: non-urgent"
expect_outcome expired@x.example t4b@partner.example delayed 4.2.1 "$mx1"
sleep 1.1 # Sendmail counts in seconds
sendmail_run -q
expect_outcome expired@x.example t4b@partner.example failed 4.4.7 "$mx1"
outcome_is many@x.example t4a@partner.example delayed 4.2.1 "$mx1" || fail "a queue run changed the outcome"

# On hold ("quarantined"): as it was.
send_tracked held@x.example t4d@partner.example
expect_outcome held@x.example t4d@partner.example delayed 4.2.1 "$mx1"
sendmail_run "-Qsuspicious" "-qI$queue_id"
sendmail_run -q
grep -q "$queue_id: quarantine=suspicious" "$work/mx/log/maillog" || fail "the message is not quarantined"
outcome_is held@x.example t4d@partner.example delayed 4.2.1 "$mx1" || fail "quarantine changed the outcome"

# Removed from the queue by the administrator: Sendmail logs nothing, and nothing is made up.
send_tracked deleted@x.example t4c@partner.example
expect_outcome deleted@x.example t4c@partner.example delayed 4.2.1 "$mx1"
rm "$work/mx/root/var/spool/mqueue/"*"$queue_id"
sendmail_run -q
say deleted@x.example | outcomes >"$work/output"
expect_output 'delayed|opaque'

# Local submission: the submission program hands over by SMTP, ENVID and all.
printf '%s\n' "Subject: submitted" "" Hello |
  "$top/tests/support/sendmail-instance" submit "$work/mx" -f sender@client.example -N never -R hdrs \
    -V "submitted@x.example$(fold)" ok4@partner.example
expect_outcome submitted@x.example ok4@partner.example relayed 2.1.9 "$mx1"

# What a next hop sees of tracked mail is what it sees of other mail: same words in the same order. (Only a
# body that is declared 8BITMIME and is ASCII stays so declared, where Sendmail would make it 7BIT.)
submit "ENVID=twin@x.example BODY=8BITMIME RET=HDRS SIZE=77 AUTH=<>" "<ok-twin@partner.example> NOTIFY=FAILURE"
submit "ENVID=twin@x.example$(fold) BODY=8BITMIME RET=HDRS SIZE=77 AUTH=<>" "<ok-twin@partner.example> NOTIFY=FAILURE"
twins() { grep -o 'MAIL From:.* ENVID=twin@x.example.*' "$work/next-hop.commands"; }
both_arrived() { [ "$(twins | wc -l)" -eq 2 ] && [ "$(grep -c 'RCPT To:<ok-twin@' "$work/next-hop.commands")" -eq 2 ]; }
wait_until 15 both_arrived || fail "the next hop did not get both"
[ "$(twins | sort -u | wc -l)" -eq 1 ] || fail "the next hop sees a difference: $(twins)"
twins | shows ' BODY=8BITMIME.* RET=HDRS' || fail "words were lost: $(twins)"
! grep -i mtrk "$work"/next-hop*.commands || fail "the next hop saw the fold"
! grep -F "$certifier" "$work"/*.log "$work/mx/log/maillog" || fail "a certifier is in a log"

# MTRK as such is refused by Sendmail itself; a malformed fold is accepted, restored and not tracked.
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@x.example> MTRK=$certifier ENVID=plain@x.example" QUIT |
  dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
grep -q '^S: 555 5.5.4' "$work/smtp.dialogue" || fail "this Sendmail takes MTRK"
submit "ENVID=malformed@x.example;MTRK:!!!" "<ok5@partner.example>"
say malformed@x.example | outcomes | shows -- -ERR/noinfo || fail "a malformed MTRK was tracked"

# With less in the log less is known, and nothing is guessed: at level 10 that the message left the queue, but
# not which result is whose; at level 9, the default, not even that.
for level in 10 9; do
  "$top/tests/support/sendmail-instance" stop "$work/mx"
  # shellcheck disable=SC2016  # quotes of m4
  printf 'define(`confLOG_LEVEL'\'', `%s'\'')dnl\n' "$level" >>"$work/mx/root/etc/mail/local.mc"
  "$top/tests/support/sendmail-instance" start "$work/mx"
  send_tracked "level$level@x.example" alice@example.test ok6@partner.example chain@example.test away@example.test
  expect_outcome "level$level@x.example" alice@example.test delivered 2.0.0 -
  expect_outcome "level$level@x.example" ok6@partner.example relayed 2.1.9 "$mx1"
done
for recipient in chain@example.test away@example.test; do
  expect_outcome level10@x.example "$recipient" opaque 2.0.0 -
  expect_outcome level9@x.example "$recipient" delayed 4.0.0 -
done

# Through the milter and the log, nothing was unparsed.
"$MTRK_BIN/mtrkctl" events --mta sendmail --log "$work/mx/log/maillog" 2>"$work/summary" >/dev/null
grep -q 'unparsed=0$' "$work/summary" || fail "$(cat "$work/summary")"
pass
