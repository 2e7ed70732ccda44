# shellcheck shell=bash disable=SC2034  # scripts that source this use the variables
# What the system tests, the benchmarks and contrib/demo share: a private folder, processes that are
# ended whatever happens, a private Postfix or Sendmail with our milter attached, SMTP and MTQP by hand.
# Source it.
#
# The folder is $work, the programs are in $MTRK_BIN. A test ends with `pass`; anything else that ends
# the script fails it, and the tails of all logs are shown.
set -euo pipefail
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly top
: "${MTRK_BIN:=$top/build/dev/bin}"
: "${TESTBED_CACHE:=$top/build/testbed}"

# All messages of the tests have one secret and its certifier, SHA-1 of the octets 00 01 .. 0f.
readonly secret='AAECAwQFBgcICQoLDA0ODw==' certifier='VheLhqV/rCKJmplkGFwsyW59pYk'

work=
passed=
mta=postfix # or sendmail: start_sendmail_system sets it
smtp_port='' next_hop_port='' mtqp_port=''

# The site whose mail system and programs are meant: its name, which is before those of its programs, its
# folder, its host and its address. One site, in $work, unless sites.sh is at work.
site='' site_home='' site_host=mx.example.test site_address=127.0.0.1
exit_status=0
declare -A pids=()
declare -a at_end=() # commands for the end, run once all processes are gone

say() { printf '%s\n' "$*"; }

fail() {
  say "FAILED: $*" >&2
  exit 1
}

# shows [OPTION] PATTERN: grep -q that reads all of its input, since a writer cut short is a failure here
# (pipefail).
shows() {
  local input
  input=$(cat)
  grep -q "$@" <<<"$input"
}

pass() {
  passed=yes
  say "passed"
}

# Makes $work; everything that was started ends with the script, also on Ctrl-C.
begin() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/mtrk.XXXXXX")
  chmod 755 "$work" # Postfix has to search it
  site_home=$work
  export HOME=$work # programs keep their secrets there, not in the user's
  trap finish EXIT
  set -E
  trap 'say "(exit $? of $BASH_COMMAND, line $LINENO)" >&2' ERR # set -e ends the script without a word
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

finish() {
  local status=$? name mx
  trap - EXIT INT TERM
  for name in "${!pids[@]}"; do
    kill -CONT "${pids[$name]}" 2>/dev/null || true
    kill -TERM "${pids[$name]}" 2>/dev/null || true
  done
  for mx in "$work"/mx "$work"/*/mx; do
    if [ -d "$mx" ]; then "$top/tests/support/$mta-instance" stop "$mx" || true; fi
  done
  # A mail server whose start was cut short by Ctrl-C: its programs are those unpacked in $work.
  for name in /proc/[0-9]*; do
    case $(readlink "$name/exe" || true) in "$work"/mx/* | "$work"/*/mx/*) kill -KILL "${name#/proc/}" || true ;; esac
  done 2>/dev/null
  for name in "${!pids[@]}"; do
    wait_gone "${pids[$name]}" 5 || kill -KILL "${pids[$name]}" 2>/dev/null || true
  done
  if grep -lE 'ERROR: (Address|Leak|Thread)Sanitizer|runtime error:' "$work"/*.log 2>/dev/null; then
    say "FAILED: a sanitizer complained" >&2
    passed=
    status=1
  fi
  for name in "$work"/sanitizer.*; do # see expect_store_deaths
    [ -s "$name" ] || continue
    if ! grep -q liblmdb "$name"; then
      { say "FAILED: a sanitizer complained"; head -n 40 "$name"; } >&2
      passed=
      status=1
    fi
  done
  if [ -z "$passed" ]; then
    [ "$status" -ne 0 ] || status=1
    case $status in
      130 | 143) say "interrupted" ;;
      *)
        say "(exit status $status)" >&2
        show_logs >&2
        keep_evidence
        ;;
    esac
  fi
  for name in "${at_end[@]}"; do eval "$name"; done
  if [ -n "${KEEP_WORK:-}" ]; then say "kept: $work"; else rm -rf "$work"; fi
  exit "$status"
}

# For tests that damage a store, after begin: mtrk-milter's store process may die of what LMDB makes of its files, and
# what a reader has open there is given up, not closed, as nothing of it can be trusted. What AddressSanitizer says of
# LMDB is no fault then; all else is.
expect_store_deaths() {
  export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_sigbus=0:handle_segv=0:detect_leaks=0:log_path=$work/sanitizer"
}

# What a failed attempt leaves for those who look for the reason: all its logs, in a folder of its own.
keep_evidence() {
  [ -n "${MTRK_EVIDENCE:-}" ] || return 0
  local folder log
  folder=$MTRK_EVIDENCE/$(basename "$(dirname "$(realpath "$0")")")-$(date +%H%M%S)
  for log in "$work"/*.log "$work"/sanitizer.* "$work"/mx/log/maillog "$work"/*/mx/log/maillog; do
    [ -s "$log" ] || continue
    mkdir -p "$folder/$(dirname "${log#"$work"/}")"
    tail -c 1M "$log" >"$folder/${log#"$work"/}"
  done
  [ ! -d "$folder" ] || say "kept: $folder" >&2
}

show_logs() {
  local log
  for log in "$work"/*.log "$work"/mx/log/maillog "$work"/*/mx/log/maillog; do
    [ -s "$log" ] || continue
    say "--- ${log#"$work"/}"
    tail -n 30 "$log"
  done
}

# wait_until SECONDS COMMAND...: asks again until it holds.
wait_until() {
  local end=$((SECONDS + $1 + 1))
  shift
  while ! "$@" 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

gone() { ! kill -0 "$1"; }
wait_gone() { wait_until "$2" gone "$1"; }

# tcp [ADDRESS:]PORT: what bash connects to for it; 127.0.0.1 unless an address is given.
tcp() { case $1 in *:*) echo "/dev/tcp/${1%:*}/${1##*:}" ;; *) echo "/dev/tcp/127.0.0.1/$1" ;; esac; }
answers() { (exec 3<>"$(tcp "$1")"); }

