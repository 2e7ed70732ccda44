#!/bin/bash
# Tracked mail through a real Postfix with the command filter: MTRK in any order and case, five
# outcomes by TRACK, the plain ENVID and RET at the next hop and no trace of the fold.
# MTSN-3.3.3-03 to -05, MTSN-3.3.3-07, MTSN-3.3.3-09, MTQP-2.1-03, DSNF-2.2.1-02, DSNF-2.2.1-03.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system
write_config
start_milter
start_mtqpd

# submit RECIPIENT MAIL-PARAMETERS
submit() {
  printf '%s\n' "EHLO client.example" "$2" "RCPT TO:<$1>" DATA "Subject: test" "" Hello . QUIT |
    dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  grep -q '^S: 250 .*queued as' "$work/smtp.dialogue" || fail "refused: $(cat "$work/smtp.dialogue")"
}

submit ok1@partner.example "MAIL FROM:<s@example.net> MTRK=$certifier:3600 RET=HDRS ENVID=one@example.net"
submit alice@example.test "mail from:<s@example.net> envid=two@example.net ret=full mtrk=$certifier"
submit b5a@partner.example "MAIL FROM:<s@example.net> ENVID=three@example.net SIZE=100 Mtrk=$certifier:90000 RET=HDRS"
submit t4a@partner.example "MAIL FROM:<s@example.net> RET=HDRS ENVID=four@example.net BODY=8BITMIME MTRK=$certifier"
submit team@example.test "MAIL FROM:<> MTRK=$certifier:864000 ENVID=five@example.net"
submit d5a@partner.example "MAIL FROM:<s@example.net> ENVID=a+2Bb@example.net MTRK=$certifier"

expect_outcome one@example.net ok1@partner.example relayed 2.1.9 '[127.0.0.1]'
expect_outcome two@example.net alice@example.test delivered 2.0.0 -
expect_outcome three@example.net b5a@partner.example failed 5.1.1 '[127.0.0.1]'
expect_outcome four@example.net t4a@partner.example delayed 4.2.1 '[127.0.0.1]'
expect_outcome five@example.net team@example.test expanded 2.1.5 -
expect_outcome a+2Bb@example.net d5a@partner.example failed 5.7.1 '[127.0.0.1]'

# Several recipients of one message, each with its own fate.
send_tracked many@example.net ok2@partner.example b5b@partner.example bob@example.test
expect_outcome many@example.net ok2@partner.example relayed 2.1.9 '[127.0.0.1]'
expect_outcome many@example.net b5b@partner.example failed 5.1.1 '[127.0.0.1]'
expect_outcome many@example.net bob@example.test delivered 2.0.0 -

# A message by BDAT; empty, as what counts is the envelope.
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@example.net> MTRK=$certifier ENVID=bdat@example.net" \
  "RCPT TO:<alice@example.test>" "BDAT 0 LAST" QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
accepted_message
expect_outcome bdat@example.net alice@example.test delivered 2.0.0 -

# A certifier with '+', which has to become +2B in ENVID.
secret_plus=jfZvZLV0JDkdNj/WuBH+0w== certifier_plus=++Ewzs6J0QiVv89yjdS3Dp0+jUs
submit alice@example.test "MAIL FROM:<s@example.net> ENVID=plus@example.net MTRK=$certifier_plus:3600"
plus_found() { dialogue mtqp "$mtqp_port" <<<"TRACK plus@example.net $secret_plus" | shows '^S: Action: delivered'; }
wait_until 15 plus_found || fail "certifier with + is not found"

# MTRK that cannot be honoured: the mail is accepted and not tracked.
submit ok3@partner.example "MAIL FROM:<no-envid@example.net> MTRK=$certifier"
submit ok3@partner.example "MAIL FROM:<malformed@example.net> MTRK=!!! ENVID=bad@example.net"
submit ok3@partner.example "MAIL FROM:<short@example.net> MTRK=AAAA:10 ENVID=short@example.net"
submit ok3@partner.example "MAIL FROM:<untracked@example.net> ENVID=untracked@example.net"
say short@example.net | outcomes | shows -- -ERR/noinfo || fail "a malformed MTRK was tracked"

# A wrong secret gets the very answer of an unknown id.
dialogue mtqp "$mtqp_port" <<<"TRACK one@example.net AAAAAAAAAAAAAAAAAAAAAA==" | grep '^S: -' >"$work/wrong"
dialogue mtqp "$mtqp_port" <<<"TRACK never@example.net $secret" | grep '^S: -' >"$work/unknown"
cmp "$work/wrong" "$work/unknown" || fail "a wrong secret can be told from an unknown id"

all_accepted() { [ "$(grep -c '^accepted' "$work/next-hop.commands")" -ge 7 ]; }  # one, many, team, 4 x ok3
wait_until 15 all_accepted || fail "the next hop did not get everything"
for want in 'MAIL FROM:<s@example.net>.* ENVID=one@example.net' 'MAIL FROM:<s@example.net>.* RET=HDRS' \
  'ENVID=a+2Bb@example.net' 'ENVID=five@example.net' 'ENVID=untracked@example.net'; do
  grep -q "$want" "$work/next-hop.commands" || fail "the next hop did not see: $want"
done
! grep -i mtrk "$work/next-hop.commands" || fail "the next hop saw the fold"
! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
