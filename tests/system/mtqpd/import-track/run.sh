#!/bin/bash
# mtrkctl import, mtqpd and mtqp track without any mail system: every action and exit code, bad lines
# (number, reason, exit 65, the others imported), messages whose time is over.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
write_config
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
later=$(date -u -d '+3 days' +%Y-%m-%dT%H:%M:%SZ)

# message ENVID RECIPIENTS [ARRIVAL]
message() {
  printf '{"envelope_id":"%s","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[%s]}\n' \
    "$1" "$certifier" "${3:-$now}" "$2"
}

# recipient ADDRESS ACTION STATUS [MORE]
recipient() {
  printf '{"original":"rfc822;%s","final":"rfc822;%s","action":"%s","status":"%s"%s}' "$1" "$1" "$2" "$3" "${4:+,$4}"
}
attempt="\"last_attempt\":\"$now\""
remote="\"remote_mta\":\"mx.example.net\",$attempt"
retry="\"will_retry_until\":\"$later\""

{
  message delivered@x.example "$(recipient a@x.example delivered 2.0.0 "$attempt")"
  message relayed@x.example "$(recipient a@x.example relayed 2.1.9 "$remote")"
  message transferred@x.example "$(recipient a@x.example transferred 2.4.0 "$remote")"
  message tried@x.example "$(recipient a@x.example delayed 4.4.1 "$remote,$retry")"
  message fresh@x.example "$(recipient a@x.example delayed 4.0.0 "$retry")"
  message failed@x.example "$(recipient a@x.example failed 5.1.1 "$remote")"
  message expanded@x.example "$(recipient a@x.example expanded 2.1.5 "$attempt")"
  message mixed@x.example "$(recipient a@x.example delivered 2.0.0 "$attempt"),$(recipient b@x.example failed 5.1.1 "$remote")"
  message over@x.example "$(recipient a@x.example delivered 2.0.0 '"last_attempt":"2001-01-01T00:00:00Z"')" 2001-01-01T00:00:00Z
} >"$work/good.ndjson"
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/good.ndjson"

{
  echo 'not json'
  message after-bad@x.example "$(recipient a@x.example delivered 2.0.0 "$attempt")"
  echo '{"envelope_id":"no-certifier@x.example"}'
  # RFC 3886 forbids Will-Retry-Until with delivered
  message forbidden@x.example "$(recipient a@x.example delivered 2.0.0 "$attempt,$retry")"
  message last@x.example "$(recipient a@x.example delivered 2.0.0 "$attempt")"
} >"$work/bad.ndjson"
expect_exit 65 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import - <"$work/bad.ndjson"
for number in 1 3 4; do expect_output "(^|[^0-9])$number: "; done

start_mtqpd
tab=$'\t'
while IFS=$tab read -r id action status mta; do
  expect_outcome "$id@x.example" a@x.example "$action" "$status" "$mta"
done <<END
delivered${tab}delivered${tab}2.0.0${tab}-
relayed${tab}relayed${tab}2.1.9${tab}mx.example.net
transferred${tab}transferred${tab}2.4.0${tab}mx.example.net
tried${tab}delayed${tab}4.4.1${tab}mx.example.net
fresh${tab}delayed${tab}4.0.0${tab}-
failed${tab}failed${tab}5.1.1${tab}mx.example.net
expanded${tab}expanded${tab}2.1.5${tab}-
after-bad${tab}delivered${tab}2.0.0${tab}-
last${tab}delivered${tab}2.0.0${tab}-
END

# track STATUS ENVID
track() { MTQP_SECRET=$secret expect_exit "$1" "$MTRK_BIN/mtqp" track --server "127.0.0.1:$mtqp_port" "$2"; }
track 0 delivered@x.example
expect_output delivered
track 0 relayed@x.example
track 1 tried@x.example
track 1 fresh@x.example
track 2 failed@x.example
track 2 mixed@x.example
track 3 over@x.example
track 3 unknown@x.example
track 3 forbidden@x.example
expect_exit 4 env MTQP_SECRET="$secret" "$MTRK_BIN/mtqp" track --server 127.0.0.1:1 delivered@x.example
printf '%s\n' "$secret" >"$work/secret"
expect_exit 0 "$MTRK_BIN/mtqp" track --json --server "127.0.0.1:$mtqp_port" --secret-file "$work/secret" delivered@x.example
expect_output '"delivered"'
expect_exit 0 "$MTRK_BIN/mtqp" track --raw --server "127.0.0.1:$mtqp_port" --secret-file "$work/secret" delivered@x.example
expect_output '^Action: delivered'

# Without a server there is no crash, and a second import into a store that is being read works.
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import - <<<"$(message again@x.example "$(recipient a@x.example delivered 2.0.0 "$attempt")")"
expect_outcome again@x.example a@x.example delivered 2.0.0 -
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status on SIGTERM"
pass