# Tests may run side by side: each has 200 ports to itself while it lives, by the lock it holds.
ports_from=
claim_ports() {
  local slot lock
  for slot in {0..49}; do
    exec {lock}>"${TMPDIR:-/tmp}/mtrk-test-ports.$UID.$slot" || continue
    if flock -n "$lock"; then
      ports_from=$((20000 + slot * 200))
      return
    fi
    exec {lock}>&-
  done
  fail "no range of ports is free"
}

# free_port NAME: puts a port that nobody listens on into the variable NAME.
declare -A ports_given=()
free_port() {
  local port
  [ -n "$ports_from" ] || claim_ports
  while :; do
    port=$((ports_from + RANDOM % 200))
    if [ -z "${ports_given[$port]:-}" ] && ! answers "$port" 2>/dev/null; then break; fi
  done
  ports_given[$port]=yes
  printf -v "$1" '%s' "$port"
}

# start NAME COMMAND...: in the background, output appended to $work/NAME.log.
start() {
  local name=$1
  shift
  "$@" >>"$work/$name.log" 2>&1 </dev/null &
  pids[$name]=$!
}

# stop NAME [SIGNAL]: ends it and puts its exit status into $exit_status.
stop() {
  local pid=${pids[$1]}
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  exit_status=0
  wait "$pid" 2>/dev/null || exit_status=$?
  unset "pids[$1]"
}

# expect_exit STATUS COMMAND...: runs it; its output is in $work/output.
expect_exit() {
  local want=$1 got=0
  shift
  "$@" >"$work/output" 2>&1 || got=$?
  [ "$got" -eq "$want" ] || fail "exit $got, not $want: $* : $(head -n 5 "$work/output")"
}

# expect_sysexit COMMAND...: it ends by itself with one of the exit codes of sysexits.h.
expect_sysexit() {
  local got=0
  timeout 20 "$@" >"$work/output" 2>&1 || got=$?
  if [ "$got" -lt 64 ] || [ "$got" -gt 78 ]; then fail "exit $got: $* : $(head -n 5 "$work/output")"; fi
}

expect_output() { grep -qE -- "$1" "$work/output" || fail "no /$1/ in: $(head -n 5 "$work/output")"; }

# --- the programs of the project ----------------------------------------------------------------

