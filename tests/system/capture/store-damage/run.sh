#!/bin/bash
# What becomes of the store's files while mtrk-milter and mtqpd have them open: cut off, emptied, overwritten,
# replaced, moved away, bits flipped, the lock file cut and scribbled upon, mtqpd stopped. Neither of the two
# processes ends, no message waits over 3 s, nothing is answered wrongly, what is acknowledged is found, and
# tracking comes back by itself. A member of the store's group can do none of it.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
expect_store_deaths
start_mail_system
write_config
start_milter
start_mtqpd
data=$work/store/data.mdb lock=$work/store/lock.mdb
milter=${pids[mtrk-milter]} mtqpd=${pids[mtqpd]}
number=0

for i in $(seq 40); do send_tracked "early$i@x.example" alice@example.test; done
expect_outcome early40@x.example alice@example.test delivered 2.0.0 -
cp "$data" "$work/older"
for i in $(seq 40); do send_tracked "later$i@x.example" alice@example.test; done
expect_outcome later40@x.example alice@example.test delivered 2.0.0 -

alive() {
  kill -0 "$milter" || fail "$1: mtrk-milter died"
  kill -0 "$mtqpd" || fail "$1: mtqpd died"
}
# No recipient of ours was ever anything but delivered.
truthful() { ! outcomes | awk -F '\t' 'NF > 2 && $3 != "delivered" && $3 != "delayed"' | shows .; }
acknowledged() { grep -qF "$queue_id: mtrk=tracked" "$work/mtrk-milter.log" && grep -F "$queue_id: mtrk=tracked" "$work/mtrk-milter.log" | shows commit=done; }
tracked_again() {
  number=$((number + 1))
  timely send_tracked "after$number@x.example" alice@example.test >/dev/null
  acknowledged && outcome_soon "after$number@x.example"
}
outcome_soon() { wait_until 5 outcome_is "$1" alice@example.test delivered 2.0.0 -; }

# survives WHAT COMMAND...: after the command mail flows at once, and is tracked before long.
survives() {
  local what=$1
  shift
  "$@"
  timely send_tracked "at-$number@x.example" alice@example.test
  alive "$what"
  wait_until "${patience:-40}" tracked_again || fail "$what: tracking does not come back: $(grep store= "$work/mtrk-milter.log" | tail -n 5)"
  alive "$what"
  seq 40 | sed 's/.*/later&@x.example/' | truthful || fail "$what: a wrong answer"
  say "$what: survived"
}
kept_aside() { [ "$(find "$work/store" -name 'data.mdb.bad-*' | wc -l)" -ge "$1" ] || fail "nothing was set aside"; }

survives "cut to 60 %" truncate -s $(($(stat -c %s "$data") * 6 / 10 / 4096 * 4096)) "$data"
survives "cut to an odd length" truncate -s 9000 "$data"
survives "emptied" truncate -s 0 "$data"
kept_aside 1
rubbish() { head -c 300000 /dev/urandom >"$work/rubbish" && cat "$work/rubbish" >"$data"; }
survives "overwritten with rubbish" rubbish
older() { cat "$work/older" >"$data"; }
survives "overwritten with an older store" older
replaced() { cp "$work/older" "$data.new" && mv "$data.new" "$data"; }
survives "replaced by an older store" replaced
expect_outcome early3@x.example alice@example.test delivered 2.0.0 -
survives "removed" rm "$data"
away() { mv "$work/store" "$work/away" && mkdir "$work/store"; }
survives "the folder moved away" away

# The lock file, by the store's owner: mutexes, readers' slots and all. Writers need it, mtqpd does not.
survives "the lock file cut" truncate -s 0 "$lock"
relong() { truncate -s 0 "$lock" && truncate -s 69632 "$lock"; }
survives "the lock file cut and made long again" relong
scribble() { head -c 8192 /dev/urandom | dd of="$lock" bs=4096 conv=notrunc status=none; }
# What hangs over it is killed after 30 s, at which it is looked every 5 s.
for _ in 1 2 3; do patience=90 survives "the lock file scribbled upon" scribble; done
# Its two mutexes, at octets 24 and 64, begin with the thread that has them; thread 1 will not give them up.
held() {
  local at
  for at in 24 64; do printf '\1\0\0\0' | dd of="$lock" bs=1 seek="$at" conv=notrunc status=none; done
}
patience=90 survives "the mutexes of the lock file taken for good" held
grep -q 'store=stuck' "$work/mtrk-milter.log" || fail "nobody waited for a mutex: this proves nothing"
survives "the lock file removed" rm "$lock"

