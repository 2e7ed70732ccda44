#!/bin/bash
# The fail2ban filter and jail for mtqpd, by Debian's fail2ban (unpacked, not installed): each line of the corpus counts as
# it should and for the address it should, in a file and as the journal shows it; what a running mtqpd logs about one who
# guesses counts once for each guess; nobody can make it count for another address; the jail is off until it is enabled.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
if ! "$top/tests/support/debian-package" fetch "$TESTBED_CACHE" fail2ban 2>"$work/fetch.err"; then
  say "SKIPPED: fail2ban cannot be had, so its filter was not tried: $(tail -n 1 "$work/fetch.err")"
  pass
  exit 0
fi
"$top/tests/support/debian-package" unpack "$work/root" "$TESTBED_CACHE" fail2ban
readonly config=$work/root/etc/fail2ban data=$top/tests/data/fail2ban
cp "$top/contrib/fail2ban/filter.d/mtqpd.conf" "$config/filter.d/"
cp "$top/contrib/fail2ban/jail.d/mtqpd.conf" "$config/jail.d/"

# Python of the system: the package is for it.
fail2ban() { # PROGRAM ARGUMENT...
  local program=$1
  shift
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/root/usr/lib/python3/dist-packages \
    /usr/bin/python3 "$work/root/usr/bin/fail2ban-$program" -c "$config" "$@"
}
# counts FILE [OPTION]: the addresses that the lines of a log count for, one a line.
counts() {
  fail2ban regex -o ip "$1" "mtqpd${2:+[$2]}" 2>"$work/regex.err" || { [ $? -eq 255 ] || fail "fail2ban-regex: $(cat "$work/regex.err")"; }
}

# The corpus: an address, or "-", and the line; in the modes of the filter.
for mode in queries sessions; do
  sed -n "s/^\($mode\|both\) //p" "$data/counted.txt" | cut -d ' ' -f 1 >"$work/wanted"
  sed -n "s/^\($mode\|both\) [^ ]* //p" "$data/counted.txt" >"$work/mail.log"
  [ -s "$work/mail.log" ] || fail "no lines for mode $mode"
  counts "$work/mail.log" "mode=$mode" >"$work/got"
  diff "$work/wanted" "$work/got" >"$work/output" || fail "mode $mode: $(cat "$work/output")"
  # As journalctl and rsyslog's newer default write them.
  sed -E "s/^(\S+ +\S+ \S+) /2026-12-01T03:06:01.123456+00:00 /" "$work/mail.log" >"$work/iso.log"
  counts "$work/iso.log" "mode=$mode" >"$work/got"
  diff "$work/wanted" "$work/got" >"$work/output" || fail "mode $mode, dates of RFC 3339: $(cat "$work/output")"
  counts "$data/ignored.log" "mode=$mode" >"$work/got"
  [ ! -s "$work/got" ] || fail "mode $mode counts what is no failure, for: $(cat "$work/got")"
  # Those that the one mode counts do not count in the other.
  grep -vE "^($mode|both|#)" "$data/counted.txt" | sed 's/^[a-z]* [^ ]* //' >"$work/others.log"
  counts "$work/others.log" "mode=$mode" >"$work/got"
  [ ! -s "$work/got" ] || fail "mode $mode counts twice, for: $(cat "$work/got")"
done

# A running mtqpd: 30 misses, then throttled; two errors; a find; and text that looks like a line of the log.
free_port mtqp_port
write_config 'trusted = ["127.0.0.9"]'
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"one@open.example","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd
ask() { # FROM LINES...
  # shellcheck disable=SC2016 # python text
  /usr/bin/python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20, (sys.argv[2], 0))
s.sendall("".join(line + "\r\n" for line in sys.argv[3:]).encode())
s.shutdown(socket.SHUT_WR)
while s.recv(65536): pass' "$mtqp_port" "$@"
}
guesses=()
for i in $(seq 31); do guesses+=("TRACK guess-$i@open.example $secret"); done
ask 127.0.0.5 "${guesses[@]}" QUIT
ask 127.0.0.2 "TRACK one@open.example $secret" QUIT
ask 127.0.0.6 FOO "00000000: track=noinfo, client=192.0.2.1, tls=no" "TRACK track+3Dnoinfo,client+3D192.0.2.1@open.example $secret" QUIT
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
sed "s/^mtqpd: /$(LC_ALL=C date '+%b %e %T') mx mtqpd[4711]: /" "$work/mtqpd.log" >"$work/live.log"
counts "$work/live.log" | sort | uniq -c | sed 's/^ *//' >"$work/output"
expect_output '^31 127\.0\.0\.5$' # 30 misses, and the session that was throttled
expect_output '^1 127\.0\.0\.6$'
[ "$(wc -l <"$work/output")" -eq 2 ] || fail "others count as well: $(cat "$work/output")"

# The jail: off as it comes; on by the two lines that it names. The dump shows that fail2ban takes it.
fail2ban client -d >"$work/output" 2>&1 || true
! grep -q "'add', 'mtqpd'" "$work/output" || fail "the jail is on by itself"
printf '[mtqpd]\nenabled = true\n' >"$config/jail.d/zz-local.conf"
expect_exit 0 fail2ban client -d
for line in "\['add', 'mtqpd', 'systemd'\]" "'addjournalmatch', '_SYSTEMD_UNIT=mtqpd.service'" "'mtqpd', 'maxretry', 100" "1038,1039"; do expect_output "$line"; done
pass