# write_config [LINES]: $site_home/mtrk.conf, everything on loopback and below $work.
write_config() {
  mkdir -p "$site_home/store"
  cat >"$site_home/mtrk.conf" <<END
hostname = "$site_host"
[store]
path = "$site_home/store"
max_size = "256MiB"
[milter]
socket = "unix:$(milter_socket)"
commit_wait = "${commit_wait:-1s}"
[log]
mta = "$mta"
source = "file:$site_home/mx/log/maillog"
[mtqpd]
listen = ["$site_address:$mtqp_port"]
stats_file = "$site_home/mtqpd.stats"
${1:-}
END
}

milter_socket() {
  case $mta in
    postfix) echo "$site_home/mx/spool/mtrk/milter.sock" ;;
    sendmail) echo "$site_home/mx/root/run/mtrk/milter.sock" ;;
  esac
}
milter_listens() { [ -S "$(milter_socket)" ]; }

start_milter() {
  rm -f "$(milter_socket)"
  start "${site:+$site-}mtrk-milter" "$MTRK_BIN/mtrk-milter" --config "$site_home/mtrk.conf"
  wait_until 10 milter_listens || fail "mtrk-milter does not listen"
}

start_mtqpd() {
  start "${site:+$site-}mtqpd" "$MTRK_BIN/mtqpd" --config "$site_home/mtrk.conf"
  wait_until 10 answers "$site_address:$mtqp_port" || fail "mtqpd does not listen"
}

# start_gate [ADDRESS:]PORT...: and these answer. Its part of mtrk.conf is the caller's.
start_gate() {
  local port
  start "${site:+$site-}mtrk-gate" "$MTRK_BIN/mtrk-gate" --config "$site_home/mtrk.conf"
  for port; do wait_until 10 answers "$port" || fail "mtrk-gate does not listen"; done
}

