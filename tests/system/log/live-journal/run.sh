#!/bin/bash
# A Postfix that logs to the system's journal, live: log.source = "auto" finds it, outcomes come by it, what
# others write under Postfix's name is not believed, and following goes on where it was after a kill. And
# "auto" with a Postfix that logs to a file of its own. A systemd-journald of the test's own serves, in a
# mount namespace with a /run, /dev/log and /var/log of its own.
if [ "${1:-}" != inside ]; then
  if ! unshare --mount true 2>/dev/null; then
    echo "SKIPPED: no mount namespace may be made here: nothing of a live journal was tested"
    exit 0
  fi
  exec unshare --mount --propagation private "$0" inside
fi
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin

journald=
for place in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
  [ ! -x "$place" ] || journald=$place
done
[ -n "$journald" ] || fail "systemd-journald is not installed (contrib/check --deps)"

# --- a journal of our own -------------------------------------------------------------------------

if [ ! -s /etc/machine-id ]; then
  cp -a /etc "$work/etc"
  echo 0123456789abcdef0123456789abcdef >"$work/etc/machine-id"
  mount --bind "$work/etc" /etc
fi
# Made aside and moved there: nothing of the real /dev is ever below $work, which is removed in the end.
mkdir "$work/dev"
mount -t tmpfs -o mode=755 tmpfs "$work/dev"
for device in null zero full random urandom; do
  : >"$work/dev/$device"
  mount --bind "/dev/$device" "$work/dev/$device"
done
mkdir -m 1777 "$work/dev/shm"
ln -s /proc/self/fd "$work/dev/fd"
ln -s /run/systemd/journal/dev-log "$work/dev/log"
mount --move "$work/dev" /dev
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal /run/lock
mount -t tmpfs -o mode=755 tmpfs /var/log
start journald "$journald"
wait_until 10 test -S /run/systemd/journal/dev-log || fail "journald does not listen: $(cat "$work/journald.log")"

# --- Postfix logs there ---------------------------------------------------------------------------

start_mail_system "maillog_file ="
write_config
# The account that postfix-instance runs Postfix under.
sed -i 's/^source = .*/source = "auto"\naccounts = ["root", "mail"]/' "$work/mtrk.conf"
start_mtqpd
start_milter
follows() { grep -qF "log=$1" "$work/mtrk-milter.log"; }
follows journal || fail "not the journal: $(grep state=serving "$work/mtrk-milter.log")"

send_tracked live@x.example ok-1@partner.example b5a@partner.example t4a@partner.example alice@example.test
expect_outcome live@x.example ok-1@partner.example relayed 2.1.9 "[127.0.0.1]"
expect_outcome live@x.example alice@example.test delivered 2.0.0 -
tells() { say "$1" | outcomes | shows "$2"; }
wait_until 15 tells live@x.example "t4a.*delayed.4\.[^0]" || fail "not deferred: $(say live@x.example | outcomes)"
wait_until 15 tells live@x.example "b5a.*failed" || fail "not failed: $(say live@x.example | outcomes)"
say live@x.example | outcomes >"$work/before"

# Anybody can write "postfix/smtp" on a line: journald says who it was (THR-G8).
counter() { "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats | sed -n "s/^milter\.$1 //p"; }
distrusted() { [ "$(counter untrusted)" -ge 1 ]; }
[ "$(counter untrusted)" = 0 ] || fail "Postfix itself is not believed: $(grep untrusted= "$work/mtrk-milter.log")"
setpriv --reuid nobody --regid nogroup --clear-groups logger -p mail.info -t 'postfix/smtp[99]' \
  "$queue_id: to=<t4a@partner.example>, relay=r[192.0.2.1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (x)"
wait_until 20 distrusted || fail "the forged line was not seen: $(journalctl -n 5 2>&1)"
say live@x.example | outcomes | cmp - "$work/before" || fail "a forged line was believed"

# Killed, and mail is delivered meanwhile: the journal still has it.
send_tracked killed@x.example t4b@partner.example
wait_until 15 tells killed@x.example "delayed.4\.[^0]" || fail "not deferred: $(say killed@x.example | outcomes)"
stop mtrk-milter KILL
postfix_run postsuper -d "$queue_id" >"$work/output" 2>&1
start_milter
wait_until 20 tells killed@x.example opaque || fail "not followed on: $(say killed@x.example | outcomes)"
[ "$(counter gaps)" = 0 ] || fail "a gap: $(counter gaps)"

# --- Postfix logs to a file of its own ------------------------------------------------------------

stop mtrk-milter
rm -rf "$work/store"
mkdir "$work/store" "$work/bin"
printf '#!/bin/sh\nexec "%s" run "%s" postconf "$@"\n' "$top/tests/support/postfix-instance" "$work/mx" >"$work/bin/postconf"
chmod +x "$work/bin/postconf"
PATH=$work/bin:$PATH
"$top/tests/support/postfix-instance" stop "$work/mx"
"$top/tests/support/postfix-instance" set "$work/mx" "maillog_file = $work/mx/log/maillog" "info_log_address_format = internal"
"$top/tests/support/postfix-instance" start "$work/mx"
stop mtqpd
: >"$work/mtrk-milter.log"
start_milter
start_mtqpd
follows "file:$work/mx/log/maillog" || fail "not the file: $(grep state=serving "$work/mtrk-milter.log")"
grep -q 'log=ambiguous' "$work/mtrk-milter.log" || fail "no word of info_log_address_format = internal"
send_tracked file@x.example ok-1@partner.example
expect_outcome file@x.example ok-1@partner.example relayed 2.1.9 "[127.0.0.1]"
pass
