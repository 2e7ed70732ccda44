#!/bin/bash
# Killed anywhere is as good as not killed: mtrkctl ingest and mtrk-milter, reading a log file that
# is written and rotated meanwhile, or journal files, are ended by kill -9 at random points, and in
# the end TRACK says of every message, octet for octet, what an undisturbed run made it say.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
messages=${MESSAGES:-2000}
pieces=${PIECES:-80} # in which the log comes, about
lines=0

journal_remote=
for place in /usr/lib/systemd/systemd-journal-remote /lib/systemd/systemd-journal-remote; do
  [ ! -x "$place" ] || journal_remote=$place
done
[ -n "$journal_remote" ] || fail "systemd-journal-remote is not installed (contrib/check --deps)"

# --- the log, as text and as journal entries ------------------------------------------------------

begin_at=$(($(date +%s) - 600))
awk -v messages="$messages" -v begin="$begin_at" -f "$(dirname "$0")/make-log.awk" |
  sort -s -n -k 1,1 | cut -f 2- >"$work/entries"
lines=$(wc -l <"$work/entries")

as_log() {
  awk -F '\t' '{
    printf "%s.%06dZ mx postfix/%s[4711]: %s\n", strftime("%Y-%m-%dT%H:%M:%S", int($1 / 1000000), 1), $1 % 1000000, $2, $3
  }'
}
as_export() {
  awk -F '\t' '{
    printf "__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%.0f\n", $1, $1 - 1700000000000000
    printf "_BOOT_ID=0123456789abcdef0123456789abcdef\n_TRANSPORT=syslog\n_UID=101\n_PID=4711\n_COMM=%s\n", $2
    printf "_HOSTNAME=mx\nSYSLOG_IDENTIFIER=postfix/%s\nMESSAGE=%s\n\n", $2, $3
  }'
}

# write_journal FOLDER: stdin, entries, at the end of its journal
write_journal() {
  as_export >"$work/export"
  "$journal_remote" --output="$1/system.journal" "$work/export" >"$work/journal-remote.log" 2>&1 ||
    fail "journal: $(cat "$work/journal-remote.log")"
}

# --- stores ---------------------------------------------------------------------------------------

# config STORE SOURCE
config() {
  cat >"$work/$1.conf" <<END
hostname = "mx.example.test"
[store]
path = "$work/$1"
max_size = "1GiB"
[milter]
socket = "unix:$work/$1.sock"
[log]
source = "$2"
accounts = ["0", "101"]
[mtqpd]
listen = ["127.0.0.1:$mtqp_port"]
END
}

# A store with all messages, queued and undelivered, to copy.
config queued "file:$work/nowhere"
mkdir "$work/queued"
awk -v messages="$messages" -v certifier="$certifier" \
  -v arrival="$(date -u -d "@$begin_at" +%Y-%m-%dT%H:%M:%SZ)" \
  -v retry="$(date -u -d "@$((begin_at + 432000))" +%Y-%m-%dT%H:%M:%SZ)" '
  function recipient(address) {
    return sprintf("{\"original\":\"rfc822;%s\",\"final\":\"rfc822;%s\",\"action\":\"delayed\",\"status\":\"4.0.0\",\"will_retry_until\":\"%s\"}", address, address, retry)
  }
  BEGIN {
    for (i = 0; i < messages; ++i) {
      to = "r" i "@example.test"
      printf "{\"envelope_id\":\"m%d@x.example\",\"certifier\":\"%s\",\"arrival\":\"%s\",\"timeout\":86400,\"queue_id\":\"4jW%05dzZZZZZ\",\"recipients\":[%s%s]}\n", \
        i, certifier, arrival, i, recipient(to), i % 7 == 5 ? "," recipient("x" to) : ""
    }
  }' >"$work/import.ndjson"
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/queued.conf" import "$work/import.ndjson"

# store NAME SOURCE: a copy
store() {
  config "$@"
  cp -r "$work/queued" "$work/$1"
}

# track_all STORE: what TRACK says of all messages, all of it but the boundaries of the reports
track_all() {
  cp "$work/$1.conf" "$work/mtrk.conf"
  start_mtqpd
  exec {socket}<>"/dev/tcp/127.0.0.1/$mtqp_port"
  { seq -f "TRACK m%.0f@x.example $secret" 0 $((messages - 1)) | sed 's/$/\r/' && printf 'QUIT\r\n'; } >&"$socket" &
  tr -d '\r' <&"$socket" | sed -E '/boundary=/d; /^--/d' >"$work/$1.answers"
  exec {socket}>&-
  stop mtqpd
}

