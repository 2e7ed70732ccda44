#!/bin/bash
# mtrk-milter started while the clock is wrong: nothing is purged. With the clock ahead of the store by a year and
# more, or when it jumps, records wait until it has agreed with itself and with what was written last.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
write_config
mkdir -p "$work/mx/log" "$work/mx/spool/mtrk"
: >"$work/mx/log/maillog"
now=$(date -u +%FT%TZ)
for i in $(seq 100); do
  printf '{"envelope_id":"m%s@x.test","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.test","final":"rfc822;a@x.test","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' "$i" "$certifier" "$now" "$now"
done >"$work/messages.ndjson"
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/messages.ndjson"
messages() { "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats | awk '$1 == "messages" { print $2 }'; }
[ "$(messages)" -eq 100 ] || fail "not 100 messages before"

# with_clock DAYS: mtrk-milter for some seconds, with the clock so many days ahead. It sweeps every five seconds,
# and begins with that.
with_clock() {
  rm -f "$work/store/milter.stats"
  : >"$work/mtrk-milter.log"
  start mtrk-milter env LD_PRELOAD="${preload:+$preload:}$MTRK_BIN/libshifted_clock.so" SHIFTED_CLOCK=$(($1 * 86400)) \
    "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
  wait_until 10 grep -q state=serving "$work/mtrk-milter.log" || fail "mtrk-milter does not serve: $(cat "$work/mtrk-milter.log")"
  wait_until 10 test -s "$work/store/milter.stats" || fail "no counters"
  wait_until 7 false || true
  stop mtrk-milter
  [ "$exit_status" -eq 0 ] || fail "mtrk-milter ended with $exit_status"
}
preload= # a sanitizer's library has to come first
if ldd "$MTRK_BIN/mtrk-milter" | shows libasan; then preload=$(gcc -print-file-name=libasan.so); fi
[ -e "$MTRK_BIN/libshifted_clock.so" ] || fail "no libshifted_clock.so"

for days in 400 40 3650 -400; do
  with_clock "$days"
  [ "$(messages)" -eq 100 ] || fail "$days days: $(messages) messages are left"
  say "$days days: 100 messages are left"
done
pass
