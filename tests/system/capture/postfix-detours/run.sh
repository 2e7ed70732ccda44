#!/bin/bash
# What a real Postfix does with mail besides delivering it at once, each told by TRACK: content filters,
# aliases and commands of local(8), hold, release, requeue, deletion, retry, soft bounces, expiry.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin

# The filters are Postfix's own smtp client, which hands the mail to a second smtpd of the same instance:
# one tells the queue id it had (XFORWARD), as amavis and others do, the other leaves it at the Message-Id.
reinjection_port='' late_port=''
free_port reinjection_port
free_port late_port
extra_services="127.0.0.1:$reinjection_port inet n - n - - smtpd
  -o smtpd_milters= -o smtpd_recipient_restrictions= -o smtpd_authorized_xforward_hosts=127.0.0.0/8
filter unix - - n - - smtp -o smtp_send_xforward_command=yes
plain-filter unix - - n - - smtp
soft unix - - n - - smtp -o soft_bounce=yes
program unix - n n - - pipe flags=R user=nobody argv=/bin/true \${recipient}"
filtered() { printf ' { %s = FILTER %s:[127.0.0.1]:%s },' "$1" "$2" "$reinjection_port"; }
routed() { printf ' %s=%s,' "$1" "$2"; }
free_port next_hop_port
start_mail_system \
  "smtpd_recipient_restrictions = check_recipient_access inline:{$(
    filtered alice+f@example.test filter
    filtered alice+p@example.test plain-filter
    filtered b5filtered@partner.example filter
    filtered t4filtered@partner.example filter
  ) { held@partner.example = HOLD } }, permit_mynetworks, reject" \
  "recipient_delimiter = +" \
  "relay_domains = partner.example, late.example, soft.example, program.example, gone.example" \
  "transport_maps = inline:{$(
    routed partner.example "smtp:[127.0.0.1]:$next_hop_port"
    routed late.example "smtp:[127.0.0.1]:$late_port"
    routed soft.example "soft:[127.0.0.1]:$next_hop_port"
    routed program.example program
  ) gone.example=discard: }" \
  'alias_maps = inline:{ away=ok-away@partner.example, { both = ok-one@partner.example, ok-two@partner.example }, { command = "|cat >/dev/null" }, { broken = "|exit 1" }, empty=/dev/null }' \
  "minimal_backoff_time = 1h" "maximal_backoff_time = 1h"
write_config
sed -i "s|^\[log\]|&\nfilters = [\"127.0.0.1:$reinjection_port\"]|" "$work/mtrk.conf"
start_milter
start_mtqpd
readonly hop='[127.0.0.1]'

# Content filters: the outcome is what happened behind them.
send_tracked filtered@x.example alice+f@example.test
expect_outcome filtered@x.example alice+f@example.test delivered 2.0.0 -
send_tracked plainly@x.example alice+p@example.test
expect_outcome plainly@x.example alice+p@example.test delivered 2.0.0 -
send_tracked bounced-behind@x.example b5filtered@partner.example
expect_outcome bounced-behind@x.example b5filtered@partner.example failed 5.1.1 "$hop"
send_tracked deferred-behind@x.example t4filtered@partner.example
expect_outcome deferred-behind@x.example t4filtered@partner.example delayed 4.2.1 "$hop"

# local(8): forwarding is followed, several targets are an expansion, commands and files are deliveries.
send_tracked aliases@x.example away@mx.example.test both@mx.example.test command@mx.example.test \
  broken@mx.example.test empty@mx.example.test
expect_outcome aliases@x.example away@mx.example.test relayed 2.1.9 - # the next hop of a forwarding is not told
expect_outcome aliases@x.example both@mx.example.test expanded 2.1.5 -
expect_outcome aliases@x.example command@mx.example.test delivered 2.0.0 -
expect_outcome aliases@x.example broken@mx.example.test failed 5.3.0 -
expect_outcome aliases@x.example empty@mx.example.test delivered 2.0.0 -

# Other agents.
send_tracked agents@x.example p@program.example d@gone.example
expect_outcome agents@x.example p@program.example delivered 2.0.0 -
expect_outcome agents@x.example d@gone.example delivered 2.0.0 -

# in_queue OPTION QUEUE-ID: as postsuper does it; once more if Postfix was not ready for it.
in_queue() {
  postfix_run postsuper "$@" 2>"$work/postsuper" || postfix_run postsuper "$@" 2>>"$work/postsuper" ||
    fail "postsuper $*: $(cat "$work/postsuper")"
}

# A next hop that is not there, then retries: on hold, released; requeued; tried again.
send_tracked held-later@x.example ok1@late.example
held_id=$queue_id
send_tracked requeued@x.example ok2@late.example
requeued_id=$queue_id
send_tracked retried@x.example ok3@late.example
retried_id=$queue_id
send_tracked deleted@x.example ok4@late.example
deleted_id=$queue_id
for name in held-later requeued retried deleted; do
  number=$(case $name in held-later) echo 1 ;; requeued) echo 2 ;; retried) echo 3 ;; *) echo 4 ;; esac)
  expect_outcome "$name@x.example" "ok$number@late.example" delayed 4.4.1 -
done
in_queue -h "$held_id"
in_queue -d "$deleted_id"
expect_outcome deleted@x.example ok4@late.example opaque 2.0.0 -
outcome_is held-later@x.example ok1@late.example delayed 4.4.1 - || fail "hold changed the outcome"
start late-hop "$MTRK_BIN/fake_next_hop" --port "$late_port" --log "$work/late-hop.commands"
wait_until 10 answers "$late_port" || fail "the late next hop does not listen"
in_queue -r "$requeued_id"
# A pickup that just goes idle and away leaves postkick with a broken pipe; the next one answers.
wait_until 10 postfix_run postkick public pickup W || fail "pickup cannot be reached"
expect_outcome requeued@x.example ok2@late.example relayed 2.1.9 "$hop"
postfix_run postqueue -i "$retried_id"
expect_outcome retried@x.example ok3@late.example relayed 2.1.9 "$hop"
in_queue -H "$held_id"
postfix_run postqueue -i "$held_id"
expect_outcome held-later@x.example ok1@late.example relayed 2.1.9 "$hop"

# Held by an access table: nothing was tried.
send_tracked held@x.example held@partner.example
expect_outcome held@x.example held@partner.example delayed 4.0.0 -
held_id=$queue_id
in_queue -d "$held_id"
expect_outcome held@x.example held@partner.example opaque 2.0.0 -

# 550 that is to be tried again, and mail that is given up.
send_tracked soft@x.example b5soft@soft.example
expect_outcome soft@x.example b5soft@soft.example delayed 4.1.1 "$hop"
send_tracked given-up@x.example t4expired@partner.example
given_up_id=$queue_id
expect_outcome given-up@x.example t4expired@partner.example delayed 4.2.1 "$hop"
in_queue -e "$given_up_id"
postfix_run postqueue -i "$given_up_id"
expect_outcome given-up@x.example t4expired@partner.example failed 4.2.1 "$hop"
send_tracked expired@x.example t4expired@partner.example
expired_id=$queue_id
expect_outcome expired@x.example t4expired@partner.example delayed 4.2.1 "$hop"
postfix_run postconf -e 'maximal_queue_lifetime = 1s'
postfix_run postfix reload 2>/dev/null
postfix_run postqueue -i "$expired_id"
expect_outcome expired@x.example t4expired@partner.example failed 4.2.1 "$hop"
pass