# By a member of the group: nothing.
if [ "$(id -u)" -eq 0 ]; then
  chgrp 4242 "$work/store" "$data" "$lock"
  as_group() { setpriv --reuid 4343 --regid 4343 --groups 4242 "$@"; }
  as_group head -c 1 "$data" >/dev/null || fail "the group may not read data.mdb"
  for file in "$data" "$lock" "$work/store/writer.lock"; do
    ! as_group truncate -s 0 "$file" 2>/dev/null || fail "the group may cut $file"
    ! as_group dd if=/dev/zero of="$file" bs=1 count=1 conv=notrunc 2>/dev/null || fail "the group may write to $file"
    ! as_group rm "$file" 2>/dev/null || fail "the group may remove $file"
  done
  ! as_group touch "$work/store/other" 2>/dev/null || fail "the group may make files beside the store"
else
  say "SKIPPED: a member of the group, who needs root to be made"
fi

# Whoever may read a file may have a shared lock of it, for as long as it likes.
shared_lock() {
  start locker python3 -c 'import fcntl, sys, time
file = open(sys.argv[1], "rb")
fcntl.lockf(file, fcntl.LOCK_SH)
other = open(sys.argv[1], "rb")
fcntl.flock(other, fcntl.LOCK_SH)
print("locked", flush=True)
time.sleep(600)' "$data"
  wait_until 10 grep -q locked "$work/locker.log"
}
patience=5 survives "data.mdb locked by a reader" shared_lock
stop locker

# A reader that is stopped holds up nobody, and the store does not grow for it.
stopped() {
  local before
  kill -STOP "$mtqpd"
  before=$(stat -c %s "$data")
  for i in $(seq 60); do timely send_tracked "stop$i-$number@x.example" alice@example.test >/dev/null; done
  acknowledged || fail "not acknowledged while a reader is stopped: $(tail -n 3 "$work/mtrk-milter.log")"
  [ $(($(stat -c %s "$data") - before)) -le $((1024 * 1024)) ] || fail "the store grew from $before to $(stat -c %s "$data") octets"
  kill -CONT "$mtqpd"
}
survives "a reader stopped" stopped

# Bits flipped in a store under way: 12 times 1 to 400.
flip() { perl -e 'open(my $f, "+<", $ARGV[0]) or die; srand($ARGV[1]); my $n = 1 + int(rand(400)); my $size = -s $f;
  for (1 .. $n) { my $at = int(rand($size)); seek($f, $at, 0); read($f, my $o, 1); seek($f, $at, 0); print $f chr(ord($o) ^ (1 << int(rand(8)))); }' "$data" "$1"; }
for seed in $(seq 12); do survives "bits flipped ($seed)" flip "$seed"; done

# The process that owns the store is killed, and hangs: the mail goes on.
store_process() { pgrep -P "$(pgrep -P "$milter")"; }
kill_store() { kill -KILL "$(store_process)"; }
survives "its process killed" kill_store

[ "$(find "$work/store" -name 'data.mdb.bad-*' | wc -l)" -le 3 ] || fail "more than three were kept"
stop mtrk-milter
[ "$exit_status" -eq 0 ] || fail "mtrk-milter ended with $exit_status"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"

# Damage that was there before the start.
for length in 0 5000 $(($(stat -c %s "$data") / 2)); do
  truncate -s "$length" "$data"
  start_mtqpd
  start_milter
  timely send_tracked "start$length@x.example" alice@example.test
  expect_outcome "start$length@x.example" alice@example.test delivered 2.0.0 -
  stop mtqpd
  stop mtrk-milter
done
pass
