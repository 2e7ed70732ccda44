#!/bin/bash
# mtrkctl explain --batch agrees with the labelled logs of both mail systems (tests/data/logs; the
# READMEs there have the columns), whose log it is found out from the log itself, and mtrkctl events
# leaves no delivery line unparsed in any of them.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
logs=$top/tests/data/logs
config=$logs/postfix/mtrk.conf

# check FOLDER LOG [EARLIER...]: the rows of a log, read behind earlier ones of the same message.
check() {
  local folder=$1 log=$2 name
  shift 2
  awk -F '\t' -v name="$log" '$1 == name { print $2 "\t" $3 }' "$logs/$folder/expected.tsv" >"$work/batch"
  [ -s "$work/batch" ] || fail "no rows for $log"
  local arguments=()
  for name in "$@" "$log"; do arguments+=(--log "$logs/$folder/$name"); done
  "$MTRK_BIN/mtrkctl" --config "$config" explain --batch "$work/batch" "${arguments[@]}" \
    >"$work/explained" 2>"$work/said" ||
    { [ $? -eq 1 ] && grep -q 'were not understood' "$work/said"; } || fail "$log: $(cat "$work/said")"
  awk -F '\t' -v log_name="$log" -f "$(dirname "$0")/compare.awk" \
    "$logs/$folder/expected.tsv" "$work/explained" || fail "$log does not agree"
}

for log in loopback-short loopback-long hosts-main; do check postfix "$log.log"; done
for folder in sendmail forged-sendmail forged-postfix odd-sendmail odd-postfix headers; do
  cut -f 1 "$logs/$folder/expected.tsv" | sed 1d | sort -u >"$work/names"
  while read -r log; do check "$folder" "$log"; done <"$work/names"
done
for level in level9 level11; do  # one message in three rotated logs
  check sendmail $level/c31-delay-warning.log $level/c30-deferred-then-sent-on-retry.log
  check sendmail $level/c32-expired-after-warning.log $level/c30-deferred-then-sent-on-retry.log \
    $level/c31-delay-warning.log
done

# A header that is not known is said, and what a pipe brings is read as a file is.
expect_exit 0 "$MTRK_BIN/mtrkctl" explain --log - 4dCXzt0Cvjz5Z < <(cat "$logs/headers/frame-compose.log")
expect_output 'failed 5\.1\.1'
sed 's/^.* postfix/?? postfix/' "$logs/headers/plain.log" >"$work/unknown.log"
expect_exit 65 "$MTRK_BIN/mtrkctl" explain --log "$work/unknown.log" 4dCXzt0Cvjz5Z
expect_output 'unknown log format: 4 of 4 lines, such as: \?\? postfix'
gzip -c "$logs/headers/plain.log" >"$work/packed"
expect_exit 0 "$MTRK_BIN/mtrkctl" explain --log "$work/packed" 4dCXzt0Cvjz5Z
expect_output 'failed 5\.1\.1'
head -c 100 "$work/packed" >"$work/cut"
expect_exit 65 "$MTRK_BIN/mtrkctl" events --log "$work/cut"
expect_output 'gzip data are cut off'

# What Sendmail refused or discarded is no message, and explain says so.
data=$logs/sendmail
sed 1d "$data/norecord.tsv" >"$work/norecord"
while IFS=$'\t' read -r log queue_id _; do
  expect_exit 1 "$MTRK_BIN/mtrkctl" explain --log "$data/$log" "$queue_id"
done <"$work/norecord"
expect_exit 1 "$MTRK_BIN/mtrkctl" explain --log "$data/level9/c21-milter-reject-rcpt.log" 6ALGq1SY026917 milterrej@example.net
expect_output 'refused at RCPT'

# For people: hop, reply, delay, ids followed, and what it is concluded from.
expect_exit 0 "$MTRK_BIN/mtrkctl" explain --log "$data/queue-split/c47-split-by-maxrcpts.log" 6ALH16DX002768 a5@example.net
expect_output 'followed as 6ALH16DY002768 6ALH16DZ002768'
expect_output 'next hop mx1\.example\.net\. \[127\.0\.0\.1\], delay 00:00:00'
expect_output 'Ok: queued as 4SINK00117'
expect_exit 0 "$MTRK_BIN/mtrkctl" explain --log "$data/level9/c12-alias-one-to-many.log" 6ALGpnGd025169 team@mx.example.test
expect_output 'known by elimination'

# What a help desk reads: transcripts (tests/data/explain/README.md), in lines of 80 columns.
for want in "$top"/tests/data/explain/*.want; do
  MTRKCTL=$MTRK_BIN/mtrkctl "$(dirname "$0")/transcript" "$want" >"$work/transcript"
  diff -u "$want" "$work/transcript" || fail "$want"
  grep -vE '^(\$ |\{)' "$work/transcript" | LC_ALL=C.UTF-8 grep -E '^.{81}' &&
    fail "$want: lines of more than 80 characters"
  # No C0 but line feed, no DEL, C1 or bidi controls.
  LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xaf]' "$work/transcript" &&
    fail "$want: control characters"
done
say "$(find "$top/tests/data/explain" -name '*.want' | wc -l) transcripts agree"

find "$logs/postfix" "$logs/sendmail" -name '*.log' ! -name '*.milter*' ! -name '*.proxy.log' | sort >"$work/all"
while read -r log; do
  "$MTRK_BIN/mtrkctl" --config "$config" events --log "$log" >"$work/events" 2>"$work/summary"
  grep -qE '(^| )unparsed=0( |$)' "$work/summary" || fail "$log: $(cat "$work/summary")"
  # Every delivery line gives an event for each of its recipients: nobody can hide or forge one.
  lines=$(grep -cE '((relay=|dsn=).*status=(sent|deferred|bounced|SOFTBOUNCE|deliverable|undeliverable))|[0-9]: to=' "$log" || true)
  events=$(grep -cE '"event":"(delivery|forwarded)"' "$work/events" || true)
  [ "$events" -ge "$lines" ] || [[ $log != */sendmail/* ]] || fail "$log: $lines delivery records, $events events"
done <"$work/all"
say "$(wc -l <"$work/all") logs without an unparsed line"
pass
