#!/bin/bash
# A mistake in mtrk.conf: every program says file:line:column and what, and exits 78; wrong usage is 64.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin

# Each case: line:column, what the message says, then the file's text.
cases=0
while IFS='|' read -r position message text; do
  cases=$((cases + 1))
  printf '%b' "$text" >"$work/mtrk.conf"
  for program in mtrk-milter mtrk-gate mtqpd mtqp mtrkctl; do
    expect_exit 78 "$MTRK_BIN/$program" --config "$work/mtrk.conf" --check-config
    expect_output "$work/mtrk.conf:$position: .*$message"
  done
done <<'END'
1:1|hostnam|hostnam = "mx.example.test"\n
2:1|maximum|[retention]\nmaximun = "30d"\n
2:11|duration|[retention]\ndefault = "9 fortnights"\n
3:12|size|\n[store]\nmax_size = "16 bananas"\n
1:12|string|hostname = 7\n
1:[0-9]+|.|hostname = "unfinished\n
2:[0-9]+|postfix|[log]\nmta = "qmail"\n
1:[0-9]+|.|[mtqpd\n
END
[ "$cases" -eq 8 ] || fail "only $cases cases were run"

for program in mtrk-milter mtqpd mtqp mtrkctl; do
  expect_exit 78 "$MTRK_BIN/$program" --config "$work/missing.conf" --check-config
  expect_output missing.conf
  echo 'hostname = "mx.example.test"' >"$work/mtrk.conf"
  expect_exit 0 "$MTRK_BIN/$program" --config "$work/mtrk.conf" --check-config
  expect_exit 64 "$MTRK_BIN/$program" --no-such-option
  expect_exit 0 "$MTRK_BIN/$program" --help
  expect_exit 0 "$MTRK_BIN/$program" --version
done

# What the gate cannot be asked to do: to let strangers relay, to serve nobody, to find next hops.
for text in '[gate.inbound]\nlisten = ["127.0.0.1:0"]\nupstream = "127.0.0.1:1"\nidentify = "none"\n' '' \
  '[gate.inbound]\nlisten = ["127.0.0.1:0"]\n' '[gate.outbound]\nlisten = ["127.0.0.1:0"]\n'; do
  printf '%b' "$text" >"$work/mtrk.conf"
  expect_exit 78 "$MTRK_BIN/mtrk-gate" --config "$work/mtrk.conf" --check-config
  expect_output 'gate\.'
done

# One socket for the mail system and for the gate.
for text in 'gate_socket = "unix:/run/mtrk/m.sock"\nsocket = "unix:/run/mtrk/m.sock"\n' 'socket = "local:/run/mtrk/gate.sock"\n'; do
  printf '%b' "[milter]\n$text" >"$work/mtrk.conf"
  expect_exit 78 "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf" --check-config
  expect_output 'milter\.gate_socket'
done

# A daemon that starts with a bad file ends at once.
echo 'hostnam = "x"' >"$work/mtrk.conf"
for program in mtrk-milter mtrk-gate mtqpd; do expect_exit 78 timeout 10 "$MTRK_BIN/$program" --config "$work/mtrk.conf"; done
pass