# A next hop whose answers go by the local part (fake_next_hop.cc) and a Postfix that sends
# partner.example there, keeps alice@ and bob@example.test in mailboxes, expands team@example.test,
# and has our milter and command filter attached. Sets smtp_port, next_hop_port and mtqp_port.
# Arguments are further lines for main.cf; $extra_services are lines for master.cf.
extra_services=''
start_mail_system() {
  local pf=$top/tests/support/postfix-instance
  free_port smtp_port
  [ -n "$next_hop_port" ] || free_port next_hop_port # settings of the caller may name it
  free_port mtqp_port
  start next-hop "$MTRK_BIN/fake_next_hop" --port "$next_hop_port" --log "$work/next-hop.commands"
  "$pf" fetch "$TESTBED_CACHE"
  "$pf" create "$work/mx" "$TESTBED_CACHE" "$smtp_port"
  cp "$top/contrib/postfix/mtrk-command-filter.regexp" "$work/mx/etc/"
  say "$extra_services" >>"$work/mx/etc/master.cf"
  "$pf" set "$work/mx" \
    "relay_domains = partner.example" \
    "transport_maps = inline:{ partner.example=smtp:[127.0.0.1]:$next_hop_port }" \
    "virtual_mailbox_maps = inline:{ alice@example.test=alice/, bob@example.test=bob/ }" \
    "virtual_alias_maps = inline:{ { team@example.test = alice@example.test, bob@example.test, ok-team@partner.example } }" \
    "smtpd_command_filter = regexp:$work/mx/etc/mtrk-command-filter.regexp" \
    "smtpd_milters = { unix:mtrk/milter.sock, connect_timeout=2s, command_timeout=2s, content_timeout=4s, default_action=accept }" \
    "in_flow_delay = 0"
  [ $# -eq 0 ] || "$pf" set "$work/mx" "$@"
  "$pf" start "$work/mx"
}

# The same with Sendmail, and what is different for it: names of next hops are needed (mx1 has DSN,
# mx2.nodsn.example has not, mx.dead.example refuses connections), aliases and .forward files are its own.
# Arguments are further lines of m4; $mailertable, if it is set, is another one.
start_sendmail_system() {
  local instance=$top/tests/support/sendmail-instance next_hop2_port dead_port
  mta=sendmail
  free_port smtp_port
  free_port next_hop_port
  free_port next_hop2_port
  free_port dead_port
  free_port mtqp_port
  start next-hop "$MTRK_BIN/fake_next_hop" --port "$next_hop_port" --log "$work/next-hop.commands"
  start next-hop2 "$MTRK_BIN/fake_next_hop" --port "$next_hop2_port" --log "$work/next-hop2.commands" --no-dsn
  "$instance" fetch "$TESTBED_CACHE"
  "$instance" create "$work/mx" "$TESTBED_CACHE" "$smtp_port"
  printf '127.0.0.1 %s\n' mx1.partner.example mx2.nodsn.example mx.dead.example >>"$work/mx/root/etc/hosts"
  say "${mailertable-partner.example esmtp:[mx1.partner.example]
client.example esmtp:[mx1.partner.example]
nodsn.example relay:[mx2.nodsn.example]
dead.example smtp8:[mx.dead.example]}" >"$work/mx/root/etc/mail/mailertable"
  {
    cat "$top/contrib/sendmail/mtrk.m4" # as it is given to administrators
    printf "define(\`%s', \`TCP \$h %s')dnl\n" ESMTP_MAILER_ARGS "$next_hop_port" \
      RELAY_MAILER_ARGS "$next_hop2_port" SMTP8_MAILER_ARGS "$dead_port"
    [ $# -eq 0 ] || printf '%s\n' "$@"
  } >"$work/mx/root/etc/mail/local.mc"
  cat >>"$work/mx/root/etc/mail/aliases" <<END
team: alice, bob, ok-team@partner.example
chain: chain2
chain2: alice
away: ok-away@partner.example
program: "|cat >/dev/null"
broken-program: "|exit 1"
archive: /var/mail/archive
owner-list: dave
list: alice, bob, ok-list@partner.example
loop: loop2
loop2: loop
END
  echo 'ok-home@partner.example' >"$work/mx/root/var/forward/carol"
  printf '%s\n' 'ok-copy@partner.example' '\dave' >"$work/mx/root/var/forward/dave"
  "$instance" start "$work/mx"
}

sendmail_run() { "$top/tests/support/sendmail-instance" sendmail "$work/mx" "$@"; }

postfix_run() { "$top/tests/support/postfix-instance" run "$site_home/mx" "$@"; }

# --- dialogues ----------------------------------------------------------------------------------

# dialogue KIND [ADDRESS:]PORT: sends the lines of stdin, one reply awaited after each; prints both sides.
# KIND is smtp or mtqp and tells where a reply ends. An SMTP message is the lines after DATA to ".".
dialogue() {
  local kind=$1 line in_data=
  exec {socket}<>"$(tcp "$2")"
  "${kind}_reply"
  while IFS= read -r line; do
    printf 'C: %s\n' "$line"
    printf '%s\r\n' "$line" >&"$socket"
    case $in_data$line in
      yes.) in_data= ;;
      yes*) continue ;;
      DATA) in_data=yes ;;
    esac
    "${kind}_reply"
  done
  exec {socket}>&-
}

next_line() {
  IFS= read -r -t 20 line <&"$socket" || fail "the server closed or did not answer"
  line=${line%$'\r'}
  printf 'S: %s\n' "$line"
}

smtp_reply() {
  next_line
  while [ "${line:3:1}" = - ]; do next_line; done
}

mtqp_reply() {
  next_line
  case $line in +OK+*) while [ "$line" != . ]; do next_line; done ;; esac
}

# tracked_words ENVID: the words of MAIL. Sendmail knows no MTRK, so the client folds it into ENVID.
tracked_words() {
  case $mta in
    postfix) say "MTRK=$certifier:86400 RET=HDRS ENVID=$1" ;;
    sendmail) say "RET=HDRS ENVID=$1;MTRK:$certifier:86400" ;;
  esac
}

# send_tracked ENVID RECIPIENT...: a message with MTRK in a session of its own; $queue_id is its queue id.
queue_id=''
send_tracked() {
  local envid=$1 recipient
  shift
  {
    say "EHLO client.example"
    say "MAIL FROM:<sender@client.example> $(tracked_words "$envid")"
    for recipient in "$@"; do say "RCPT TO:<$recipient>"; done
    printf '%s\n' DATA "Subject: test" "" "Hello" . QUIT
  } | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  accepted_message
}

