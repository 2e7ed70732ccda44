#!/bin/bash
# What [privacy] leaves out of an answer (RFC 3885 §4.2, RFC 3886 §4.2, RFC 3887 §2.4), by TRACK, for
# each mode: aliases to one address here and elsewhere, sent, failed and deferred, a list, and next
# hops inside and outside. The store keeps the truth: the modes differ in what is told.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port

id=4jZ0000000z1V copy=4jZ0000000z2C
stamp=2026-11-21T10:00:00.000000+00:00
# line SERVICE TEXT
line() { say "$stamp mx postfix/$1[1]: $2"; }
# attempt SERVICE ID ADDRESSES RELAY DSN STATUS
attempt() { line "$1" "$2: $3, relay=$4, delay=1, delays=1/0/0/0, dsn=$5, status=$6"; }
inside='mbox.local.lan[10.1.2.3]:25' outside='mx.example.net[192.0.2.25]:25'
{
  line smtpd "$id: client=client.example[192.0.2.9]"
  line cleanup "$id: message-id=<1@client.example>"
  line qmgr "$id: from=<s@client.example>, size=1, nrcpt=9 (queue active)"
  attempt smtp $id 'to=<direct@example.net>' "$outside" 2.0.0 'sent (250 ok)'
  attempt smtp $id 'to=<member@example.test>' "$inside" 2.0.0 'sent (250 ok)'
  attempt smtp $id 'to=<secret1@example.net>, orig_to=<away@example.test>' "$outside" 2.0.0 'sent (250 ok)'
  attempt smtp $id 'to=<secret2@example.net>, orig_to=<bad@example.test>' "$outside" 5.1.1 'bounced (550 no)'
  attempt smtp $id 'to=<secret3@example.net>, orig_to=<slow@example.test>' "$outside" 4.2.2 'deferred (452 full)'
  attempt local $id 'to=<secret4@mx.example.test>, orig_to=<here@example.test>' local 2.0.0 'sent (delivered to mailbox)'
  attempt smtp $id 'to=<secret5@example.net>, orig_to=<list@example.test>' "$outside" 2.0.0 'sent (250 ok)'
  attempt smtp $id 'to=<secret6@example.net>, orig_to=<list@example.test>' "$outside" 5.1.1 'bounced (550 no)'
  line cleanup "$copy: message-id=<1@client.example>"
  line qmgr "$copy: from=<s@client.example>, size=1, nrcpt=1 (queue active)"
  attempt local $id 'to=<dot@example.test>' local 2.0.0 "sent (forwarded as $copy)"
  attempt smtp $copy 'to=<secret7@example.test>, orig_to=<dot@example.test>' "$inside" 2.0.0 'sent (250 ok)'
  stamp=2026-11-21T10:05:00.000000+00:00
  # The next attempt shows that here@ has no further member (contrib/doc/outcomes.md, "Members to come").
  line qmgr "$id: from=<s@client.example>, size=1, nrcpt=9 (queue active)"
  attempt smtp $id 'to=<secret3@example.net>, orig_to=<slow@example.test>' "$outside" 4.2.2 'deferred (452 full)'
} >"$work/mail"
for recipient in direct@example.net member@example.test away@example.test bad@example.test slow@example.test \
  here@example.test list@example.test dot@example.test untried@example.test; do
  printf '%s\t%s\n' $id "$recipient"
done >"$work/rows"

# told FORWARDING HIDE_HOSTS: starts over with that policy; compares what is told with stdin.
told() {
  rm -rf "$work/store"
  mkdir "$work/store"
  cat >"$work/mtrk.conf" <<END
hostname = "mx.example.test"
[store]
path = "$work/store"
max_size = "16MiB"
[retention]
default = "3650d"
maximum = "3650d"
[privacy]
forwarding = "$1"
hide_hosts = $2
[mtqpd]
listen = ["127.0.0.1:$mtqp_port"]
END
  expect_exit 0 "$MTRK_BIN/make_captures" "$work/mtrk.conf" "$work/mail" <"$work/rows"
  expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" ingest --log "$work/mail"
  start_mtqpd
  say "$id@rows.example" | outcomes | cut -f 2- | tr '\t' ' ' >"$work/told"
  dialogue mtqp "$mtqp_port" <<<"TRACK $id@rows.example $secret" >"$work/raw"
  stop mtqpd
  ! grep -i 'secret[0-9]' "$work/raw" || fail "$1: a member or a forwarding address is shown" # MTSN-4.2-04
  diff -u - "$work/told" || fail "forwarding = $1, hide_hosts = $2"
  say "forwarding = $1, hide_hosts = $2: as documented"
}

told reveal false <<'END'
direct@example.net relayed 2.1.9 mx.example.net
member@example.test relayed 2.1.9 mbox.local.lan
away@example.test relayed 2.1.9 mx.example.net
bad@example.test failed 5.1.1 mx.example.net
slow@example.test delayed 4.2.2 mx.example.net
here@example.test delivered 2.0.0 -
list@example.test expanded 2.1.5 -
dot@example.test relayed 2.1.9 mbox.local.lan
untried@example.test delayed 4.0.0 -
END
# MTSN-4.2-01 (a)
told hide false <<'END'
direct@example.net relayed 2.1.9 mx.example.net
member@example.test relayed 2.1.9 mbox.local.lan
away@example.test relayed 2.1.9 -
bad@example.test failed 5.1.1 -
slow@example.test delayed 4.2.2 -
here@example.test delivered 2.0.0 -
list@example.test expanded 2.1.5 -
dot@example.test relayed 2.1.9 -
untried@example.test delayed 4.0.0 -
END
# MTSN-4.2-01 (b), MTRK-4.2-03
told final false <<'END'
direct@example.net relayed 2.1.9 mx.example.net
member@example.test relayed 2.1.9 mbox.local.lan
away@example.test delivered 2.1.5 -
bad@example.test delivered 2.1.5 -
slow@example.test delivered 2.1.5 -
here@example.test delivered 2.1.5 -
list@example.test expanded 2.1.5 -
dot@example.test delivered 2.1.5 -
untried@example.test delayed 4.0.0 -
END
# MTRK-4.2-04
told reveal true <<'END'
direct@example.net relayed 2.1.9 mx.example.net
member@example.test relayed 2.1.9 -
away@example.test relayed 2.1.9 mx.example.net
bad@example.test failed 5.1.1 mx.example.net
slow@example.test delayed 4.2.2 mx.example.net
here@example.test delivered 2.0.0 -
list@example.test expanded 2.1.5 -
dot@example.test relayed 2.1.9 -
untried@example.test delayed 4.0.0 -
END
pass
