#!/bin/bash
# The lines for backup and restore in contrib/doc/operations.md: a copy made while mtrk-milter and mtqpd run is whole, and
# once it is put back both go on from it, mtqpd without a restart.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
command -v mdb_copy >/dev/null || fail "lmdb-utils is not installed"
# The lines of the page, with the folders of this test in place of those of a host.
page() {
  awk -v mark="<!-- $1 -->" '$0 == mark { found = 1 } found && /^```/ { if (inside) exit; inside = 1; next } inside' "$top/contrib/doc/operations.md" |
    sed -e "s|/var/backups/mtrk|$work/backup|g; s|/var/lib/mtrk|$work/store|g; s|runuser -u mtrk -- ||; s| -o mtrk -g mtrk| -o root -g root|; s|-m 2750|-m 755|" \
      -e 's|^systemctl stop mtrk-milter$|stop mtrk-milter|; s|^systemctl start mtrk-milter$|run_milter|'
}
free_port mtqp_port
write_config
: >"$work/maillog"
sed -i "s|^source = .*|source = \"file:$work/maillog\"\nreconcile = \"0s\"|; s|^socket = .*|socket = \"unix:$work/milter.sock\"|" "$work/mtrk.conf"
run_milter() {
  rm -f "$work/milter.sock"
  start mtrk-milter "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
  wait_until 10 [ -S "$work/milter.sock" ] || fail "mtrk-milter does not listen"
}
track() { printf '%s\n' "TRACK $1@open.example $secret" QUIT | dialogue mtqp "$mtqp_port"; }
add() {
  printf '{"envelope_id":"%s@open.example","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
    "$1" "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import - >/dev/null
}
now=$(date -u +%FT%TZ)
run_milter
start_mtqpd
add before

page backup >"$work/backup.sh"
[ "$(grep -c . "$work/backup.sh")" -ge 2 ] || fail "no lines for a backup in operations.md"
# shellcheck source=/dev/null
. "$work/backup.sh"
mdb_stat -e "$work/backup" >/dev/null || fail "the copy is no store: $(ls -l "$work/backup")"
add after
track after | shows '^S: Action: delivered' || fail "the second message is not there"

page restore >"$work/restore.sh"
[ "$(grep -c . "$work/restore.sh")" -ge 3 ] || fail "no lines for restoring in operations.md"
# shellcheck source=/dev/null
. "$work/restore.sh"
forgotten() { track after | shows '^S: -ERR/noinfo'; } # once mtqpd has seen that the file is another one
wait_until 20 forgotten || fail "mtqpd does not go on from the copy: $(track after)"
track before | shows '^S: Action: delivered' || fail "what was in the copy is not answered: $(track before)"
add later
track later | shows '^S: Action: delivered' || fail "the restored store is not written to"
[ "$(find "$work/store" -name '*.bad-*' | wc -l)" -eq 0 ] || fail "the restored store was taken for a damaged one"
stop mtqpd
stop mtrk-milter
pass
