#!/bin/bash
# The store missing, not a folder, of a newer format, full: a clear error and exit code, never a crash,
# and with a real Postfix the mail goes on.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
write_config
config=(--config "$work/mtrk.conf")

unavailable() { dialogue mtqp "$mtqp_port" </dev/null | shows '^S: -TEMP/MTQP/unavailable'; }
mtqpd_complains() { grep -qF "$work/store" "$work/mtqpd.log" && unavailable; }
mtqpd_serves() { dialogue mtqp "$mtqp_port" </dev/null | shows '^S: +OK'; }

# Missing: mtqpd says so, to its log and to clients, and serves as soon as the store is there.
rmdir "$work/store"
expect_exit 66 "$MTRK_BIN/mtrkctl" "${config[@]}" stats
expect_output "$work/store"
start_mtqpd
wait_until 10 mtqpd_complains || fail "mtqpd without a store: $(cat "$work/mtqpd.log")"
expect_exit 0 "$MTRK_BIN/mtrkctl" "${config[@]}" import - </dev/null
wait_until 20 mtqpd_serves || fail "mtqpd does not take up the store that came"
stop mtqpd
rm -r "$work/store"

# Something else stands there, or the writer cannot make it: each program that writes says so and ends, mtqpd
# waits for better days. Files that are no store are set aside by mtrk-milter, and by nobody else.
unusable() {
  if [ "$1" = "a file as store" ]; then
    expect_sysexit "$MTRK_BIN/mtrk-milter" "${config[@]}"
    expect_output "$work/store"
  fi
  : >"$work/mtqpd.log"
  start_mtqpd
  wait_until 10 mtqpd_complains || fail "$1: mtqpd says $(cat "$work/mtqpd.log")"
  stop mtqpd
  [ "$exit_status" -eq 0 ] || fail "$1: mtqpd ended with $exit_status"
  expect_sysexit "$MTRK_BIN/mtrkctl" "${config[@]}" stats
}
mkdir -p "$work/mx/spool/mtrk"
echo 'a file' >"$work/store"
unusable "a file as store"
rm "$work/store"
mkdir "$work/store"
head -c 100000 /dev/zero | tr '\0' 'x' >"$work/store/data.mdb"
unusable "rubbish as store"
cp "$work/store/data.mdb" "$work/rubbish"
start_milter
grep -q 'store=damaged, set aside' "$work/mtrk-milter.log" || fail "rubbish is not set aside: $(cat "$work/mtrk-milter.log")"
cmp "$work/rubbish" "$work"/store/data.mdb.bad-* || fail "the rubbish is not kept as it was"
expect_exit 0 "$MTRK_BIN/mtrkctl" "${config[@]}" stats
stop mtrk-milter

# mtrkctl as a writer, and the last pages gone, few enough that some may be missing lawfully: it ends with a clear
# line when it meets them, and commits nothing of what it made of them.
rm -r "$work/store"
mkdir "$work/store"
messages() { # FIRST LAST
  for i in $(seq "$1" "$2"); do
    printf '{"envelope_id":"imp%d@x.example","certifier":"%s","arrival":"2027-01-15T08:00:00Z","timeout":2592000,"recipients":[{"original":"rfc822;r%d@x.example","final":"rfc822;r%d@x.example","action":"delivered","status":"2.0.0","last_attempt":"2027-01-15T08:00:01Z"}]}\n' \
      "$i" AAAAAAAAAAAAAAAAAAAAAAAAAAA= "$i" "$i"
  done
}
messages 1 3000 >"$work/first"
messages 3001 6000 >"$work/second"
expect_exit 0 "$MTRK_BIN/mtrkctl" "${config[@]}" import "$work/first"
cp "$work/store/data.mdb" "$work/whole"
truncate -s $((($(stat -c %s "$work/whole") / 4096 - 50) * 4096)) "$work/store/data.mdb"
cp "$work/store/data.mdb" "$work/cut"
expect_exit 74 "$MTRK_BIN/mtrkctl" "${config[@]}" import "$work/second"
expect_output '^mtrkctl: store .*: cut off or damaged while it was open'
cmp "$work/cut" "$work/store/data.mdb" || fail "mtrkctl has written to a store that was cut off"
cp "$work/whole" "$work/store/data.mdb"
expect_exit 0 "$MTRK_BIN/mtrkctl" "${config[@]}" import "$work/second"
"$MTRK_BIN/mtrkctl" "${config[@]}" stats | shows '\b6000\b' || fail "not all are there: $("$MTRK_BIN/mtrkctl" "${config[@]}" stats)"
rm -r "$work/store"
mkdir "$work/store"

