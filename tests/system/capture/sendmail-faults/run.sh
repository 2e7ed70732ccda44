#!/bin/bash
# The milter absent, stopped, and killed -9 or stopped in the middle of a message, its socket in a folder
# that Sendmail distrusts: Sendmail takes every message, and no message waits over 3 s. What was sent while
# the milter was well is tracked.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_sendmail_system
write_config
messages=0

# sent COMMAND...: the command sends a message, which is taken in time
sent() {
  timely "$@"
  messages=$((messages + 1))
}

sent send_tracked absent@x.example alice@example.test # nobody listens

start_milter
start_mtqpd
sent send_tracked well@x.example alice@example.test
expect_outcome well@x.example alice@example.test delivered 2.0.0 -

kill -STOP "${pids[mtrk-milter]}"
sent send_tracked stopped1@x.example alice@example.test
sent send_tracked stopped2@x.example bob@example.test
kill -CONT "${pids[mtrk-milter]}"
sent send_tracked again@x.example bob@example.test
expect_outcome again@x.example bob@example.test delivered 2.0.0 -

for reply in '250 2.1.0' '250 2.1.5' '354'; do
  sent hit_after "$reply" STOP "stopped-${reply//[ .]/-}@x.example" bob@example.test
  kill -CONT "${pids[mtrk-milter]}"
  sent hit_after "$reply" KILL "killed-${reply//[ .]/-}@x.example" alice@example.test
  stop mtrk-milter KILL
  sent send_tracked "dead-${reply//[ .]/-}@x.example" alice@example.test
  start_milter
done

# A folder that others may write to: Sendmail skips the filter, and says so in its log.
chmod 775 "$work/mx/root/run/mtrk"
sent send_tracked distrusted@x.example bob@example.test
chmod 755 "$work/mx/root/run/mtrk"
grep -q 'local socket name .* unsafe' "$work/mx/log/maillog" || fail "the log does not say why there was no milter"
sent send_tracked end@x.example bob@example.test
expect_outcome end@x.example bob@example.test delivered 2.0.0 -

# Nothing was lost and nothing came twice.
delivered() { [ "$(cat "$work"/mx/root/var/mail/{alice,bob} | grep -c '^Return-Path: <sender@client.example>')" -eq "$messages" ]; }
wait_until 15 delivered || fail "of $messages messages there are: $(grep -c '^Return-Path' "$work"/mx/root/var/mail/*)"

# An orderly end: no message is cut off, exit status 0.
stop mtrk-milter
[ "$exit_status" -eq 0 ] || fail "mtrk-milter ended with $exit_status on SIGTERM"
pass
