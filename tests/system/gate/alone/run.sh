#!/bin/bash
# mtrk-gate has no store: it asks mtrk-milter, and whatever becomes of that or of its store, mail goes on. In each row 58
# messages come in by the gate and leave by it. Two log lines an outage, no message waits twice; MTRK again when the
# milter is back. The gate runs as a user of its own, in the group of the milter's socket and in no other.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
expect_store_deaths
gate_port='' upstream_port='' out_port=''
for port in gate_port upstream_port out_port next_hop_port; do free_port "$port"; done
extra_services="127.0.0.1:$upstream_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter=
mtrkout unix - - n - - smtp -o smtp_send_xforward_command=yes"
start_mail_system "transport_maps = inline:{ partner.example=mtrkout:[127.0.0.1]:$out_port }"
stop next-hop
start next-hop "$MTRK_BIN/fake_next_hop" --port "$next_hop_port" --log "$work/next-hop.commands" --mtrk
wait_until 10 answers "$next_hop_port" || fail "no next hop"
write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$upstream_port\"
max_connections_per_address = 100
[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"127.0.0.1:$next_hop_port\"
tls = \"none\""
sed -i "s|^\[milter\]|&\ngate_socket = \"unix:$work/ask/gate.sock\"|" "$work/mtrk.conf"

# Nothing of LMDB is in the program.
! readelf -d "$MTRK_BIN/mtrk-gate" | grep -i lmdb || fail "mtrk-gate is linked with LMDB"
! grep -q mdb_env_open "$MTRK_BIN/mtrk-gate" || fail "mtrk-gate has LMDB in it"

nobody=$(id -u nobody) nogroup=$(id -g nobody)
mkdir "$work/ask"
chgrp "$nogroup" "$work/ask"
chmod 2750 "$work/ask"
chmod 700 "$work/store"
start_milter
start mtrk-gate setpriv --reuid "$nobody" --regid "$nogroup" --clear-groups "$MTRK_BIN/mtrk-gate" --config "$work/mtrk.conf"
for port in "$gate_port" "$out_port"; do wait_until 10 answers "$port" || fail "mtrk-gate does not listen"; done
[ "$(stat -c '%a %g' "$work/ask/gate.sock")" = "660 $nogroup" ] || fail "the socket: $(ls -l "$work/ask")"
[ "$(stat -c %u "/proc/${pids[mtrk-gate]}/mem")" -eq 0 ] || fail "mtrk-gate can be looked into"

count() { grep -c -- "$1" "$work/$2" || true; }
through() { [ "$(count "^accepted" next-hop.commands)" -ge $((before + 58)) ]; }
lives() { kill -0 "${pids[mtrk-gate]}" && answers "$gate_port" && answers "$out_port"; }

# passes NAME: 58 messages, in by the gate and out by it.
passes() {
  before=$(count "^accepted" next-hop.commands)
  "$MTRK_BIN/smtp_source" --port "$gate_port" --to ok-row@partner.example --sessions 20 --messages 58 --tracking mtrk \
    --prefix "row$RANDOM." >"$work/source.log" 2>&1 || fail "$1: refused: $(tail -n 3 "$work/source.log")"
  if ! wait_until 60 through; then fail "$1: $(($(count "^accepted" next-hop.commands) - before)) of 58 came through"; fi
  lives || fail "$1: mtrk-gate is gone"
  say "$1: 58 of 58"
}

# leave NUMBER MOST: so many messages that the mail system hands to the gate, in at most so many milliseconds.
leave() {
  local begun i
  begun=$(milliseconds)
  {
    say "EHLO mx.example"
    for ((i = 0; i < $1; i++)); do
      printf '%s\n' "XFORWARD IDENT=4jWzjj46J4z1V" "MAIL FROM:<s@a.example>" "RCPT TO:<ok-asked@partner.example>" DATA x .
    done
    say QUIT
  } | dialogue smtp "$out_port" >"$work/leaves"
  [ "$(count 'mtrk-gate=relayed/' leaves)" -eq "$1" ] || fail "not relayed: $(cat "$work/leaves")"
  [ $(($(milliseconds) - begun)) -le "$2" ] || fail "$1 messages took $(($(milliseconds) - begun)) ms"
}

with_mtrk() { count ' MTRK=' next-hop.commands; }
arrived() { [ "$(count 'RCPT TO:<ok-back' next-hop.commands)" -gt "$seen" ]; }
back() { # a tracked message leaves with MTRK
  local seen marked
  seen=$(count 'RCPT TO:<ok-back' next-hop.commands) marked=$(with_mtrk)
  printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> MTRK=$certifier:86400 ENVID=back$RANDOM.$RANDOM@client.example" \
    "RCPT TO:<ok-back@partner.example>" DATA x . QUIT | dialogue smtp "$gate_port" >"$work/smtp.dialogue"
  wait_until 20 arrived && [ "$(with_mtrk)" -gt "$marked" ]
}
comes_back() { wait_until 40 back || fail "$1: no MTRK after the milter came back: $(tail -n 3 "$work/mtrk-gate.log")"; }

passes "all is well"
[ "$(with_mtrk)" -ge 58 ] || fail "not all have MTRK: $(with_mtrk)"
! grep mtrk-milter= "$work/mtrk-gate.log" || fail "said without need"

# The milter away, and stopped: all of its processes, as it is the store's that answers the gate.
milter_processes() {
  local keeper
  keeper=$(pgrep -P "${pids[mtrk-milter]}")
  echo "${pids[mtrk-milter]}" "$keeper" "$(pgrep -P "$keeper")"
}
for signal in KILL STOP; do
  told=$(count 'mtrk-milter=does not answer' mtrk-gate.log)
  read -ra processes < <(milter_processes)
  [ "${#processes[@]}" -eq 3 ] || fail "not three processes: ${processes[*]}"
  case $signal in
    KILL) kill -KILL "${pids[mtrk-milter]}" ;;
    STOP) kill -STOP "${processes[@]}" ;;
  esac
  leave 1 3000
  leave 10 3000 # 5000 if each waited
  passes "milter: SIG$signal"
  leave 10 3000
  [ "$(count 'mtrk-milter=does not answer' mtrk-gate.log)" -eq $((told + 1)) ] || fail "SIG$signal: said more than once, or not"
  case $signal in
    KILL) stop mtrk-milter && start_milter ;;
    STOP) kill -CONT "${processes[@]}" ;;
  esac
  comes_back "SIG$signal"
