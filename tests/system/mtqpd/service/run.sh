#!/bin/bash
# mtqpd under a service manager: sockets handed over, readiness and watchdog told, counters for mtrkctl stats
# and by HTTP, unit files that ask for no more than they need.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
metrics_port='' handed_port='' handed_tls_port=''
free_port metrics_port
free_port handed_port
free_port handed_tls_port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
  -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
write_config "metrics = \"127.0.0.1:$metrics_port\"
[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\""
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"one@open.example","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -

# The manager's end of sd_notify(3): each datagram as lines of a file.
# shellcheck disable=SC2016 # perl text
start notify perl -MSocket -e '
  socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die;
  bind($s, pack_sockaddr_un($ARGV[0])) or die;
  open(my $out, ">>", $ARGV[1]) or die;
  while (1) { my $m; defined(recv($s, $m, 4096, 0)) or next; syswrite($out, "$m\n") }' "$work/notify" "$work/notified"
wait_until 5 [ -S "$work/notify" ] || fail "no socket for notifications"
NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=10000000 start_mtqpd
wait_until 5 grep -qx READY=1 "$work/notified" || fail "READY=1 was not told"
wait_until 5 grep -qx WATCHDOG=1 "$work/notified" || fail "the watchdog was not told"
kill -HUP "${pids[mtqpd]}"
wait_until 5 grep -qx RELOADING=1 "$work/notified" || fail "RELOADING=1 was not told"

# Counters: of this server, by file and by HTTP; over the same numbers.
printf '%s\n' "TRACK one@open.example $secret" "TRACK two@open.example $secret" FOO QUIT | dialogue mtqp "$mtqp_port" >"$work/output"
counted() { "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats | shows -x "$1"; }
for row in 'mtqpd.found 1' 'mtqpd.no_information 1' 'mtqpd.commands 4' 'mtqpd.store_available 1'; do
  wait_until 10 counted "$row" || fail "no '$row' in mtrkctl stats: $("$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats)"
done
"$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats --json | shows '"mtqpd":{.*"found":1' || fail "mtrkctl stats --json"
http() { # REQUEST
  exec {socket}<>"/dev/tcp/127.0.0.1/$metrics_port"
  printf '%b' "$1" >&"$socket"
  timeout 10 cat <&"$socket" | tr -d '\r'
  exec {socket}>&-
}
http 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' >"$work/output"
for line in '^HTTP/1.1 200 OK$' '^mtqpd_found_total 1$' '^mtqpd_no_information_total 1$' '^# EOF$'; do expect_output "$line"; done
! grep -aE 'one@open|127\.0\.0\.1' "$work/output" || fail "more than numbers in the metrics"
for request in '' '\r\n\r\n' 'GET / HTTP/1.1\r\n\r\n' 'DELETE /metrics HTTP/1.1\r\n\r\n' "$(head -c 9000 /dev/zero | tr '\0' x)"; do
  http "$request\r\n\r\n" >"$work/output" || true
  ! grep -q '^mtqpd_' "$work/output" || fail "metrics for: ${request:0:40}"
done
http 'GET /metrics HTTP/1.1\r\n\r\n' | shows '^# EOF$' || fail "no metrics after rubbish"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
grep -qx STOPPING=1 "$work/notified" || fail "STOPPING=1 was not told"

# Sockets of the manager, one of them for TLS, instead of those of the configuration.
command -v systemd-socket-activate >/dev/null || fail "systemd-socket-activate is not installed"
start mtqpd systemd-socket-activate --fdname=mtqp:mtqps -l "127.0.0.1:$handed_port" -l "127.0.0.1:$handed_tls_port" \
  "$MTRK_BIN/mtqpd" --config "$work/mtrk.conf"
wait_until 10 answers "$handed_port" || fail "nobody listens"
printf '%s\n' "TRACK one@open.example $secret" QUIT | dialogue mtqp "$handed_port" >"$work/output"
expect_output '^S: Action: delivered'
printf '%s\r\n' "TRACK one@open.example $secret" QUIT |
  timeout 10 openssl s_client -quiet -CAfile "$work/certificate.pem" -verify_return_error -connect "127.0.0.1:$handed_tls_port" >"$work/output" 2>/dev/null || true
expect_output '^Action: delivered'
! answers "$mtqp_port" 2>/dev/null || fail "the address of the configuration is bound as well"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"

# The unit: what systemd itself thinks of its exposure, where it can be asked.
unit=$work/mtqpd.service
sed 's|@sbindir@|/usr/sbin|' "$top/contrib/systemd/mtqpd.service.in" >"$unit"
for line in NoNewPrivileges=yes CapabilityBoundingSet= ProtectSystem=strict MemoryDenyWriteExecute=yes LimitCORE=0 RuntimeDirectory=mtqpd; do
  grep -qx "$line" "$unit" || fail "no $line in the unit"
done
pass
