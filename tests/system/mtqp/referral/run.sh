#!/bin/bash
# Three servers of three organisations, each with mtqpd on port 1038 of its own address and found by DNS: the
# client walks from one to the next by referral and shows one view; circles and false referrals end.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
declare -A address=([a]=127.27.0.1 [b]=127.27.0.2 [c]=127.27.0.3)
now=$(date -u +%FT%TZ)
later=$(date -u -d '+3 days' +%FT%TZ)
c_port=''
free_port c_port

# recipient ADDRESS ACTION STATUS [NEXT]
recipient() {
  local more=",\"last_attempt\":\"$now\""
  [ -z "${4:-}" ] || more+=",\"remote_mta\":\"$4\""
  [ "$2" != delayed ] || more+=",\"will_retry_until\":\"$later\""
  printf '{"original":"rfc822;%s","final":"rfc822;%s","action":"%s","status":"%s"%s}' "$1" "$1" "$2" "$3" "$more"
}
# message ENVID RECIPIENTS
message() {
  printf '{"envelope_id":"%s","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[%s]}\n' "$1" "$certifier" "$now" "$2"
}
# server NAME LISTEN: answers from the messages in $work/NAME.ndjson
server() {
  mkdir -p "$work/$1/store"
  printf '%s\n' "hostname = \"$1.test\"" '[store]' "path = \"$work/$1/store\"" 'max_size = "64MiB"' '[mtqpd]' "listen = [\"$2\"]" 'threads = 1' >"$work/$1.conf"
  "$MTRK_BIN/mtrkctl" --config "$work/$1.conf" import "$work/$1.ndjson" || fail "import for $1"
  start "$1" "$MTRK_BIN/mtqpd" --config "$work/$1.conf"
}

{
  message way@x.test "$(recipient u@x.test transferred 2.4.0 b.test),$(recipient v@x.test delivered 2.1.5)"
  message late@x.test "$(recipient u@x.test transferred 2.4.0 b.test)"
  message circle@x.test "$(recipient u@x.test transferred 2.4.0 b.test)"
  message self@x.test "$(recipient u@x.test transferred 2.4.0 a.test)"
  message lost@x.test "$(recipient u@x.test transferred 2.4.0 gone.test)"
  message closed@x.test "$(recipient u@x.test transferred 2.4.0 closed.test)"
} >"$work/a.ndjson"
server a "${address[a]}:1038"
{
  message way@x.test "$(recipient u@x.test transferred 2.4.0 c.test)"
  message late@x.test "$(recipient u@x.test transferred 2.4.0 c.test)"
  message circle@x.test "$(recipient u@x.test transferred 2.4.0 a.test)"
} >"$work/b.ndjson"
server b "${address[b]}:1038"
{
  message way@x.test "$(recipient u@x.test relayed 2.1.9 d.test)"
  message late@x.test "$(recipient u@x.test delayed 4.4.1 d.test)"
} >"$work/c.ndjson"
server c "${address[c]}:$c_port"
start_dns <<END
a A ${address[a]}
b A ${address[b]}
c A 127.27.0.9
_mtqp._tcp.c SRV 0 0 $c_port c-tracking
c-tracking A ${address[c]}
closed A ${address[a]}
_mtqp._tcp.closed SRV 0 0 0 .
END
listens() { (exec 3<>"/dev/tcp/$1/$2"); }
for place in "${address[a]} 1038" "${address[b]} 1038" "${address[c]} $c_port"; do
  # shellcheck disable=SC2086  # address and port
  wait_until 10 listens $place || fail "nobody listens on $place"
done

# ask STATUS COMMAND ENVID [OPTION...]
ask() {
  local status=$1 command=$2 envid=$3
  shift 3
  MTQP_SECRET=$secret expect_exit "$status" "$MTRK_BIN/mtqp" "$command" --dns "$dns" "$@" --server a.test "$envid"
}

ask 0 track way@x.test
for line in 'accepted by a.test' 'passed on to b.test' 'accepted by b.test' 'passed on to c.test' 'accepted by c.test' \
  'relayed to d.test, beyond which nothing is tracked' '^v@x.test' 'delivered \(2.1.5' '^asked c.test'; do expect_output "$line"; done
[ "$(grep -c '^u@x.test' "$work/output")" -eq 1 ] || fail "one view for one recipient: $(cat "$work/output")"
ask 0 track way@x.test --json
[ "$(grep -c '^{"v":1,"hop":' "$work/output")" -eq 3 ] || fail "not three servers: $(cat "$work/output")"
ask 0 track way@x.test --no-follow
[ "$(grep -c '^asked ' "$work/output")" -eq 1 ] || fail "followed with --no-follow"
ask 0 status way@x.test
expect_output '^handed over: 2 recipients, 1 relayed, 1 delivered; u@x.test relayed \(2.1.9'
ask 0 status way@x.test --json
expect_output '"state":"handed over".*"next_hop":"d.test","beyond":"untracked","path":\[\{"server":"a.test:1038".*"server":"c.test:1038"'
ask 1 status late@x.test
expect_output '^under way: u@x.test delayed \(4.4.1, no answer from the host\) by way of d.test'
ask 7 track late@x.test --max-hops 2
expect_output 'more servers to ask'

# A-30: each server is asked once, whatever they say.
ask 7 track circle@x.test
expect_output 'in a circle'
[ "$(grep -c '^asked ' "$work/output")" -eq 2 ] || fail "asked twice: $(cat "$work/output")"
ask 7 status circle@x.test
expect_output '^loop: '
ask 0 track self@x.test # a server that names itself is not asked again (A-17)
[ "$(grep -c '^asked ' "$work/output")" -eq 1 ] || fail "asked twice: $(cat "$work/output")"
ask 0 track lost@x.test
expect_output 'passed on to gone.test, which gave no answer'
ask 0 track closed@x.test
expect_output 'does not offer tracking'

# Whoever watches sees it end.
MTQP_SECRET=$secret "$MTRK_BIN/mtqp" watch --dns "$dns" --interval 1 --server a.test late@x.test >"$work/watch" 2>&1 &
watcher=$!
wait_until 10 grep -q 'delayed (4.4.1' "$work/watch" || fail "watch shows nothing: $(cat "$work/watch")"
message late@x.test "$(recipient u@x.test delivered 2.1.5)" | "$MTRK_BIN/mtrkctl" --config "$work/c.conf" import -
wait "$watcher" || fail "watch did not end well: $(cat "$work/watch")"
grep -q 'delivered (2.1.5' "$work/watch" || fail "watch did not see the end: $(cat "$work/watch")"
! grep -q $'\r' "$work/watch" || fail "progress where there is no terminal"
pass
