#!/bin/bash
# What a store may hold, as TRACK tells it: messages of several transactions (A-29), many recipients,
# internationalised and hostile addresses (RFC 6533, THR-P1 to THR-P10), ids in angle brackets (A-11), records whose time
# is over. The same while the writer writes, and to clients that do not read (THR-D4).
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
write_config 'threads = 1'
now=$(date -u +%FT%TZ)
earlier=$(date -u -d '-1 hour' +%FT%TZ)

# message ENVID RECIPIENTS [ARRIVAL]
message() {
  printf '{"envelope_id":"%s","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[%s]}\n' "$1" "$certifier" "${3:-$now}" "$2"
}
# recipient ADDRESS [TYPE]: delivered
recipient() {
  printf '{"original":"%s;%s","final":"%s;%s","action":"delivered","status":"2.1.5","last_attempt":"%s"}' "${2:-rfc822}" "$1" "${2:-rfc822}" "$1" "$now"
}
many=$(for i in $(seq 500); do recipient "user$i@x.test" && printf ,; done)
hostile=(
  'crlf\r\nAction: failed\r\n@x.test'                             # THR-P1
  '.\r\n+OK\r\n.\r\n@x.test'                                      # THR-P2
  '--mtrk-boundary--@x.test'                                      # THR-P4
  '..dots@x.test'                                                 # THR-P5
  'c1\u0085\u2028\u0000\u001b[31m@x.test'                         # THR-P7
  "$(head -c 2000 /dev/zero | tr '\0' a)@x.test"                  # THR-P8
  '%s%n%x;\u001b]0;x\u0007@x.test'                                # THR-P9
  '(comment \\\"unbalanced;y;z@x.test'                            # THR-P10
)
{
  message several@x.test "$(recipient one@x.test)"
  message several@x.test "$(recipient two@x.test)"
  message several@x.test "$(recipient three@x.test)" "$earlier"
  message many@x.test "${many%,}"
  message utf8@x.test "$(recipient 'δοκιμή@παράδειγμα.test' utf-8)"
  message bidi@x.test "$(recipient 'a\u202etset.x@b\u0085' utf-8)"
  message '<brackets@x.test>' "$(recipient within@x.test)"
  message bare@x.test "$(recipient without@x.test)"
  message over@x.test "$(recipient late@x.test)" 2001-01-01T00:00:00Z
  message hostile@x.test "$(for address in "${hostile[@]}"; do recipient "$address" && printf ,; done | sed 's/,$//')"
} >"$work/messages.ndjson"
expect_exit 0 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/messages.ndjson"
start_mtqpd

# track ENVID: the answer by hand, into $work/output
track() {
  printf '%s\n' "TRACK $1 $secret" QUIT | dialogue mtqp "$mtqp_port" | sed -n '/^C: TRACK/,/^C: QUIT/{/^C:/!s/^S: //p}' >"$work/output"
}
number() { [ "$(grep -c "$1" "$work/output")" -eq "$2" ] || fail "not $2 times $1: $(head -n 60 "$work/output")"; }

# A-29, MTSN-3-04: transactions of one arrival share a part, others have their own.
track several@x.test
number '^Reporting-MTA:' 2
number '^Final-Recipient:' 3
[ "$(grep '^Final-Recipient:' "$work/output" | tr -d '\n')" = 'Final-Recipient: rfc822; three@x.testFinal-Recipient: rfc822; one@x.testFinal-Recipient: rfc822; two@x.test' ] ||
  fail "not in order: $(cat "$work/output")"

track many@x.test
number '^Final-Recipient: rfc822; user[0-9]*@x.test$' 500
number '^Action: delivered$' 500

# THR-P6, RFC 6533: ASCII on the wire, and back into characters nowhere but at the client.
track utf8@x.test
number '^Final-Recipient: utf-8; \\x{3B4}\\x{3BF}\\x{3BA}\\x{3B9}\\x{3BC}\\x{3AE}@\\x{3C0}' 1
! LC_ALL=C grep -q '[^ -~]' "$work/output" || fail "not ASCII: $(cat "$work/output")"
# show LOCALE ENVID: what people see there
show() { MTQP_SECRET=$secret expect_exit 0 env LC_ALL="$1" "$MTRK_BIN/mtqp" track --server "127.0.0.1:$mtqp_port" "$2"; }
show C.UTF-8 utf8@x.test
expect_output '^δοκιμή@παράδειγμα.test$'
show C utf8@x.test
expect_output '^\\x\{3B4\}\\x\{3BF\}'
show C.UTF-8 bidi@x.test # what turns text around stays visible, controls never come
expect_output '^a\\x\{202E\}tset.x@b\?$'

# A-11: as given first, then without brackets; the answer names what was found.
track '<brackets@x.test>'
number '^Original-Envelope-Id: <brackets@x.test>$' 1
track '<bare@x.test>'
number '^Original-Envelope-Id: bare@x.test$' 1
track brackets@x.test # another id
number '^-ERR/noinfo' 1

# THR-O1: expired, unknown and another secret are the same octets.
for id in over@x.test unknown@x.test; do
  track "$id"
  cp "$work/output" "$work/miss.$id"
