#!/bin/bash
# The mail system's own list of its queue: what is in the queue stays told, however long it is there; a
# queue file that is gone without a word in the log is opaque. With a real Postfix, then with a real
# Sendmail; and a list that cannot be had changes nothing.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin

# reconcile_by COMMAND...: the list is asked for every second
reconcile_by() {
  write_config
  sed -i "/^source = /a reconcile = \"1s\"\nqueue_command = [$(printf '"%s", ' "$@")]" "$work/mtrk.conf"
}

counter() { "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats | sed -n "s/^milter\.$1 //p"; }
counts() { test "$(counter "$1")" "-$2" "$3"; } # counts NAME eq|ge NUMBER
tells() { say "$1" | outcomes | shows $'\t'"$2"$'\t'; }

# after_lists N: N more lists were read
after_lists() {
  local before
  before=$(counter queue_lists)
  wait_until 60 counts queue_lists ge $((before + $1)) || fail "no lists: $(grep queue= "$work/mtrk-milter.log")"
}

check_mta() {
  start_mtqpd
  start_milter
  send_tracked "stays-$mta@x.example" t4a@partner.example
  send_tracked "goes-$mta@x.example" t4a@partner.example alice@example.test
  wait_until 20 tells "goes-$mta@x.example" delivered || fail "nothing is delivered"
  for id in stays goes; do
    wait_until 20 tells "$id-$mta@x.example" delayed || fail "$id is not delayed: $(say "$id-$mta@x.example" | outcomes)"
  done
  wait_until 30 counts queue_tracked eq 2 || fail "the list has $(counter queue_tracked) messages, not 2"
  after_lists 4
  for id in stays goes; do
    tells "$id-$mta@x.example" delayed || fail "$id is listed, and was ended"
  done
  lose_last_message
  wait_until 30 tells "goes-$mta@x.example" opaque || fail "not opaque: $(say "goes-$mta@x.example" | outcomes)"
  tells "goes-$mta@x.example" delivered || fail "what was delivered is not any more"
  tells "stays-$mta@x.example" delayed || fail "what is listed was ended"
  wait_until 20 counts queue_vanished eq 1 || fail "vanished: $(counter queue_vanished)"
  counts queue_failures eq 0 || fail "failures: $(grep queue= "$work/mtrk-milter.log")"
}

start_mail_system
lose_last_message() { find "$work/mx/spool/deferred" -type f -name "$queue_id" -delete; }
reconcile_by "$top/tests/support/postfix-instance" run "$work/mx" postqueue -j
check_mta

# Not allowed to see the queue: said once, counted, and nothing changes.
stop mtrk-milter
printf '%s\n' '#!/bin/sh' 'echo "postqueue: fatal: User mtrk is not allowed to view the mail queue" >&2' 'exit 69' >"$work/postqueue"
chmod +x "$work/postqueue"
reconcile_by "$work/postqueue"
start_milter
wait_until 30 counts queue_failures ge 3 || fail "failures: $(counter queue_failures)"
[ "$(grep -c 'queue=no-list' "$work/mtrk-milter.log")" -eq 1 ] || fail "not logged once"
grep -q 'not allowed to view' "$work/mtrk-milter.log" || fail "the reason is not logged"
tells stays-postfix@x.example delayed || fail "a list that cannot be had ended a message"
stop mtrk-milter
stop mtqpd
stop next-hop
"$top/tests/support/postfix-instance" stop "$work/mx"
rm -rf "$work/mx" "$work/store"

start_sendmail_system
lose_last_message() { rm "$work/mx/root/var/spool/mqueue/qf$queue_id" "$work/mx/root/var/spool/mqueue/df$queue_id"; }
reconcile_by "$top/tests/support/sendmail-instance" sendmail "$work/mx" -bp
check_mta
pass
