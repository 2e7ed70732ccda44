#!/bin/bash
# The rules for logcheck(8), used as it uses them: every line of normal operation is left out and every other one is
# shown; the corpora hold each line that the sources can log; and what programs that run here log in normal operation is
# left out as well.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
readonly data=$top/tests/data/logcheck
# As logcheck cleans a file of rules, and looks for what none of them matches.
grep -E --text -v '^[[:space:]]*$|^#' "$top/contrib/logcheck/mtrk" >"$work/rules"
expect_exit 1 grep -E -f "$work/rules" /dev/null # all are regular expressions
shown() { grep -E --text -v -f "$work/rules" "$1" || [ $? -eq 1 ]; }

[ -z "$(shown "$data/normal.log")" ] || fail "would be mailed: $(shown "$data/normal.log")"
shown "$data/shown.log" | diff "$data/shown.log" - >"$work/output" || fail "would be left out: $(cat "$work/output")"
# Each rule is needed, and is for one program.
while IFS= read -r rule; do
  grep -qE -- "$rule" "$data/normal.log" || fail "no line of normal.log needs: $rule"
done <"$work/rules"
"$top/tests/support/log-lines" >"$work/output" || fail "$(cat "$work/output")"
say "$(tail -n 1 "$work/output")"

# What mtqpd and mtrk-milter say here.
free_port mtqp_port
metrics_port=''
free_port metrics_port
write_config "metrics = \"127.0.0.1:$metrics_port\""
: >"$work/maillog"
sed -i "s|^source = .*|source = \"file:$work/maillog\"\nreconcile = \"0s\"|; s|^socket = .*|socket = \"unix:$work/milter.sock\"|" "$work/mtrk.conf"
start mtrk-milter "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
wait_until 10 [ -S "$work/milter.sock" ] || fail "mtrk-milter does not listen"
start_mtqpd
printf '%s\n' "TRACK none@open.example $secret" QUIT | dialogue mtqp "$mtqp_port" >/dev/null
kill -HUP "${pids[mtqpd]}"
wait_until 10 grep -q mtqpd=reloaded "$work/mtqpd.log" || fail "mtqpd did not reload"
kill -USR1 "${pids[mtrk-milter]}"
wait_until 10 grep -q reload=done "$work/mtrk-milter.log" || fail "mtrk-milter did not reload"
stop mtqpd
stop mtrk-milter
for program in mtqpd mtrk-milter; do
  sed "s/^$program: /$(LC_ALL=C date '+%b %e %T') mx ${program}[4711]: /" "$work/$program.log" >"$work/live.log"
  [ "$(wc -l <"$work/live.log")" -ge 3 ] || fail "$program said too little: $(cat "$work/live.log")"
  [ -z "$(shown "$work/live.log")" ] || fail "would be mailed: $(shown "$work/live.log")"
done
pass
