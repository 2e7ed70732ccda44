#!/bin/bash
# `mtrkctl setup postfix` with a real Postfix: attached beside other milters, twice is once, tracked by MTRK= and TRACK,
# undone to the octet; other people's changes stay; killed at any moment mail flows and undoing works; files that
# cannot be read or written are said, and nothing is changed.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
pf=$top/tests/support/postfix-instance
free_port smtp_port
free_port mtqp_port
"$pf" fetch "$TESTBED_CACHE"
"$pf" create "$work/mx" "$TESTBED_CACHE" "$smtp_port"
"$pf" set "$work/mx" "virtual_mailbox_maps = inline:{ alice@example.test=alice/ }" "in_flow_delay = 0" \
  "milter_protocol = 2" "milter_default_action = tempfail"
etc=$work/mx/etc
# Another milter, which is not there, as an administrator may have one; and a service with a list of its own.
free_port own_port
{
  echo "smtpd_milters ="
  echo "  # looks for spam"
  echo "  { inet:127.0.0.1:1, default_action=accept }"
} >>"$etc/main.cf"
sed -i '/^enable_long_queue_ids/d' "$etc/main.cf"
# shellcheck disable=SC2154  # free_port sets it
printf '127.0.0.1:%s inet n - n - - smtpd\n  -o smtpd_milters={inet:127.0.0.1:1,default_action=accept}\n' "$own_port" >>"$etc/master.cf"
"$pf" start "$work/mx"
write_config
start_milter
start_mtqpd
cp -a "$etc" "$work/etc.before"

# Postfix's programs are the instance's, and so is the way to them.
setup() { PATH=$work/mx/postfix/usr/sbin:$PATH "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" setup "$@"; }
same_as_before() {
  diff -r "$work/etc.before" "$etc" || fail "the files are not as they were"
  [ ! -e "$work/setup" ] || fail "something is left in $work/setup: $(ls "$work/setup")"
}

setup postfix --directory "$etc" --dry-run >"$work/dry-run" || fail "$(cat "$work/dry-run")"
same_as_before
grep -q '^[+].*default_action=accept }, [$]mtrk_milter' "$work/dry-run" || fail "$(cat "$work/dry-run")"
! setup postfix --directory "$etc" </dev/null >"$work/unasked" 2>&1 || fail "it did not ask: $(cat "$work/unasked")"
same_as_before

setup postfix --directory "$etc" --yes >"$work/setup.log" 2>&1 || fail "$(cat "$work/setup.log")"
setup postfix --directory "$etc" --yes >"$work/again" 2>&1 || fail "$(cat "$work/again")"
grep -q 'has all that it needs' "$work/again" || fail "twice is not once: $(cat "$work/again")"
postfix_run postconf -n 2>"$work/warnings" >/dev/null
[ ! -s "$work/warnings" ] || fail "$(cat "$work/warnings")"

# Tracked, on both ports, behind the other milter, by MTRK=, in spite of milter_protocol = 2.
send_tracked one@example.net alice@example.test
expect_outcome one@example.net alice@example.test delivered 2.0.0 -
main_port=$smtp_port smtp_port=$own_port
send_tracked two@example.net alice@example.test
expect_outcome two@example.net alice@example.test delivered 2.0.0 -
smtp_port=$main_port

setup postfix --directory "$etc" --undo --yes >"$work/undo" 2>&1 || fail "$(cat "$work/undo")"
same_as_before

# What others changed since stays.
setup postfix --directory "$etc" --yes >"$work/setup.log" 2>&1 || fail "$(cat "$work/setup.log")"
echo "header_size_limit = 100000" >>"$etc/main.cf"
setup postfix --directory "$etc" --undo --yes >"$work/undo" 2>&1 || fail "$(cat "$work/undo")"
echo "header_size_limit = 100000" >>"$work/etc.before/main.cf"
same_as_before

# A command filter that is there keeps its rules, behind ours.
echo '/^HELP/ NOOP' >"$etc/filter"
echo "smtpd_command_filter = regexp:$etc/filter" >>"$etc/main.cf"
rm -rf "$work/etc.before" && cp -a "$etc" "$work/etc.before"
setup postfix --directory "$etc" --yes >"$work/setup.log" 2>&1 || fail "$(cat "$work/setup.log")"
send_tracked three@example.net alice@example.test
expect_outcome three@example.net alice@example.test delivered 2.0.0 -
printf '%s\n' "EHLO client.example" HELP QUIT | dialogue smtp "$smtp_port" | shows '^S: 250 2.0.0 Ok' || fail "the other filter's rule is gone"
setup postfix --directory "$etc" --undo --yes >"$work/undo" 2>&1 || fail "$(cat "$work/undo")"
same_as_before

# Killed at any moment: each mail is taken in time, and the next run undoes it all.
plain_mail() { # MTRK= is refused by a Postfix that is not attached, as by any
  printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example>" "RCPT TO:<alice@example.test>" \
    DATA "Subject: test" "" Hello . QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  accepted_message
}
rounds=${ROUNDS:-12}
for round in $(seq "$rounds"); do
  PATH=$work/mx/postfix/usr/sbin:$PATH "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" setup postfix --directory "$etc" --yes >"$work/killed.log" 2>&1 &
  killed=$!
  sleep "0.$((round * 73 % 10))$((round * 37 % 10))"
  kill -KILL "$killed" 2>/dev/null || true
  wait "$killed" 2>/dev/null || true
  timely plain_mail
  setup postfix --directory "$etc" --undo --yes >"$work/undo" 2>&1 || fail "$(cat "$work/undo")"
  same_as_before
done

# Odd and unwritable files.
refused() { # EXIT WORDS
  local status=0
  setup postfix --directory "$etc" --yes >"$work/refused" 2>&1 || status=$?
  [ "$status" -eq "$1" ] || fail "exit $status, not $1: $(cat "$work/refused")"
  grep -q "$2" "$work/refused" || fail "not '$2' but: $(cat "$work/refused")"
}
cp -a "$etc/main.cf" "$work/main.cf"
sed -i '1i\ continues nothing' "$etc/main.cf"
refused 78 'main.cf: line 1: starts with white space'
cp -a "$work/main.cf" "$etc/main.cf"
mv "$etc/master.cf" "$etc/gone"
refused 66 'master.cf'
mv "$etc/gone" "$etc/master.cf"
if mount --bind "$etc" "$etc" 2>/dev/null && mount -o remount,ro,bind "$etc" 2>/dev/null; then
  at_end+=("umount '$etc' 2>/dev/null || true")
  refused 73 'Read-only file system'
  umount "$etc"
else
  say "SKIPPED: a read-only folder cannot be made here (mount)"
fi
same_as_before
pass
