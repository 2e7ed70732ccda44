#!/bin/bash
# What can go wrong round the gate: the mail system gone at each command, early talkers, long lines, smuggled ends of
# messages, clients that vanish or only close their half, too many of them, restart under way. The gate never says 2xx
# for somebody else.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
upstream_port='' gate_port=''
free_port upstream_port
free_port gate_port
mtqp_port=1
write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$upstream_port\"
identify = \"none\"
networks = [\"127.0.0.1\"]
max_connections_per_address = 5"
start_gate "$gate_port"

# Nobody there: 421, and the connection ends.
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
timeout 10 cat <&"$socket" >"$work/down"
exec {socket}>&-
grep -q '^421 4.3.0' "$work/down" || fail "mail system down: $(cat "$work/down")"

# A mail system that goes away when it gets the line, without an answer.
dies_at() {
  [ -z "${pids[upstream]:-}" ] || stop upstream
  : >"$work/upstream.commands"
  start upstream "$MTRK_BIN/fake_next_hop" --port "$upstream_port" --log "$work/upstream.commands" --dies-at "$1"
  wait_until 10 answers "$upstream_port" || fail "no mail system"
}
for command in EHLO MAIL RCPT DATA Subject . QUIT; do
  dies_at "$command"
  exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
  : >"$work/told"
  {
    IFS= read -r -t 10 line <&"$socket" && printf '%s\n' "$line"
    for send in "EHLO client.example" "MAIL FROM:<s@client.example> MTRK=$certifier ENVID=x@example.net" "RCPT TO:<r@example.test>" \
      DATA $'Subject: x\r\n\r\nHello\r\n.' QUIT; do
      printf '%s\r\n' "$send" >&"$socket" || break
      while IFS= read -r -t 10 line <&"$socket"; do
        printf '%s\n' "$line"
        [ "${line:3:1}" = - ] || break
      done
      case $line in 421*) break ;; esac
    done
  } >"$work/told" 2>/dev/null
  exec {socket}>&-
  grep -q '^421 4.3.0' "$work/told" || fail "gone at $command: $(cat "$work/told")"
  if [ "$command" != QUIT ] && grep -q '^250 2.0.0 Ok: queued' "$work/told"; then fail "gone at $command, and yet queued"; fi
done
dies_at nothing

# Early talkers: the mail system takes its time to greet, the client does not wait for it.
kill -STOP "${pids[upstream]}"
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
printf 'EHLO client.example\r\n' >&"$socket"
kill -CONT "${pids[upstream]}"
timeout 10 cat <&"$socket" >"$work/told" || fail "an early talker is not sent away: $(cat "$work/told")"
exec {socket}>&-
grep -q '^554 5.5.1' "$work/told" || fail "early talker: $(cat "$work/told")"

# Over-long lines, bare line feeds, smuggled ends.
: >"$work/upstream.commands"
{
  printf 'EHLO client.example\r\n'
  printf 'NOOP %s\r\n' "$(printf 'x%.0s' {1..5000})"
  printf 'NOOP\n'
  printf 'MAIL FROM:<s@client.example>\r\nRCPT TO:<r@example.test>\r\nDATA\r\n'
} >"$work/input"
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 10 line <&"$socket"
cat "$work/input" >&"$socket"
told() { grep -q '^354' "$work/told"; }
timeout 20 cat <&"$socket" >"$work/told" &
wait_until 10 told || fail "no 354: $(cat "$work/told")"
printf 'a\n.\r\nMAIL FROM:<smuggled@client.example>\r\n.\n.\r\r\n.\r\nQUIT\r\n' >&"$socket"
said_bye() { grep -q '^221' "$work/told"; }
wait_until 10 said_bye || fail "no end: $(cat "$work/told")"
exec {socket}>&-
[ "$(grep -c '^500 5.5.2' "$work/told")" -eq 2 ] || fail "long line and bare LF: $(cat "$work/told")"
[ "$(grep -c '^250 2.0.0 Ok: queued' "$work/told")" -eq 1 ] || fail "smuggled: $(cat "$work/told")"
# This mail system takes a bare LF for the end of a line.
[ "$(grep -c '^accepted' "$work/upstream.commands")" -eq 1 ] || fail "two ends went to the mail system"
! grep smuggled "$work/upstream.commands" || fail "a smuggled command went to the mail system"

# A client that closes its half after the last word gets all replies; one that vanishes within a message sends none.
: >"$work/upstream.commands"
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 10 line <&"$socket"
printf 'EHLO client.example\r\nMAIL FROM:<s@client.example>\r\nRCPT TO:<r@example.test>\r\nDATA\r\nhalf a mess' >&"$socket"
in_message() { grep -q '^DATA' "$work/upstream.commands"; }
wait_until 10 in_message || fail "no DATA"
exec {socket}>&-
gone_in_message() { grep -q 'client gone within a message' "$work/mtrk-gate.log"; }
wait_until 10 gone_in_message || fail "a vanished client is not noticed"
! grep -q '^accepted' "$work/upstream.commands" || fail "half a message was ended"

# No more than five of one address.
sockets=()
for _ in 1 2 3 4 5; do
  exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
  sockets+=("$socket")
  IFS= read -r -t 10 line <&"$socket" || fail "no greeting"
done
exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 10 line <&"$socket" || fail "no answer to the sixth"
exec {socket}>&-
case $line in 421*) ;; *) fail "the sixth client was let in: $line" ;; esac

# Restart: idle sessions end with 421, one within a message ends when that is done.
socket=${sockets[0]}
printf 'EHLO client.example\r\nMAIL FROM:<s@client.example>\r\nRCPT TO:<r@example.test>\r\nDATA\r\n' >&"$socket"
while IFS= read -r -t 10 line <&"$socket"; do case $line in 354*) break ;; esac; done
kill -TERM "${pids[mtrk-gate]}"
IFS= read -r -t 10 line <&"${sockets[1]}" || fail "an idle session ended without a word"
case $line in 421*) ;; *) fail "an idle session got: $line" ;; esac
printf 'Subject: x\r\n\r\nHello\r\n.\r\n' >&"$socket"
IFS= read -r -t 10 line <&"$socket" || fail "a message was cut off by the restart"
case $line in '250 2.0.0 Ok: queued'*) ;; *) fail "a message under way got: $line" ;; esac
for socket in "${sockets[@]}"; do exec {socket}>&-; done
wait_gone "${pids[mtrk-gate]}" 10 || fail "mtrk-gate does not end"
stop mtrk-gate
[ "$exit_status" -eq 0 ] || fail "mtrk-gate ended with $exit_status"
pass