# The disk full and the lock file new, or neither file there: a clear line and an exit code, no signal.
if mount -t tmpfs -o size=1m,mode=755 tmpfs "$work/store" 2>/dev/null; then
  at_end+=("umount -l '$work/store' 2>/dev/null || true")
  dd if=/dev/zero of="$work/store/ballast" bs=4k 2>/dev/null || true
  expect_sysexit "$MTRK_BIN/mtrk-milter" "${config[@]}"
  expect_output 'lock.mdb: No space left on device'
  rm "$work/store/ballast"
  expect_exit 0 "$MTRK_BIN/mtrkctl" "${config[@]}" import - </dev/null
  rm "$work/store/lock.mdb"
  dd if=/dev/zero of="$work/store/ballast" bs=4k 2>/dev/null || true
  expect_sysexit "$MTRK_BIN/mtrk-milter" "${config[@]}"
  expect_output 'lock.mdb: No space left on device'
  # Who only reads needs neither room nor a lock file.
  expect_exit 0 "$MTRK_BIN/mtrkctl" "${config[@]}" stats
  start_mtqpd
  wait_until 10 mtqpd_serves || fail "full disk: mtqpd says $(cat "$work/mtqpd.log")"
  rm "$work/store/ballast"
  stop mtqpd
  [ "$exit_status" -eq 0 ] || fail "full disk: mtqpd ended with $exit_status"
  umount "$work/store"
else
  say "SKIPPED: a lock file on a full disk (mount is not permitted here)"
fi
rm -r "$work/store" "$work/mx"

sed 's|^path = .*|path = "/proc/mtrk-store"|' "$work/mtrk.conf" >"$work/other.conf"
expect_sysexit "$MTRK_BIN/mtrk-milter" --config "$work/other.conf"
expect_output /proc/mtrk-store

# The disk is full: mail flows untracked, the milter lives and recovers when there is room again.
start_mail_system
write_config
mkdir "$work/small"
if mount -t tmpfs -o size=1m,mode=755 tmpfs "$work/small" 2>"$work/mount.err"; then
  at_end+=("umount -l '$work/small'")
  sed -i "s|^path = .*|path = \"$work/small/store\"|; s|^max_size = .*|max_size = \"64MiB\"|" "$work/mtrk.conf"
  mkdir "$work/small/store"
  start_milter
  start_mtqpd
  send_tracked before@x.example alice@example.test
  expect_outcome before@x.example alice@example.test delivered 2.0.0 -
  dd if=/dev/zero of="$work/small/ballast" bs=4k 2>/dev/null || true
  "$MTRK_BIN/smtp_source" --port "$smtp_port" --sessions 2 --messages 60 --tracking mtrk --prefix full \
    --to alice@example.test --report "$work/report" || fail "mail was refused while the disk was full"
  awk -F '\t' '$4 > 3000 { late = 1 } END { exit late }' "$work/report" || fail "mail was delayed while the disk was full"
  kill -0 "${pids[mtrk-milter]}" || fail "mtrk-milter died of the full disk"
  expect_outcome before@x.example alice@example.test delivered 2.0.0 -
  rm "$work/small/ballast"
  recovered() { send_tracked "after$RANDOM@x.example" alice@example.test && grep -q commit=done <(tail -n 1 "$work/mtrk-milter.log"); }
  wait_until 40 recovered || fail "no captures after there was room again"
  stop mtqpd
  stop mtrk-milter
else
  say "SKIPPED: disk full (mount is not permitted here: $(cat "$work/mount.err"))"
fi
pass
