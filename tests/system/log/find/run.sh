#!/bin/bash
# mtrkctl find over the log of a real Postfix, cut into a log and its rotated and compressed siblings:
# each message by each criterion, with what explain says of it; refused mail; what is said where
# nothing is found, where the logs do not go back far enough, and of files that are no mail log.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system "smtpd_milters ="
write_config

# send FROM TO...: $queue_id is its queue id, $refused what was answered to a recipient that was not taken.
send() {
  local from=$1 to
  shift
  {
    say "EHLO client.example"
    say "MAIL FROM:<$from>"
    for to; do say "RCPT TO:<$to>"; done
    printf '%s\n' DATA "Subject: test" "Message-Id: <$from.$SECONDS.$RANDOM@client.example>" "" Hello . QUIT
  } | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  accepted_message
}
maillog=$work/mx/log/maillog
done_with() { grep -q "$1: removed" "$maillog"; }

send ann@client.example ok-bob@partner.example b5bob@partner.example
mixed=$queue_id
wait_until 20 done_with "$mixed"
send eve@client.example alice@example.test
mailbox=$queue_id
wait_until 20 done_with "$mailbox"
send ann@client.example team@example.test
list=$queue_id
wait_until 20 done_with "$list"
send carl@other.example t4bob@partner.example
deferred=$queue_id
is_deferred() { grep -q "$deferred: to=.*status=deferred" "$maillog"; }
wait_until 20 is_deferred
printf '%s\n' "EHLO client.example" "MAIL FROM:<spam@bad.example>" "RCPT TO:<nosuch@example.test>" QUIT |
  dialogue smtp "$smtp_port" >"$work/refused"
is_refused() { grep -q 'NOQUEUE: reject: RCPT.*nosuch@example.test' "$maillog"; }
wait_until 10 is_refused
postfix_run postfix stop >"$work/stop" 2>&1 || true

# The log as logrotate leaves it, cut within messages.
mkdir "$work/logs"
lines=$(wc -l <"$maillog")
sed -n "1,$((lines / 3))p" "$maillog" >"$work/logs/mail.log.3"
sed -n "$((lines / 3 + 1)),$((lines / 2))p" "$maillog" >"$work/logs/mail.log.2"
sed -n "$((lines / 2 + 1)),$((lines * 2 / 3))p" "$maillog" >"$work/logs/mail.log.1"
sed -n "$((lines * 2 / 3 + 1)),\$p" "$maillog" >"$work/logs/mail.log"
xz "$work/logs/mail.log.3"
gzip "$work/logs/mail.log.2"
touch -d '-3 seconds' "$work/logs/mail.log.3.xz"
touch -d '-2 seconds' "$work/logs/mail.log.2.gz"
touch -d '-1 second' "$work/logs/mail.log.1"
sed -i "s|^source = .*|source = \"file:$work/logs/mail.log\"|" "$work/mtrk.conf"

search() { "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" find "$@"; }
# found ROWS OPTIONS...: that many rows, in JSON in $work/found.
found() {
  local want=$1 status=0
  shift
  search --json "$@" >"$work/found" 2>"$work/said" || status=$?
  [ "$(wc -l <"$work/found")" -eq "$want" ] || fail "find $*: not $want rows: $(cat "$work/found" "$work/said")"
  [ "$status" -eq "$((want == 0))" ] || fail "find $*: exit $status"
}
# shown PATTERN: it stands in the rows.
shown() { grep -qE -- "$1" "$work/found" || fail "no /$1/ in $(cat "$work/found")"; }

