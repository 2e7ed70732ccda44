#!/bin/bash
# The store missing, not a folder, of a newer format, full: a clear error and exit code, never a crash,
# and with a real Postfix the mail goes on.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
begin
free_port mtqp_port
write_config
config=(--config "$work/mtrk.conf")

# Missing: the readers say so; the writer makes it where the folder above exists.
rmdir "$work/store"
expect_exit 66 timeout 10 "$MTRK_BIN/mtqpd" "${config[@]}"
expect_output "$work/store"

# Something else stands there.
echo 'a file' >"$work/store"
for program in mtqpd mtrk-milter; do
  expect_sysexit "$MTRK_BIN/$program" "${config[@]}"
  expect_output "$work/store"
done
expect_sysexit "$MTRK_BIN/mtrkctl" "${config[@]}" stats
rm "$work/store"

# A folder that cannot be made.
sed 's|^path = .*|path = "/proc/mtrk-store"|' "$work/mtrk.conf" >"$work/other.conf"
expect_sysexit "$MTRK_BIN/mtrk-milter" --config "$work/other.conf"
expect_output /proc/mtrk-store

# Files that are no LMDB environment.
mkdir "$work/store"
head -c 100000 /dev/zero | tr '\0' 'x' >"$work/store/data.mdb"
for program in mtqpd mtrk-milter; do expect_sysexit "$MTRK_BIN/$program" "${config[@]}"; done
rm -rf "$work/store"
mkdir "$work/store"

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
