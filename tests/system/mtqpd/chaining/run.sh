#!/bin/bash
# A gateway with mtqpd and two servers behind it, found by DNS: by referral the client asks all three, by
# chaining the gateway answers for them, as far as its configuration lets it; circles and peers of all kinds
# end in the referral.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
declare -A address=([gw]=127.23.0.1 [hub]=127.23.0.2 [box]=127.23.0.3 [chain]=127.23.0.11 [final]=127.23.0.12
  [hidden]=127.23.0.13 [careful]=127.23.0.14 [tls]=127.23.0.15 [secure]=127.23.0.4 [silent]=127.23.0.5)
now=$(date -u +%FT%TZ)
free_port next_hop_port
start next-hop "$MTRK_BIN/fake_next_hop" --port "$next_hop_port" --log "$work/next-hop.commands"

certificate() { # NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" \
    -addext "subjectAltName=DNS:$1" -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
certificate gw.org.test
certificate secure.org.test
cat "$work"/*.pem >"$work/all-ca"

# message ENVID ACTION STATUS [NEXT]
message() {
  local next=
  [ -z "${4:-}" ] || next=",\"remote_mta\":\"$4\""
  printf '{"envelope_id":"%s","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;u@x.test","final":"rfc822;u@x.test","action":"%s","status":"%s","last_attempt":"%s"%s}]}\n' \
    "$1" "$certifier" "$now" "$2" "$3" "$now" "$next"
}
# store NAME HOSTNAME: what that host knows, the messages on standard input
store() {
  mkdir -p "$work/$1"
  printf '%s\n' "hostname = \"$2\"" '[store]' "path = \"$work/$1\"" 'max_size = "64MiB"' >"$work/$1.store"
  "$MTRK_BIN/mtrkctl" --config "$work/$1.store" import - || fail "import for $1"
}
# server NAME STORE HOSTNAME [LINES]: on its own address
server() {
  printf '%s\n' "hostname = \"$3\"" '[store]' "path = \"$work/$2\"" '[mtqpd]' "listen = [\"${address[$1]}:1038\"]" \
    'threads = 1' 'stats_file = ""' "${4:-}" >"$work/$1.conf"
  start "$1" "$MTRK_BIN/mtqpd" --config "$work/$1.conf"
  wait_until 10 listens "${address[$1]}" || fail "$1 does not listen"
}
listens() { (exec 3<>"/dev/tcp/$1/1038"); }

start_dns <<END
gw.org A ${address[chain]}
hub.org A ${address[hub]}
box.org A ${address[box]}
far A ${address[box]}
dead.org A 127.23.0.99
secure.org A ${address[secure]}
silent.org A ${address[silent]}
smtp.org A 127.0.0.1
_mtqp._tcp.smtp.org SRV 0 0 $next_hop_port smtp.org
END
{
  for id in way late; do message $id@x.test transferred 2.4.0 hub.org.test; done
  message circle@x.test transferred 2.4.0 hub.org.test
  message self@x.test transferred 2.4.0 gw.org.test
  message far@x.test transferred 2.4.0 far.test
  for peer in dead silent smtp secure; do message $peer@x.test transferred 2.4.0 $peer.org.test; done
} | store gateway gw.org.test
{
  for id in way late; do message $id@x.test transferred 2.4.0 box.org.test; done
  message circle@x.test transferred 2.4.0 gw.org.test
} | store hub.store hub.org.test
{
  message way@x.test delivered 2.1.5
  message late@x.test failed 5.1.1
  message far@x.test delivered 2.1.5
} | store box.store box.org.test
message secure@x.test delivered 2.1.5 | store secure.store secure.org.test

chaining="[chaining]
enabled = true
domains = [\"org.test\"]
dns = \"$dns\""
allowed="$chaining
networks = [\"127.0.0.0/8\"]"
server box box.store box.org.test
server hub hub.store hub.org.test "$allowed"
server gw gateway gw.org.test
server chain gateway gw.org.test "$allowed
port = $next_hop_port"
server final gateway gw.org.test "$allowed
hops = \"final\""
server hidden gateway gw.org.test "$allowed
[privacy]
hide_hosts = true"
server careful gateway gw.org.test "$chaining"
server secure secure.store secure.org.test "[tls]
certificate = \"$work/secure.org.test.pem\"
key = \"$work/secure.org.test.key\""
server tls gateway gw.org.test "$allowed
ca_file = \"$work/all-ca\"
[tls]
certificate = \"$work/gw.org.test.pem\"
key = \"$work/gw.org.test.key\""
server silent box.store silent.org.test
kill -STOP "${pids[silent]}" # the kernel takes connections, nobody says a word
export MTQP_SECRET=$secret

# ask STATUS SERVER ENVID [OPTION...]
ask() {
  local status=$1 server=${address[$2]} envid=$3
  shift 3
  expect_exit "$status" "$MTRK_BIN/mtqp" track --dns "$dns" --server "$server" --tls-ca "$work/all-ca" "$@" "$envid"
}
asked() { [ "$(grep -c '^asked ' "$work/output")" -eq "$1" ] || fail "not $1 servers asked: $(cat "$work/output")"; }
unanswered() { [ "$(grep -c '^Reporting-MTA:' "$work/output")" -eq 1 ] || fail "not the referral alone: $(cat "$work/output")"; }
# referral SERVER ENVID [OPTION...]: its answer is what it knows itself
referral() {
  ask 0 "$1" "$2" --no-follow --raw "${@:3}"
  expect_output '^Action: transferred'
  unanswered
}

# Who says nothing costs 15 s, so its question is asked first.
"$MTRK_BIN/mtqp" track --dns "$dns" --server "${address[chain]}" --no-follow --raw silent@x.test >"$work/silent.answer" 2>&1 &
silent_client=$!

# MODEL-5.3-01: referral, and the same by chaining. The hub chains in both.
ask 0 gw way@x.test
asked 2
expect_output 'delivered \(2.1.5'
ask 0 chain way@x.test
asked 1
for line in 'accepted by gw.org.test' 'passed on to hub.org.test' 'accepted by hub.org.test' 'accepted by box.org.test' 'delivered \(2.1.5'; do
  expect_output "$line"
done
ask 0 chain way@x.test --raw
[ "$(grep '^Reporting-MTA:' "$work/output" | tr -d '\r\n')" = 'Reporting-MTA: dns; gw.org.testReporting-MTA: dns; hub.org.testReporting-MTA: dns; box.org.test' ] ||
  fail "not three parts in order: $(cat "$work/output")"
[ "$(grep -c '^Action: transferred' "$work/output")" -eq 2 ] || fail "the referral is gone: $(cat "$work/output")"
ask 2 chain late@x.test
grep -q 'asked=hub.org.test' "$work/chain.log" || fail "not in the log: $(cat "$work/chain.log")"

# MTQP-2.4-02: the final hop only; names of inner hosts hidden.
ask 2 final late@x.test --raw
expect_output '^Action: failed'
unanswered
! grep -qE 'hub|box' "$work/output" || fail "names of inner hosts: $(cat "$work/output")"
ask 0 hidden way@x.test --raw
expect_output '^Action: delivered'
[ "$(grep -c '^Reporting-MTA: dns; gw.org.test' "$work/output")" -eq 3 ] || fail "not disguised: $(cat "$work/output")"
! grep -qE 'hub|box' "$work/output" || fail "names of inner hosts: $(cat "$work/output")"

# A-30, THR-X4: circles end at once.
begin_ms=$(milliseconds)
ask 7 chain circle@x.test
asked 1
[ $(($(milliseconds) - begin_ms)) -le 3000 ] || fail "a circle took too long"
[ "$(grep -c 'asked=hub.org.test, result=answered' "$work/chain.log")" -eq 3 ] || fail "asked again: $(cat "$work/chain.log")"
referral chain self@x.test
! grep -q 'asked=gw' "$work/chain.log" || fail "asked itself"

# THR-X6, THR-X1: whom nobody lists, and addresses that are not public, are left alone.
referral chain far@x.test
! grep -q 'asked=far' "$work/chain.log" || fail "asked an unlisted server"
referral careful way@x.test
grep -q 'asked=hub.org.test.*may not be asked' "$work/careful.log" || fail "not refused: $(cat "$work/careful.log")"

# Peers that are dead or something else.
referral chain dead@x.test
referral chain smtp@x.test
grep -q 'asked=smtp.org.test.*not that of an MTQP server' "$work/chain.log" || fail "not noticed: $(cat "$work/chain.log")"
[ ! -s "$work/next-hop.commands" ] || fail "a mail server was told: $(cat "$work/next-hop.commands")"

# MTQP-11-08: who asks in TLS is not passed on without.
tls=(--tls require --tls-name gw.org.test)
before=$(grep -c 'track=' "$work/hub.log")
referral tls way@x.test "${tls[@]}"
[ "$(grep -c 'track=' "$work/hub.log")" -eq "$before" ] || fail "the secret went out in clear"
ask 0 tls secure@x.test --raw "${tls[@]}"
expect_output '^Reporting-MTA: dns; secure.org.test'
expect_output '^Action: delivered'
grep -q 'track=found.*tls=yes' "$work/secure.log" || fail "not over TLS: $(cat "$work/secure.log")"
referral chain secure@x.test # an authority it does not know: no secret, TLS or not
[ "$(grep -c 'track=' "$work/secure.log")" -eq 1 ] || fail "a certificate nobody vouches for was believed"

wait "$silent_client" || fail "no answer while the next server is silent: $(cat "$work/silent.answer")"
cp "$work/silent.answer" "$work/output"
expect_output '^Action: transferred'
unanswered

# MTQP-11-10
! grep -rlF "$secret" "$work"/*.log || fail "the secret is in a log"
pass
