#!/bin/bash
# mtrk-milter with few descriptors: it takes all that it may have; where that is not enough, further sessions are
# turned away at once, with one log line, and it idles. Mail flows; when sessions end, others are tracked.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system 'smtpd_client_connection_count_limit = 0' 'default_process_limit = 120'
write_config

# hold COUNT: so many sessions with a tracked message each, which stay open.
held=()
hold() {
  local i fd
  for ((i = 0; i < $1; i++)); do
    exec {fd}<>"$(tcp "$smtp_port")"
    held+=("$fd")
    {
      printf 'EHLO client.example\r\nMAIL FROM:<sender@client.example> %s\r\n' "$(tracked_words "held$i@x.example")"
      printf 'RCPT TO:<alice@example.test>\r\nDATA\r\nSubject: test\r\n\r\nHello\r\n.\r\n'
    } >&"$fd"
    timely await_queued "$fd" >/dev/null
  done
}
await_queued() {
  local line
  while IFS= read -r -t 10 line <&"$1"; do
    case $line in *'queued as'*) return ;; [45]*) break ;; esac
  done
  fail "no message was taken: ${line:-}"
}
let_go() {
  local fd
  for fd in "${held[@]}"; do exec {fd}>&-; done
  held=()
}
processor_time() { awk '{ print $14 + $15 }' "/proc/${pids[mtrk-milter]}/stat"; }

start mtrk-milter prlimit --nofile=40:1024 "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
wait_until 10 grep -q state=serving "$work/mtrk-milter.log" || fail "mtrk-milter does not serve"
hold 60
[ "$(grep -c 'mtrk=tracked' "$work/mtrk-milter.log")" -eq 60 ] || fail "the hard limit is not made use of"
let_go
stop mtrk-milter

: >"$work/mtrk-milter.log"
start mtrk-milter prlimit --nofile=40:40 "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
wait_until 10 grep -q state=serving "$work/mtrk-milter.log" || fail "mtrk-milter does not serve"
hold 60
[ "$(grep -c 'out of descriptors' "$work/mtrk-milter.log")" -eq 1 ] || fail "not one line about it: $(cat "$work/mtrk-milter.log")"
tracked=$(grep -c 'mtrk=tracked' "$work/mtrk-milter.log")
if [ "$tracked" -lt 5 ] || [ "$tracked" -ge 60 ]; then fail "$tracked sessions were tracked"; fi
before=$(processor_time)
wait_until 2 false || true
[ $(($(processor_time) - before)) -le 40 ] || fail "it does not idle: $(($(processor_time) - before)) ticks in 3 s"
let_go
tracked_again() { send_tracked "again$RANDOM@x.example" alice@example.test && grep -F "$queue_id: mtrk=tracked" "$work/mtrk-milter.log" | shows commit=done; }
wait_until 20 tracked_again || fail "no session is served although others have ended"
pass
