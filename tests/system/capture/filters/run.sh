#!/bin/bash
# Content filters of a real Postfix that are reached by lmtp(8) and by pipe(8) and are named nowhere in
# the configuration: what they hand back is followed, what they keep is never "delivered". And what
# header_checks do to a tracked message: REDIRECT and DISCARD. By TRACK and by explain.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
folder=$(dirname "$(realpath "$0")")
reinjection_port='' filter_port=''
free_port reinjection_port
free_port filter_port
free_port next_hop_port
install -d -m 755 "$work/filters"
install -m 755 "$folder/lmtp-filter" "$folder/pipe-filter" "$work/filters/"
extra_services="127.0.0.1:$reinjection_port inet n - n - - smtpd
  -o smtpd_milters= -o smtpd_recipient_restrictions= -o header_checks=
127.0.0.1:$filter_port inet n n n - - spawn
  user=nobody argv=$work/filters/lmtp-filter $reinjection_port
piped unix - n n - - pipe
  flags=q user=nobody argv=$work/filters/pipe-filter $work/mx/postfix/usr/sbin/sendmail $work/mx/etc \${sender} \${recipient}
piped2 unix - n n - - pipe
  flags=q user=nobody argv=$work/filters/pipe-filter $work/mx/postfix/usr/sbin/sendmail $work/mx/etc \${sender} \${recipient}"
cat >"$work/header-checks" <<'END'
/^Subject: redirect/ REDIRECT ok-other@partner.example
/^Subject: discard/ DISCARD
END
by_lmtp() { printf ' { %s = FILTER lmtp:[127.0.0.1]:%s },' "$1" "$filter_port"; }
by_pipe() { printf ' { %s = FILTER piped:dummy },' "$1"; }
start_mail_system \
  "smtpd_recipient_restrictions = check_recipient_access inline:{$(
    by_lmtp alice+lmtp@example.test
    by_lmtp b5lmtp@partner.example
    by_lmtp t4lmtp@partner.example
    by_lmtp keptlmtp@partner.example
    by_pipe alice+pipe@example.test
    by_pipe b5pipe@partner.example
    by_pipe t4pipe@partner.example
  ) { unused@partner.example = OK } }, permit_mynetworks, reject" \
  "recipient_delimiter = +" \
  "relay_domains = partner.example, mailbox.example" \
  "transport_maps = inline:{ partner.example=smtp:[127.0.0.1]:$next_hop_port, mailbox.example=piped2: }" \
  "header_checks = regexp:$work/header-checks" \
  "lmtp_destination_recipient_limit = 50"
# sendmail(1) is not set-gid here: its folder is open to all.
chmod 1733 "$work/mx/spool/maildrop"
chmod o+x "$work/mx/spool/public"
write_config
sed -i "s|^\[log\]|&\nfilters = []|" "$work/mtrk.conf"
start_milter
start_mtqpd
readonly hop='[127.0.0.1]'

# explained QUEUE-ID RECIPIENT ACTION: explain says the same from the log alone.
explained() {
  "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" explain --json --log "$work/mx/log/maillog" "$1" "$2" >"$work/explained" ||
    fail "explain $1 $2: exit $?"
  grep -q "\"action\":\"$3\"" "$work/explained" || fail "explain $1 $2: $(cat "$work/explained")"
}

# A filter by lmtp(8).
send_tracked lmtp@x.example alice+lmtp@example.test
expect_outcome lmtp@x.example alice+lmtp@example.test delivered 2.0.0 -
explained "$queue_id" alice+lmtp@example.test delivered
send_tracked lmtp-bounced@x.example b5lmtp@partner.example
expect_outcome lmtp-bounced@x.example b5lmtp@partner.example failed 5.1.1 "$hop"
explained "$queue_id" b5lmtp@partner.example failed
send_tracked lmtp-deferred@x.example t4lmtp@partner.example
expect_outcome lmtp-deferred@x.example t4lmtp@partner.example delayed 4.2.1 "$hop"
explained "$queue_id" t4lmtp@partner.example delayed
send_tracked lmtp-kept@x.example keptlmtp@partner.example
expect_outcome lmtp-kept@x.example keptlmtp@partner.example relayed 2.1.9 "$hop"
explained "$queue_id" keptlmtp@partner.example relayed

# A filter by pipe(8), which brings the message back by sendmail(1).
send_tracked pipe@x.example alice+pipe@example.test
expect_outcome pipe@x.example alice+pipe@example.test delivered 2.0.0 -
explained "$queue_id" alice+pipe@example.test delivered
grep -q 'postfix/pickup' "$work/mx/log/maillog" || fail "nothing was picked up"
send_tracked pipe-bounced@x.example b5pipe@partner.example
expect_outcome pipe-bounced@x.example b5pipe@partner.example failed 5.1.1 "$hop"
explained "$queue_id" b5pipe@partner.example failed
send_tracked pipe-deferred@x.example t4pipe@partner.example
expect_outcome pipe-deferred@x.example t4pipe@partner.example delayed 4.2.1 "$hop"
explained "$queue_id" t4pipe@partner.example delayed
# A pipe that brings nothing back is a mailbox as far as the log tells.
send_tracked pipe-final@x.example kept@mailbox.example
expect_outcome pipe-final@x.example kept@mailbox.example delivered 2.0.0 -

# send_titled ENVID SUBJECT RECIPIENT
send_titled() {
  printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example> $(tracked_words "$1")" "RCPT TO:<$3>" \
    DATA "Subject: $2" "" "Hello" . QUIT | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  accepted_message
}
# No certifier left this host by any of these ways.
if grep -q MTRK "$work/next-hop.commands"; then fail "a fold left: $(grep MTRK "$work/next-hop.commands")"; fi

is_unknown() { say "$1" | outcomes | shows noinfo; }
# REDIRECT: Postfix shows the end of such a message to no milter. It is not tracked, and nobody can give
# back its ENVID; only the certifier is in that. The log tells where it went.
send_titled redirected@x.example "redirect me" alice@example.test
wait_until 10 grep -q ok-other "$work/next-hop.commands" || fail "nothing was redirected"
wait_until 10 is_unknown redirected@x.example || fail "tracked: $(say redirected@x.example | outcomes)"
wait_until 10 grep -q "$queue_id: removed" "$work/mx/log/maillog" || fail "it is still queued"
explained "$queue_id" alice@example.test relayed
# DISCARD: Postfix takes it from the client and drops it; there is no such message.
send_titled discarded@x.example "discard me" alice@example.test
wait_until 10 grep -q "$queue_id: discard" "$work/mx/log/maillog" || fail "nothing was discarded"
wait_until 10 is_unknown discarded@x.example || fail "tracked: $(say discarded@x.example | outcomes)"

pass