found 1 --to ok-bob@partner.example
shown "\"queue_id\":\"$mixed\",\"recipient\":\"ok-bob@partner.example\",\"action\":\"relayed\",\"status\":\"2.1.9\""
shown '"from":"ann@client.example"'
shown '"client":"[^"]*127\.0\.0\.1'
message_id=$(sed -nE 's/.*"message_id":"([^"]*)".*/\1/p' "$work/found")
found 2 --message-id "$message_id"
found 2 --queue-id "$mixed"
found 1 --to B5BOB@Partner.Example
shown '"action":"failed","status":"5.1.1"'
found 3 --from ann@client.example --to @partner.example # two, and the list by its member
found 1 --from carl --action delayed
shown "\"queue_id\":\"$deferred\""
found 1 --to alice@example.test --from eve@client.example
shown '"action":"delivered"'
found 1 --to team@example.test
shown '"action":"expanded"'
found 1 --to nosuch@example.test
shown '"queue_id":null,"recipient":"nosuch@example.test","action":"refused","status":"5.1.1"'
shown '"from":"spam@bad.example"'
found 1 --client 127.0.0.0/8 --action refused
found 0 --to nobody@nowhere.example
found 0 --to ok-bob@partner.example --since 1m --until 1m

# The same as explain says, of all.
search --json --from @client.example >"$work/all"
while IFS= read -r row; do
  id=$(sed -nE 's/.*"queue_id":"([^"]*)".*/\1/p' <<<"$row")
  recipient=$(sed -nE 's/.*"recipient":"([^"]*)".*/\1/p' <<<"$row")
  "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" explain --json --log "$maillog" "$id" "$recipient" >"$work/explained"
  for member in action status remote_mta; do
    [ "$(grep -oE "\"$member\":(null|\"[^\"]*\")" <<<"$row" | head -n 1)" = \
      "$(grep -oE "\"$member\":(null|\"[^\"]*\")" "$work/explained" | head -n 1)" ] || fail "$member: $row, but $(cat "$work/explained")"
  done
done <"$work/all"
say "$(wc -l <"$work/all") rows as explain has them"

# However it is compressed, and by a pipe.
search --json --log "$maillog" --from @client.example >"$work/plain"
for compress in gzip xz zstd bzip2; do
  "$compress" -c "$maillog" >"$work/packed"
  search --json --log "$work/packed" --from @client.example | cmp - "$work/plain" || fail "$compress"
  search --json --log - --from @client.example <"$work/packed" | cmp - "$work/plain" || fail "$compress, standard input"
  "$compress" -c "$maillog" | search --json --log - --from @client.example | cmp - "$work/plain" || fail "$compress, a pipe"
  for command in "explain --json $mixed" events; do
    # shellcheck disable=SC2086  # words
    "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" $command --log "$maillog" >"$work/from-plain" 2>/dev/null
    # shellcheck disable=SC2086
    "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" $command --log "$work/packed" 2>/dev/null | cmp - "$work/from-plain" ||
      fail "$command, $compress"
  done
done
search --json --log - --from @client.example < <(cat "$maillog") | cmp - "$work/plain" || fail "a pipe"
head -c "$(($(stat -c %s "$work/packed") / 2))" "$work/packed" >"$work/cut"
expect_exit 65 search --log "$work/cut" --from @client.example
expect_output 'data are (cut off|damaged)'

# What people see.
expect_exit 0 search --from ann@client.example
LC_ALL=C.UTF-8 grep -E '^.{81}' "$work/output" && fail "lines of more than 80 characters"
expect_output "ann@client.example .*relayed 2\.1\.9 +$mixed"
expect_output 'recipients of 2 messages; searched 4 logs'
expect_exit 0 search --to ok-bob@partner.example --timeline
expect_output "received from .*127\.0\.0\.1"
expect_exit 1 search --to bob@partner.example --since 2d
expect_output 'nothing found: to bob@partner\.example, since'
expect_output '--to @partner\.example for its whole domain'
expect_output 'The logs begin'
expect_exit 64 search --since tomorrow
expect_output 'not a time: "tomorrow"'
expect_exit 64 search --action bounced
expect_exit 66 search --log "$work/nothing" --to bob
printf 'some\nwords\n' >"$work/words"
expect_exit 65 search --log "$work/words" --to bob
expect_output 'unknown log format: none of 2 lines'
gzip -c "$work/words" >"$work/words.gz"
expect_exit 65 search --log "$work/words.gz" --to bob
expect_output 'unknown log format: none of 2 lines'
search --json --limit 1 >"$work/found" 2>"$work/said"
[ "$(wc -l <"$work/found")" -eq 1 ] || fail "--limit 1: $(cat "$work/found")"
pass
