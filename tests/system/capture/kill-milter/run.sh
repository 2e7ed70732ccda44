#!/bin/bash
# Rounds of kill -9 of mtrk-milter under a stream of tracked mail (ROUNDS, default 100):
#   - no message is refused, none takes over 3 s;
#   - every capture that the milter acknowledged (commit=done in its log) is answered by TRACK;
#   - what TRACK says of each of them is what the whole log, read once, says (mtrkctl explain): no line
#     was lost, and none that was read again after a kill changed anything.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
rounds=${ROUNDS:-100}
begin
start_mail_system
write_config
start_milter
start_mtqpd

"$MTRK_BIN/smtp_source" --port "$smtp_port" --sessions 4 --pause-ms 60 --size 500 --tracking mtrk \
  --to ok1@partner.example --to b5a@partner.example --to alice@example.test --to t4a@partner.example \
  --to team@example.test --report "$work/report" >"$work/source.out" 2>&1 &
source_pid=$!
pids[source]=$source_pid

for ((round = 0; round < rounds; round++)); do
  # A life of 0.1 to 0.8 s from the moment it listens.
  sleep "0.$((1 + RANDOM % 7))"
  stop mtrk-milter KILL
  start_milter
done

kill -TERM "$source_pid"
wait "$source_pid" || fail "messages were refused: $(tail -n 1 "$work/source.out"); $(awk -F '\t' '$3 !~ /^2/' "$work/report" | head -n 3)"
unset 'pids[source]'
cat "$work/source.out"
awk -F '\t' '$4 > 3000 { print "took over 3 s: " $0; late = 1 } END { exit late }' "$work/report" || fail "mail was delayed"

# The follower reads to the end of the log: no attempt is under way and the last message is answered.
send_tracked last@x.example alice@example.test
expect_outcome last@x.example alice@example.test delivered 2.0.0 -
idle() { ! postfix_run postqueue -j | shows -E '"queue_name": "(active|incoming)"'; }
wait_until 30 idle || fail "the queue does not come to rest"
send_tracked really-last@x.example alice@example.test
expect_outcome really-last@x.example alice@example.test delivered 2.0.0 -

# Acknowledged captures: queue id, then envelope id and recipient from the report.
awk '/mtrk=tracked/ && /commit=done/ { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]+:$/) { sub(/:$/, "", $i); print $i; next } }' \
  "$work/mtrk-milter.log" | sort -u >"$work/acknowledged"
awk -F '\t' 'NR == FNR { acknowledged[$1]; next } $5 in acknowledged { print $1 "\t" $2 "\t" $5 }' \
  "$work/acknowledged" "$work/report" >"$work/tracked"
acknowledged=$(wc -l <"$work/tracked") sent=$(wc -l <"$work/report")
say "$rounds kills, $sent messages, $acknowledged captures acknowledged"
[ "$acknowledged" -ge $((sent / 4)) ] || fail "too few captures were acknowledged for this to mean anything"

# The truth: the whole log, read at once.
cut -f 3,2 "$work/tracked" | awk -F '\t' '{ print $2 "\t" $1 }' >"$work/batch"
"$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" explain --json --batch "$work/batch" --log "$work/mx/log/maillog" >"$work/explained"
awk -F '\t' '
  function field(name,   value) {
    if (!match($0, "\"" name "\":\"[^\"]*\"")) return "-"
    value = substr($0, RSTART, RLENGTH); sub(/^[^:]*:"/, "", value); sub(/"$/, "", value); return value
  }
  NR == FNR { envid[$3] = $1; next }
  { print envid[field("queue_id")] "\t" field("recipient") "\t" field("action") "\t" field("status") "\t" field("remote_mta") }
' "$work/tracked" "$work/explained" | sort >"$work/truth"
cut -f 1 "$work/tracked" | outcomes | sort >"$work/told"
diff "$work/truth" "$work/told" >"$work/difference" ||
  fail "$(grep -c '^[<>]' "$work/difference") differences between the log (<) and TRACK (>): $(head -n 10 "$work/difference")"
[ "$(wc -l <"$work/told")" -eq "$acknowledged" ] || fail "TRACK did not answer for all"
pass
