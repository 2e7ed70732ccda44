#!/bin/bash
# A log that cannot be read is said: in the service manager's status, in the counters, in one warning. A message of
# that time stays delayed 4.0.0. When there is a log again it is followed, and that is said as well.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system
write_config
maillog=$work/mx/log/maillog
mkdir "$work/elsewhere"
sed -i "s|^source = .*|source = \"file:$work/elsewhere/maillog\"|" "$work/mtrk.conf" # Postfix logs to $maillog
cat >"$work/listen" <<'END'
use IO::Socket::UNIX;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
$| = 1;
while (defined $socket->recv(my $text, 4096)) { print "$text\n" }
END
start status-socket perl "$work/listen" "$work/notify"
wait_until 5 test -S "$work/notify" || fail "no socket for notifications"
export NOTIFY_SOCKET=$work/notify
start_milter
unset NOTIFY_SOCKET
start_mtqpd
current() { awk '$1 == "log_current" { print $2 }' "$work/store/milter.stats"; }
is_current() { [ "$(current)" = "$1" ]; }

wait_until 20 grep -q '^STATUS=log: cannot be read' "$work/status-socket.log" || fail "the status does not say it: $(cat "$work/status-socket.log")"
wait_until 20 is_current 0 || fail "the counters do not say it"
[ "$(grep -c 'log=cannot be read' "$work/mtrk-milter.log")" -eq 1 ] || fail "not one warning: $(cat "$work/mtrk-milter.log")"
send_tracked unknown@x.example alice@example.test
expect_outcome unknown@x.example alice@example.test delayed 4.0.0 -

ln "$maillog" "$work/elsewhere/maillog"
wait_until 20 is_current 1 || fail "the counters do not say that it is well again"
status_is() { grep '^STATUS=' "$work/status-socket.log" | tail -n 1 | shows -x "STATUS=$1"; }
wait_until 20 status_is serving || fail "the status does not say that it is well again: $(cat "$work/status-socket.log")"
grep -q 'log=is followed again' "$work/mtrk-milter.log" || fail "the log does not say that it is well again"
send_tracked known@x.example alice@example.test
expect_outcome known@x.example alice@example.test delivered 2.0.0 -
pass
