#!/bin/bash
# mtrk-milter and signals, sockets, threads and takeover, as mtrk-milter(8) says: SIGHUP is ignored, SIGUSR1
# reloads, SIGTERM lets a message under way end with its ENVID restored, a second one does not wait;
# an old instance that stops leaves the socket's name to the new one.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system
write_config
start_milter
start_mtqpd
socket=$work/mx/spool/mtrk/milter.sock
log=$work/mtrk-milter.log

logged() { grep -qF -- "$1" "$log"; }
expect_logged() { wait_until 5 logged "$1" || fail "no '$1' in the log"; }

[ "$(stat -c %a "$socket")" = 660 ] || fail "the socket has mode $(stat -c %a "$socket")"
[ "$(find "$work/mx/spool/mtrk" -type s | wc -l)" -eq 1 ] || fail "more than one socket"

# HUP, PIPE and a burst of both with reloads do nothing.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -HUP "${pids[mtrk-milter]}"
  kill -PIPE "${pids[mtrk-milter]}"
  kill -USR1 "${pids[mtrk-milter]}"
done
expect_logged "reload=done, restart=not needed"
send_tracked after-hup@x.example alice@example.test
expect_outcome after-hup@x.example alice@example.test delivered 2.0.0 -

# Reload: a change that takes effect, one that needs a restart, one that is wrong.
cp "$work/mtrk.conf" "$work/good.conf"
printf '[retention]\ndefault = "2d"\n' >>"$work/mtrk.conf"
sed -i 's/^commit_wait = .*/commit_wait = "500ms"/' "$work/mtrk.conf"
kill -USR1 "${pids[mtrk-milter]}"
expect_logged "restart=needed"
echo 'nonsense = 1' >>"$work/mtrk.conf"
kill -USR1 "${pids[mtrk-milter]}"
expect_logged "reload=failed"
cp "$work/good.conf" "$work/mtrk.conf"
send_tracked after-reload@x.example bob@example.test
expect_outcome after-reload@x.example bob@example.test delivered 2.0.0 -

# Takeover: the new instance has the name, the old one's end does not take it away.
old=${pids[mtrk-milter]}
mkdir "$work/store2"
sed "s|$work/store|$work/store2|" "$work/mtrk.conf" >"$work/second.conf"
inode=$(stat -c %i "$socket")
start second "$MTRK_BIN/mtrk-milter" --config "$work/second.conf"
renewed() { [ "$(stat -c %i "$socket")" != "$inode" ]; }
wait_until 10 renewed || fail "the second instance did not take the name"
kill -TERM "$old"
wait_gone "$old" 10 || fail "the first instance does not end"
[ -S "$socket" ] || fail "the first instance took the socket away"
stop second
[ "$exit_status" -eq 0 ] || fail "the second instance ended with $exit_status"
[ ! -e "$socket" ] || fail "the second instance left its socket behind"
unset 'pids[mtrk-milter]'
start_milter

# The main threads, that of the connection to the store process, the store's writer and the queue's watcher have the
# usual policy, by field 41 of proc(5)'s stat; the follower and those of libmilter let others finish (3 is SCHED_BATCH).
keeper=$(pgrep -P "${pids[mtrk-milter]}")
store=$(pgrep -P "$keeper")
policies() {
  cat "/proc/$1/task/"*/stat | sed 's/.*) //' | awk '{ n[$39]++ } END { for (policy in n) if (policy != 3) print policy, n[policy] }'
}
policies_right() { [ "$(policies "${pids[mtrk-milter]}")" = "0 2" ] && [ "$(policies "$store")" = "0 3" ]; }
wait_until 5 policies_right || fail "scheduling policies and numbers of threads beside SCHED_BATCH: $(policies "${pids[mtrk-milter]}"), $(policies "$store")"

# TERM in the middle of a message: it ends in peace, then the program does.
exec {session}<>"/dev/tcp/127.0.0.1/$smtp_port"
reply() { # reads one SMTP reply
  local line
  while IFS= read -r -t 20 line <&"$session"; do
    case $line in ???-*) ;; *) break ;; esac
  done
  printf '%s\n' "$line"
}
ask() { printf '%s\r\n' "$@" >&"$session" && reply; }
reply >/dev/null
ask "EHLO client.example" >/dev/null
ask "MAIL FROM:<s@x.example> MTRK=$certifier RET=HDRS ENVID=drained@x.example" >/dev/null
ask "RCPT TO:<ok1@partner.example>" >/dev/null
ask DATA >/dev/null
policies_right || fail "those at work for a message: $(policies)"
milter=${pids[mtrk-milter]}
kill -TERM "$milter"
hidden() { [ ! -e "$socket" ]; }
wait_until 5 hidden || fail "the socket's name is still there"
sleep 0.5
kill -0 "$milter" || fail "it did not wait for the message"
ask "Subject: x" "" hello . | shows ^250 || fail "the message was refused"
stop mtrk-milter
[ "$exit_status" -eq 0 ] || fail "it ended with $exit_status"
exec {session}>&-
clean() { grep -q '^MAIL FROM:<s@x.example>.* ENVID=drained@x.example' "$work/next-hop.commands"; }
wait_until 10 clean || fail "the ENVID was not restored: $(grep drained "$work/next-hop.commands")"
! grep -q ';MTRK:' "$work/next-hop.commands" || fail "a fold got out"
start_milter
expect_outcome drained@x.example ok1@partner.example relayed 2.1.9 '[127.0.0.1]'

# A second TERM ends the waiting.
exec {session}<>"/dev/tcp/127.0.0.1/$smtp_port"
reply >/dev/null
ask "EHLO client.example" >/dev/null
ask "MAIL FROM:<s@x.example> MTRK=$certifier ENVID=hurried@x.example" >/dev/null
ask "RCPT TO:<alice@example.test>" >/dev/null
milter=${pids[mtrk-milter]}
kill -TERM "$milter"
wait_until 5 hidden || fail "the socket's name is still there"
kill -TERM "$milter"
stop mtrk-milter INT
[ "$exit_status" -eq 0 ] || fail "it ended with $exit_status"
exec {session}>&-

# What it refuses at start.
sed 's|^socket = .*|socket = "inet:8890@192.0.2.1"|' "$work/mtrk.conf" >"$work/bad.conf"
expect_exit 78 "$MTRK_BIN/mtrk-milter" --config "$work/bad.conf" --check-config
expect_output "only this host"
sed 's|^source = .*|source = "journal:x"|' "$work/mtrk.conf" >"$work/bad.conf"
expect_exit 78 "$MTRK_BIN/mtrk-milter" --config "$work/bad.conf"
expect_output "source"
sed "s|^socket = .*|socket = \"unix:$work/nowhere/m.sock\"|" "$work/mtrk.conf" >"$work/bad.conf"
expect_exit 73 timeout 20 "$MTRK_BIN/mtrk-milter" --config "$work/bad.conf"
expect_exit 64 "$MTRK_BIN/mtrk-milter" --frobnicate
pass
