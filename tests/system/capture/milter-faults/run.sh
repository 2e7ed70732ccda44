#!/bin/bash
# The milter absent, stopped, and killed -9 in the middle of a message: Postfix takes every message,
# and no message waits over 3 s. What was sent while the milter was well is tracked.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system
write_config

timely send_tracked absent@x.example alice@example.test # nobody listens

start_milter
start_mtqpd
timely send_tracked well@x.example alice@example.test
expect_outcome well@x.example alice@example.test delivered 2.0.0 -

kill -STOP "${pids[mtrk-milter]}"
timely send_tracked stopped1@x.example alice@example.test
timely send_tracked stopped2@x.example ok1@partner.example
kill -CONT "${pids[mtrk-milter]}"
timely send_tracked again@x.example bob@example.test
expect_outcome again@x.example bob@example.test delivered 2.0.0 -

for reply in '250 2.1.0' '250 2.1.5' '354'; do
  timely hit_after "$reply" KILL "killed-${reply//[ .]/-}@x.example" alice@example.test
  stop mtrk-milter KILL
  timely send_tracked "dead-${reply//[ .]/-}@x.example" alice@example.test
  start_milter
done
timely send_tracked end@x.example alice@example.test
expect_outcome end@x.example alice@example.test delivered 2.0.0 -

# Nothing was lost: eleven messages are in the mailboxes, one is at the next hop.
delivered() { [ "$(find "$work/mx/mail" -type f -path '*/new/*' | wc -l)" -eq 11 ] && grep -q '^accepted' "$work/next-hop.commands"; }
wait_until 15 delivered || fail "mail is missing: $(find "$work/mx/mail" -type f | wc -l)"

# An orderly end: no message is cut off, exit status 0.
stop mtrk-milter
[ "$exit_status" -eq 0 ] || fail "mtrk-milter ended with $exit_status on SIGTERM"
pass