done
printf '%s\n' "TRACK bare@x.test YWJj" QUIT | dialogue mtqp "$mtqp_port" | sed -n '/^C: TRACK/,/^C: QUIT/{/^C:/!s/^S: //p}' >"$work/miss.secret"
cmp "$work/miss.over@x.test" "$work/miss.unknown@x.test" || fail "expired differs from unknown"
cmp "$work/miss.over@x.test" "$work/miss.secret" || fail "a wrong secret differs from expired"

# THR-P1 to THR-P10: a group for each recipient, fields that the RFC names and nothing else, lines within their limit.
track hostile@x.test
number '^Final-Recipient: ' ${#hostile[@]}
number '^Action: delivered$' ${#hostile[@]}
number '^Action: failed' 0
! LC_ALL=C grep -q '[^ -~]' "$work/output" || fail "controls or octets beyond ASCII: $(cat -v "$work/output")"
! awk 'length > 998' "$work/output" | shows . || fail "a line of more than 998 octets"
! grep -vE '^(\+OK\+ .*|Content-Type: .*|--mtrk-[0-9a-f]{32}(--)?|Original-Envelope-Id: .*|Reporting-MTA: .*|Arrival-Date: .*|Original-Recipient: .*|Final-Recipient: .*|Action: .*|Status: .*|Last-Attempt-Date: .*| .*|\.?)$' "$work/output" ||
  fail "lines that are no field"
MTQP_SECRET=$secret expect_exit 0 "$MTRK_BIN/mtqp" track --server "127.0.0.1:$mtqp_port" hostile@x.test
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$work/output" || fail "controls reach the terminal: $(cat -v "$work/output")"

# MTRK-3.1-09, THR-V1: what proves the secret is kept, but neither the secret nor the certifier nor the id.
keeps() { # the octets of WHAT are in the store
  perl -e 'undef $/; open(my $f, "<", shift) or die; exit(index(<$f>, shift) < 0)' "$work/store/data.mdb" "$1"
}
raw() { printf %s "$1" | base64 -d | tail -c +2; } # without the first octet: arguments hold no NUL
keeps one@x.test || fail "the recipient is not where it is looked for"
for what in "$secret" "$certifier" several@x.test "$(raw "$secret")" "$(raw "$certifier=")"; do
  ! keeps "$what" || fail "the store holds the secret, the certifier or the envelope id: $what"
done

# While the writer writes: 10 000 further messages come in, and every answer is right.
seq 10000 | awk -v line="$(message ID@x.test "$(recipient w@x.test)")" '{ text = line; sub(/ID@/, "w" $1 "@", text); print text }' >"$work/further.ndjson"
start import "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/further.ndjson"
asked=0
while kill -0 "${pids[import]}" 2>/dev/null && [ "$asked" -lt 20000 ]; do
  seq 200 | sed 's/.*/several@x.test/' | outcomes >"$work/outcomes"
  [ "$(cut -f 3 "$work/outcomes" | sort | uniq -c | tr -s ' ')" = ' 600 delivered' ] || fail "wrong answers: $(sort "$work/outcomes" | uniq -c)"
  asked=$((asked + 200))
done
wait "${pids[import]}" || fail "import: $(cat "$work/import.log")"
unset "pids[import]"
say "$asked answers while 10000 messages were written"
[ "$asked" -gt 0 ] || fail "the writer was too fast to be disturbed"
expect_outcome w10000@x.test w@x.test delivered 2.1.5 -

# THR-D4: ten clients ask for big records and read nothing. No transaction stays open, others are served, and what
# they cost does not grow.
cat >"$work/greedy" <<'END'
use Socket;
my ($port, $line) = @ARGV;
my @all;
for (1 .. 10) {
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
  setsockopt($s, SOL_SOCKET, SO_RCVBUF, pack("l", 2048)) or die;
  connect($s, pack_sockaddr_in($port, inet_aton("127.0.0.1"))) or die;
  fcntl($s, 4, 2048); # F_SETFL, O_NONBLOCK
  push @all, $s;
}
my $flood = "$line\r\n" x 10000;
for my $s (@all) { syswrite($s, $flood) }
print "asked\n";
sleep 60;
END
start greedy perl "$work/greedy" "$mtqp_port" "TRACK many@x.test $secret"
rss() { awk '/^VmRSS:/ { print $2 }' "/proc/${pids[mtqpd]}/status"; }
blocked() { # its end of each connection has output that nobody takes
  [ "$(awk -v port="$(printf ':%04X' "$mtqp_port")" 'index($2, port) && $4 == "01" { split($5, queue, ":"); if (queue[1] != "00000000") n++ } END { print n + 0 }' /proc/net/tcp)" -ge 10 ]
}
no_reader() { # not even a place for one: mtqpd takes no locks
  mdb_stat -r "$work/store" >"$work/readers" || true # it ends with 1 after the table
  grep -q '^Reader Table Status' "$work/readers" && ! grep -qE "^ *${pids[mtqpd]} " "$work/readers"
}
wait_until 10 blocked || fail "the greedy clients do not block"
before=$(rss)
for _ in $(seq 10); do
  no_reader || fail "mtqpd keeps pages while clients do not read: $(cat "$work/readers")"
  expect_outcome bare@x.test without@x.test delivered 2.1.5 -
done
[ $(($(rss) - before)) -le 2048 ] || fail "grew from $before to $(rss) KiB"
stop greedy
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
pass