agrees() {
  track_all "$1"
  cmp -s "$work/undisturbed.answers" "$work/$1.answers"
}
expect_agreement() {
  wait_until 30 agrees "$1" ||
    fail "$2: $(diff "$work/undisturbed.answers" "$work/$1.answers" | head -n 20)"
}

# a random time under N milliseconds
pause() {
  local wait=$((RANDOM % $1))
  sleep "$((wait / 1000)).$(printf '%03d' $((wait % 1000)))"
}

# --- undisturbed ----------------------------------------------------------------------------------

as_log <"$work/entries" >"$work/whole.maillog"
mkdir "$work/journal"
write_journal "$work/journal" <"$work/entries"
store undisturbed "file:$work/nowhere"
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/undisturbed.conf" ingest --log "$work/whole.maillog"
expect_output "lines=$lines .*unparsed=0"
track_all undisturbed
[ "$(grep -c '^Action: ' "$work/undisturbed.answers")" -eq $((messages + (messages + 1) / 7)) ] ||
  fail "TRACK does not know all recipients"
for action in relayed failed delayed delivered; do
  grep -q "^Action: $action" "$work/undisturbed.answers" || fail "no recipient is $action"
done
store journal-undisturbed "file:$work/nowhere"
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/journal-undisturbed.conf" ingest --log "journal:$work/journal"
expect_output "lines=$lines .*unparsed=0"
expect_agreement journal-undisturbed "the journal undisturbed"

# --- ingest, killed -------------------------------------------------------------------------------

# kill_ingest STORE LOG
kill_ingest() {
  local killed=0 round
  for ((round = 0; round < 200; round++)); do
    "$MTRK_BIN/mtrkctl" --config "$work/$1.conf" ingest --log "$2" >>"$work/ingest.log" 2>&1 &
    pids[ingest]=$!
    # At first hardly started; then ever longer, so that it comes to its end.
    pause $((20 + round * round * 5))
    stop ingest KILL
    [ "$exit_status" -ne 0 ] || break
    killed=$((killed + 1))
  done
  [ "$exit_status" -eq 0 ] || fail "ingest $1 ended with $exit_status"
  say "ingest, $1: killed $killed times"
  expect_agreement "$1" "ingest killed $killed times"
}
store ingest-file "file:$work/nowhere"
kill_ingest ingest-file "$work/whole.maillog"
store ingest-journal "file:$work/nowhere"
kill_ingest ingest-journal "journal:$work/journal"

# --- following, killed ----------------------------------------------------------------------------

milter() { start "$1" "$MTRK_BIN/mtrk-milter" --config "$work/$1.conf"; }
has_started() { [ -S "$work/$1.sock" ]; }

# follow STORE WRITE ROTATE: WRITE appends entries from stdin, ROTATE takes the number of the round
follow() {
  local first=1 round=0 killed=0
  milter "$1" # the position is kept before there is anything to read
  wait_until 10 has_started "$1" || fail "mtrk-milter does not start"
  stop "$1" KILL
  while [ "$first" -le "$lines" ]; do
    local count=$((lines / 2 / pieces + 1 + RANDOM % (lines / pieces)))
    sed -n "${first},$((first + count - 1))p" "$work/entries" | "$2"
    first=$((first + count))
    round=$((round + 1))
    if [ $((RANDOM % 3)) -eq 0 ]; then "$3" "$round"; fi
    if [ -n "${pids[$1]:-}" ] && [ $((RANDOM % 2)) -eq 0 ]; then
      pause 100
      stop "$1" KILL
      killed=$((killed + 1))
    elif [ -z "${pids[$1]:-}" ]; then
      milter "$1"
      pause 300
    fi
  done
  [ -n "${pids[$1]:-}" ] || milter "$1"
  say "following, $1: killed $killed times in $round rounds"
  expect_agreement "$1" "following killed $killed times"
  stop "$1"
  [ "$exit_status" -eq 0 ] || fail "mtrk-milter ended with $exit_status"
  ! grep -q "gap=" "$work/$1.log" || fail "$(grep gap= "$work/$1.log")"
}

# A line is torn: its end comes later.
write_file() {
  as_log >"$work/next"
  head -c -20 "$work/next" >>"$work/log/maillog"
  pause 100
  tail -c 20 "$work/next" >>"$work/log/maillog"
}
rotate_file() { mv "$work/log/maillog" "$work/log/maillog.$((1000 + $1))" && : >"$work/log/maillog"; }
mkdir "$work/log"
store follow-file "file:$work/log/maillog"
follow follow-file write_file rotate_file

write_followed_journal() { write_journal "$work/followed"; }
rotate_journal() { mv "$work/followed/system.journal" "$work/followed/system@$1.journal"; }
mkdir "$work/followed"
store follow-journal "journal:$work/followed"
follow follow-journal write_followed_journal rotate_journal

pass
