#!/bin/bash
# The labelled logs through the real store: the captures their messages would have had (once as the
# milter makes them, once imported), mtrkctl ingest, then TRACK for each message over TCP. Every row
# of expected.tsv has to come out (tests/data/logs/*/README.md has the columns), and what the mail
# system refused after all must be unknown.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
tab=$'\t'

# start_over MTA: an empty store.
start_over() {
  rm -rf "$work/store"
  mkdir "$work/store"
  cat >"$work/mtrk.conf" <<END
hostname = "mx.example.test"
[store]
path = "$work/store"
max_size = "64MiB"
[retention]
default = "3650d"
maximum = "3650d"
[log]
mta = "$1"
source = "file:/nonexistent"
filters = ["127.0.0.1:10029", "127.0.0.1:10032"]
[privacy]
forwarding = "reveal"
[mtqpd]
listen = ["127.0.0.1:$mtqp_port"]
threads = 1
END
}

capture() { "$MTRK_BIN/make_captures" "$work/mtrk.conf" "$@" <"$work/rows"; }
import() {
  "$MTRK_BIN/make_captures" --import "$work/mtrk.conf" "$@" <"$work/rows" >"$work/import.ndjson"
  expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/import.ndjson"
}
# Delivery lines that cannot be read are said: by exit 1, and in the numbers. Only forgeries have any.
ingest() {
  local got=0 unparsed
  "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" ingest --log "$1" >"$work/output" 2>&1 || got=$?
  unparsed=$(sed -n 's/^lines=.* unparsed=\([0-9]*\) .*/\1/p' "$work/output")
  case $1 in */forged-*) ;; *) [ "$unparsed" = 0 ] || fail "$1: unparsed lines" ;; esac
  [ "$got" = "$((unparsed > 0))" ] || fail "$1: exit $got with $unparsed unparsed lines"
  expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" stats
  expect_output "^ingest\.unparsed $unparsed$"
}

# track LOG: asks for the messages of $work/rows and compares with $work/want.
track() {
  start_mtqpd
  cut -f 1 "$work/rows" | awk '!seen[$0]++ { print $0 "@rows.example" }' | outcomes >"$work/answers"
  stop mtqpd
  awk -F '\t' -v log_name="$1" -f "$(dirname "$0")/compare.awk" \
    "$work/want" "$work/refused" "$work/answers" || fail "$1 does not agree"
}

# check MTA FOLDER HOW: all logs of a folder. HOW is capture or import.
check() {
  local folder=$2 how=$3 log earlier
  # shellcheck disable=SC2013 # file names without blanks
  for log in $(awk -F '\t' 'FNR > 1 && !seen[$1]++ { print $1 }' "$folder"/*.tsv); do
    start_over "$1"
    awk -F '\t' -v name="$log" '$1 == name' "$folder/expected.tsv" >"$work/want"
    cut -f 2,3 "$work/want" >"$work/rows"
    : >"$work/refused"
    if [ -e "$folder/norecord.tsv" ]; then
      awk -F '\t' -v name="$log" '$1 == name && $2 != "-" && !seen[$2]++ &&
        $NF ~ /END-OF-MESSAGE|at EOM|header_checks (DISCARD|REJECT)/ { print $2 }' \
        "$folder/norecord.tsv" >"$work/refused"
    fi
    sed "s/\$/${tab}nobody@example.test/" "$work/refused" >>"$work/rows"
    [ -s "$work/rows" ] || continue
    # One message in three rotated logs.
    earlier=
    case $log in
      */c31-*) earlier=$folder/${log/c31-delay-warning/c30-deferred-then-sent-on-retry} ;;
      */c32-*) earlier="$folder/${log/c32-expired-after-warning/c30-deferred-then-sent-on-retry}
        $folder/${log/c32-expired-after-warning/c31-delay-warning}" ;;
    esac
    # shellcheck disable=SC2086
    "$how" $earlier "$folder/$log"
    # shellcheck disable=SC2086
    for earlier in $earlier "$folder/$log"; do ingest "$earlier"; done
    track "$log"
  done
}

data=$top/tests/data/logs
for folder in postfix forged-postfix odd-postfix; do
  check postfix "$data/$folder" capture
  check postfix "$data/$folder" import
done
for folder in sendmail forged-sendmail odd-sendmail; do
  [ ! -e "$data/$folder/expected.tsv" ] || check sendmail "$data/$folder" capture
done
pass