done
[ "$(count 'mtrk-milter=answers again' mtrk-gate.log)" -eq 2 ] || fail "not said that it is back"

# The store under a milter that serves: cut off, overwritten, emptied, replaced.
fresh_milter() {
  if kill -0 "${pids[mtrk-milter]}"; then stop mtrk-milter KILL; else unset "pids[mtrk-milter]"; fi 2>/dev/null
  rm -f "$work/store"/*
  start_milter
  comes_back "$1"
}
data=$work/store/data.mdb
damage() {
  case $1 in
    "cut to 60 %") truncate -s $(($(stat -c %s "$data") * 6 / 10 / 4096 * 4096)) "$data" ;;
    "cut to 0") truncate -s 0 "$data" ;;
    "lock file cut to 0") truncate -s 0 "$work/store/lock.mdb" ;;
    overwritten) dd if=/dev/urandom of="$data" bs=4096 count=$(($(stat -c %s "$data") / 4096)) conv=notrunc status=none ;;
    emptied) rm -f "$work/store"/* ;;
    replaced) head -c 65536 /dev/zero >"$work/other" && mv "$work/other" "$data" ;;
  esac
}
for how in "cut to 60 %" "cut to 0" "lock file cut to 0" overwritten emptied replaced; do
  damage "$how"
  passes "store: $how"
  fresh_milter "$how"
done

# SIGTERM: who is between two messages goes at once, also one that reads nothing; a message under way has 20 seconds.
sockets=()
for _ in 1 2; do
  exec {socket}<>"/dev/tcp/127.0.0.1/$gate_port"
  IFS= read -r -t 10 line <&"$socket" || fail "no greeting"
  sockets+=("$socket")
done
printf 'EHLO client.example\r\n' >&"${sockets[1]}"
while IFS= read -r -t 10 line <&"${sockets[1]}"; do case $line in 250\ *) break ;; esac; done
printf 'MAIL FROM:<s@client.example>\r\n' >&"${sockets[1]}"
IFS= read -r -t 10 line <&"${sockets[1]}" || fail "no reply to MAIL"
begun=$(milliseconds)
kill -TERM "${pids[mtrk-gate]}"
IFS= read -r -t 3 line <&"${sockets[0]}" || fail "an idle session got no word at once"
case $line in 421*) ;; *) fail "an idle session got: $line" ;; esac
wait_gone "${pids[mtrk-gate]}" 30 || fail "mtrk-gate does not end"
took=$(($(milliseconds) - begun))
if [ "$took" -lt 19000 ] || [ "$took" -gt 24000 ]; then fail "the end of a transaction was waited for $took ms"; fi
stop mtrk-gate
[ "$exit_status" -eq 0 ] || fail "mtrk-gate ended with $exit_status"
! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
