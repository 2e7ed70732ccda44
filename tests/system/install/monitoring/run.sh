#!/bin/bash
# Alerts and dashboard name only metrics that mtqpd and mtrk-textfile really export here, and every metric of mtqpd is
# shown; each alert says what to do. With promtool: the rules are right, a healthy site raises none of them and a sick one
# all, and the expressions of the dashboard are right.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
readonly folder=$top/contrib/monitoring
free_port mtqp_port
metrics_port=''
free_port metrics_port
write_config "metrics = \"127.0.0.1:$metrics_port\""
: >"$work/maillog"
sed -i "s|^source = .*|source = \"file:$work/maillog\"\nreconcile = \"0s\"|; s|^socket = .*|socket = \"unix:$work/milter.sock\"|" "$work/mtrk.conf"
start mtrk-milter "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
counted() { grep -q '^log_current 1' "$work/store/milter.stats"; }
wait_until 20 counted || fail "mtrk-milter wrote no counters"
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"one@open.example","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd

exec {socket}<>"/dev/tcp/127.0.0.1/$metrics_port"
printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' >&"$socket"
timeout 10 cat <&"$socket" | tr -d '\r' | sed '1,/^$/d' >"$work/exported"
exec {socket}>&-
grep -q '^# EOF$' "$work/exported" || fail "mtqpd serves no metrics"

# mtrk-textfile: what it writes, and that a failure leaves the old file and nothing else.
mkdir "$work/textfile"
PATH=$MTRK_BIN:$PATH "$folder/mtrk-textfile" "$work/textfile/mtrk.prom" "$work/mtrk.conf"
cat "$work/textfile/mtrk.prom" >>"$work/exported"
cp "$work/textfile/mtrk.prom" "$work/output"
for line in 'mtrk_store_messages 1' 'mtrk_store_octets_max 268435456' 'mtrk_milter_tracked_total 0' 'mtrk_milter_log_current 1' \
  'mtrk_store_oldest_expiry_timestamp_seconds [1-9][0-9]{9}' 'mtrk_milter_written_timestamp_seconds [1-9][0-9]{9}'; do
  expect_output "^$line\$"
done
[ $(($(date +%s) - $(sed -n 's/^mtrk_milter_written_timestamp_seconds //p' "$work/output"))) -le 60 ] || fail "mtrk-milter wrote long ago"
PATH=$MTRK_BIN:$PATH expect_exit 78 "$folder/mtrk-textfile" "$work/textfile/mtrk.prom" "$work/nowhere.conf"
[ "$(ls "$work/textfile")" = mtrk.prom ] || fail "mtrk-textfile leaves files behind: $(ls "$work/textfile")"
[ -s "$work/textfile/mtrk.prom" ] || fail "a failure emptied the file"

"$(dirname "$0")/check.py" "$folder" "$work/exported" "$work/dashboard.yml" >"$work/output" || fail "$(cat "$work/output")"
say "$(tail -n 1 "$work/output")"
# Of these only the path is checked, since the rest is an example.
grep -qx '  - /usr/share/mtrk/monitoring/alerts.yml' "$folder/prometheus.yml" || fail "prometheus.yml does not name the rules where they are installed"

if command -v promtool >/dev/null; then
  expect_exit 0 promtool check rules "$folder/alerts.yml"
  expect_exit 0 promtool check rules "$work/dashboard.yml"
  expect_exit 0 promtool test rules "$top/tests/data/monitoring/alerts_test.yml"
  # A name that alerts_test.yml lacks would never be tried.
  while IFS= read -r alert; do
    grep -q "\"$alert\"" "$top/tests/data/monitoring/alerts_test.yml" || fail "alerts_test.yml does not try $alert"
  done < <(sed -n 's/^ *- alert: //p' "$folder/alerts.yml")
else
  say "SKIPPED: promtool (Debian: prometheus) is not installed: the alerts were compared with what is exported, but not run"
fi
stop mtqpd
stop mtrk-milter
pass
