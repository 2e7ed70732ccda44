#!/bin/bash
# The SRV lines to paste, served by a real name server as they are: `mtqp resolve` finds what their comments say.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_dns < <(
  cat "$top/contrib/dns/srv.zone"
  printf '%s A %s\n' mx 127.0.0.1 mx2 127.0.0.2 track 127.0.0.3 backup 127.0.0.4
)
resolve() { "$MTRK_BIN/mtqp" resolve --dns "$dns" "$1"; }

expect_exit 0 resolve mx.test
expect_output '127\.0\.0\.1.*1038|mx\.test.*1038'
# Another host answers, and the spare one comes after it.
expect_exit 0 resolve mx2.test
[ "$(grep -nE 'track\.test|127\.0\.0\.3' "$work/output" | head -n 1 | cut -d : -f 1)" -lt "$(grep -nE 'mx\.test|127\.0\.0\.1' "$work/output" | tail -n 1 | cut -d : -f 1)" ] ||
  fail "not in the order of the priorities: $(cat "$work/output")"
! resolve backup.test >"$work/output" 2>&1 || fail "a name that offers nothing is found: $(cat "$work/output")"
! grep -q '127\.0\.0\.4' "$work/output" || fail "the address of a name that offers nothing is used"
pass
