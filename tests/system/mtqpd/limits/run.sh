#!/bin/bash
# mtqpd against clients that mean harm, as an administrator would see it: too many connections of one address
# (THR-D5), no descriptors left (THR-D6), rubbish of all kinds (THR-D11, THR-S11), guesses (THR-O3), offenders who come back; other
# clients are answered all the time. The log names no id and no secret (MTQP-11-10, THR-V2) and stays short.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
write_config 'trusted = ["127.0.0.9"]
max_connections_per_address = 50
threads = 1'
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"canary-id@open.example","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd

# ask FROM LINES...: sends the lines at once from that address of loopback; prints what comes, to the end.
ask() {
  perl -MSocket -e '
    my ($from, $port, @lines) = @ARGV;
    socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
    bind($s, pack_sockaddr_in(0, inet_aton($from))) or die "bind: $!";
    connect($s, pack_sockaddr_in($port, inet_aton("127.0.0.1"))) or die "connect: $!";
    alarm 20;
    syswrite($s, join("", map { "$_\r\n" } @lines));
    shutdown($s, 1);
    while (sysread($s, my $piece, 65536)) { print $piece }' "$1" "$mtqp_port" "${@:2}" | tr -d '\r'
}
# A client that does nothing wrong, from an address of its own.
expect_service() {
  ask "127.0.0.${1:-2}" "TRACK canary-id@open.example $secret" QUIT >"$work/output"
  expect_output '^Action: delivered'
}
expect_service

# THR-D5: the fifty-first connection of an address.
opened=()
for _ in $(seq 50); do
  exec {socket}<>"/dev/tcp/127.0.0.1/$mtqp_port"
  opened+=("$socket")
done
ask 127.0.0.1 QUIT >"$work/output"
expect_output '^-TEMP/MTQP/unavailable'
expect_service
for socket in "${opened[@]}"; do exec {socket}>&-; done
free_again() { ask 127.0.0.1 QUIT | shows '^+OK bye'; }
wait_until 10 free_again || fail "closed connections are not forgotten"

# THR-D11, THR-S11: rubbish. No answer but -BAD, and mtqpd goes on.
for rubbish in 'POST / HTTP/1.1' $'\x16\x03\x01\x02' 'EHLO x' "$(head -c 3000 /dev/zero | tr '\0' '%')" '%s%n%x' $'\x1b]0;x\x07'; do
  ask 127.0.0.3 "$rubbish" | tail -n +2 >"$work/output"
  ! grep -vE '^-BAD|^-TEMP' "$work/output" || fail "answer to rubbish"
done
head -c 200000 /dev/urandom >"$work/random"
for _ in $(seq 5); do
  (exec 3<>"/dev/tcp/127.0.0.1/$mtqp_port" && timeout 5 cat "$work/random" >&3) 2>/dev/null || true
done
expect_service 4

# THR-O3: after thirty misses every query of the address is told to come later, a hit as well, and nobody else is.
guesses=()
for i in $(seq 30); do guesses+=("TRACK guess-$i@open.example $secret"); done
ask 127.0.0.5 "${guesses[@]}" "TRACK canary-id@open.example $secret" QUIT >"$work/output"
[ "$(grep -c '^-ERR/noinfo' "$work/output")" -eq 30 ] || fail "misses: $(cat "$work/output")"
expect_output '^-TEMP/unavailable'
! grep -q '^Action' "$work/output" || fail "a throttled client got an answer"
expect_service 6
ask 127.0.0.9 "${guesses[@]}" "${guesses[@]}" "TRACK canary-id@open.example $secret" >"$work/output"
expect_output '^Action: delivered' # a trusted one

# Offenders: twenty errors end a session, seven such sessions close the door for a while.
errors=()
for _ in $(seq 20); do errors+=(FOO); done
for _ in $(seq 7); do
  ask 127.0.0.7 "${errors[@]}" >"$work/output"
  expect_output '^-TEMP/unavailable too many errors'
done
turned_away() { ask 127.0.0.7 QUIT | shows '^-TEMP/MTQP/unavailable'; }
wait_until 5 turned_away || fail "an offender is still let in"
expect_service 8

# The log: short lines, no id, no secret, and each query under the tag of its key.
! grep -aE 'canary-id|guess-|AAECAwQF' "$work/mtqpd.log" || fail "an id or a secret is in the log"
[ "$(awk 'length > longest { longest = length } END { print longest }' "$work/mtqpd.log")" -le 560 ] || fail "long lines in the log"
grep -qE '[0-9a-f]{8}: track=found, client=127\.0\.0\.2' "$work/mtqpd.log" || fail "no line for a query"
grep -q 'log lines left out' "$work/mtqpd.log" || say "the log budget was not needed"

# THR-D6: no descriptors left: no spin, and service again when they come back.
stop mtqpd
start mtqpd prlimit --nofile=64:64 "$MTRK_BIN/mtqpd" --config "$work/mtrk.conf"
wait_until 10 answers "$mtqp_port" || fail "mtqpd does not listen"
opened=()
for i in $(seq 100); do
  exec {socket}<>"/dev/tcp/127.0.0.1/$mtqp_port" || break
  opened+=("$socket")
done
ticks() { sed 's/.*) //' "/proc/${pids[mtqpd]}/stat" | awk '{ print $12 + $13 }'; }
before=$(ticks)
wait_until 10 grep -q 'cannot accept' "$work/mtqpd.log" || say "the limit of descriptors was not reached"
sleep 2 # of which it may use a tenth
[ $(($(ticks) - before)) -le 20 ] || fail "mtqpd spins without descriptors: $(($(ticks) - before)) ticks"
for socket in "${opened[@]}"; do exec {socket}>&-; done
serves() { ask 127.0.0.2 QUIT | shows '^+OK bye'; }
wait_until 10 serves || fail "no service after the descriptors came back"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
pass