# Of the dialogue in smtp.dialogue: the message was taken, as $queue_id.
accepted_message() {
  queue_id=$(sed -nE 's/^S: 250 .*queued as (.*)/\1/p; s/^S: 250 2.0.0 (.*) Message accepted for delivery/\1/p' "$work/smtp.dialogue")
  [ -n "$queue_id" ] || fail "refused: $(cat "$work/smtp.dialogue")"
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# timely COMMAND...: it must succeed within 3 s (THR-A1 of the milter).
timely() {
  local start elapsed
  start=$(milliseconds)
  "$@"
  elapsed=$(($(milliseconds) - start))
  [ "$elapsed" -le 3000 ] || fail "$elapsed ms: $*"
  say "$elapsed ms: $*"
}

# hit_after REPLY SIGNAL ENVID RECIPIENT: a tracked message; the milter gets the signal once the server has
# sent the reply to MAIL, RCPT or DATA, given as a regular expression.
hit_after() {
  local reply=$1 signal=$2
  : >"$work/smtp.dialogue"
  {
    printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example> $(tracked_words "$3")"
    [[ $reply == *2.1.0* ]] && hit
    say "RCPT TO:<$4>"
    [[ $reply == *2.1.5* ]] && hit
    say DATA
    [[ $reply == *354* ]] && hit
    printf '%s\n' "Subject: test" "" Hello . QUIT
  } | dialogue smtp "$smtp_port" >"$work/smtp.dialogue"
  accepted_message
}
hit() { # the variables are those of hit_after
  wait_until 5 grep -qE "^S: $reply" "$work/smtp.dialogue" || say "no $reply"
  kill "-$signal" "${pids[mtrk-milter]}"
}

# outcomes: asks for the envelope ids on stdin, all in one pipelined connection, and prints
#   envid <tab> final recipient <tab> action <tab> status <tab> remote MTA
# or, where there is no information, envid <tab> the reply. Missing fields are "-".
outcomes() {
  cat >"$work/outcomes.ids"
  exec {socket}<>"/dev/tcp/$site_address/$mtqp_port"
  { sed "s|.*|TRACK & $secret\r|" "$work/outcomes.ids" && printf 'QUIT\r\n'; } >&"$socket" &
  tr -d '\r' <&"$socket" | awk -F ': ' '
    function value() { sub(/^[^;]*; */, "", $2); return $2 }
    NR == FNR { id[FNR] = $0; asked = FNR; next }
    FNR == 1 { next }                              # greeting
    in_body && $0 == "." { in_body = 0; next }
    in_body && /^ / { if (field == "Final-Recipient") recipient = recipient substr($0, recipient == "" ? 2 : 1); next }
    in_body { field = $1 }
    in_body && $1 == "Final-Recipient" { recipient = value(); action = status = remote = "-" }
    in_body && $1 == "Action" { action = $2 }
    in_body && $1 == "Status" { status = $2 }
    in_body && $1 == "Remote-MTA" { remote = value() }
    in_body && $0 == "" && recipient != "" {
      print id[reply] "\t" recipient "\t" action "\t" status "\t" remote
      recipient = ""
    }
    in_body { next }
    { ++reply }
    /^\+OK\+/ { in_body = 1; recipient = ""; next }
    reply <= asked { print id[reply] "\t" $0 }
  ' "$work/outcomes.ids" -
  exec {socket}>&-
}

# outcome_is ENVID RECIPIENT ACTION STATUS REMOTE
outcome_is() { say "$1" | outcomes | shows -xF "$1"$'\t'"$2"$'\t'"$3"$'\t'"$4"$'\t'"$5"; }

# expect_outcome: the same, awaited, since Postfix delivers in its own time.
expect_outcome() {
  wait_until 15 outcome_is "$@" || fail "not '$*' but: $(say "$1" | outcomes)"
}

# --- DNS ------------------------------------------------------------------------------------------

# start_dns: a name server for the zone test. with the records on stdin; sets dns, as --dns takes it.
dns=''
start_dns() {
  local instance=$top/tests/support/nsd-instance dns_port
  free_port dns_port
  "$instance" fetch "$TESTBED_CACHE"
  "$instance" create "$work/dns" "$TESTBED_CACHE" "$dns_port"
  start dns "$instance" serve "$work/dns"
  wait_until 10 answers "$dns_port" || fail "the name server does not listen"
  dns=127.0.0.1:$dns_port
}
