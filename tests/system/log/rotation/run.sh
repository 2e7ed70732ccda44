#!/bin/bash
# The log is rotated under the follower's eyes, by rename and create, by Postfix's own logrotate, by
# copytruncate, and while mtrk-milter is down: every message sent meanwhile gets its outcome.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
start_mail_system
write_config
start_milter
start_mtqpd
log=$work/mx/log/maillog
number=0

# send_some N: N tracked messages in a row
send_some() {
  local i
  for ((i = 0; i < $1; i++)); do
    number=$((number + 1))
    send_tracked "r$number@x.example" ok1@partner.example
  done
}

all_relayed() {
  [ "$(for ((i = 1; i <= number; i++)); do say "r$i@x.example"; done | outcomes | grep -c $'\trelayed\t')" -eq "$number" ]
}
expect_all() { wait_until 20 all_relayed || fail "after $1: $(for ((i = 1; i <= number; i++)); do say "r$i@x.example"; done | outcomes | grep -v relayed)"; }

send_some 5
expect_all "the start"

# rename, then Postfix opens a new file: lines go to the old one until postlogd lets go of it
for round in 1 2 3; do
  send_some 3
  mv "$log" "$log.$round"
  postfix_run postfix reload >/dev/null 2>&1
  send_some 3
done
expect_all "rename and create"

postfix_run postfix logrotate >/dev/null 2>&1
send_some 5
expect_all "postfix logrotate"

# copytruncate loses what is written between its two steps, so it is done at rest
cp "$log" "$log.copy"
: >"$log"
send_some 5
expect_all "copytruncate"

# rotated while the milter is down: the rest of the old file is read first
send_some 2
stop mtrk-milter KILL
mv "$log" "$log.4"
postfix_run postfix reload >/dev/null 2>&1
start_milter
send_some 2
expect_all "a rotation while down"

pass
