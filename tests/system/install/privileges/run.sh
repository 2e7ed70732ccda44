#!/bin/bash
# What root risks with mtrkctl in a folder that a service owns, and what a program risks with what it is started
# with: traps in the folder of the store, closed descriptors, outputs that are full or gone, inputs without end.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
[ "$(id -u)" -eq 0 ] || fail "this test needs root"
free_port mtqp_port
write_config
chmod 600 "$work/mtrk.conf"
store=$work/store
now=$(date -u +%FT%TZ)
message() { # ID
  printf '{"envelope_id":"%s@open.example","certifier":"%s","arrival":"%s","recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
    "$1" "$certifier" "$now" "$now"
}
ctl() { timeout 60 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" "$@"; }
as_service() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
stored() { # COUNT
  ctl stats >"$work/output"
  expect_output "^messages $1\$"
}
message first >"$work/messages" # which only root may read, as the log
message second >>"$work/messages"
printf 'Nov 30 21:00:32 mx postfix/qmgr[1]: 4Q0000001: removed\n' >"$work/maillog"
chmod 600 "$work/messages" "$work/maillog"
service_folder() {
  rm -rf "$store"
  mkdir "$store"
  chown nobody:nogroup "$store"
  chmod 2750 "$store"
}

# --- what root does there, the owner does, with inputs that root has opened ----------------------
service_folder
ctl import "$work/messages" 2>"$work/output" || fail "import by root"
ctl ingest --log "$work/maillog" 2>"$work/output" || fail "ingest by root"
stored 2
for row in data.mdb=640 lock.mdb=600 writer.lock=600 ingest.stats=640; do
  [ "$(stat -c '%U:%G %a' "$store/${row%=*}")" = "nobody:nogroup ${row#*=}" ] || fail "$(stat "$store/${row%=*}")"
done
mkfifo "$work/slow"
start import "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/slow"
exec {slow}>"$work/slow"
status_has() { grep -qE "$2" "/proc/${pids[$1]}/status"; }
became() { status_has import "^Uid:(\s+$(id -u nobody)){4}\$"; }
wait_until 10 became || fail "root did not become the store's owner"
for line in "Gid:(\s+$(id -g nobody)){4}" 'Groups:\s*' 'Cap(Inh|Prm|Eff|Amb):\s+0+' 'NoNewPrivs:\s+1'; do
  status_has import "^$line\$" || fail "no $line in $(cat "/proc/${pids[import]}/status")"
done
message third >&"$slow"
exec {slow}>&-
wait "${pids[import]}" || fail "import from a pipe"
unset 'pids[import]'
stored 3

# The journal, which only root and its group may read, from where the last time ended.
journal_remote=
for place in /usr/lib/systemd/systemd-journal-remote /lib/systemd/systemd-journal-remote; do
  [ ! -x "$place" ] || journal_remote=$place
done
[ -n "$journal_remote" ] || fail "systemd-journal-remote is not installed (contrib/check --deps)"
mkdir -m 700 "$work/journal"
log_to_journal() { # TEXT
  printf '%s\n' "__REALTIME_TIMESTAMP=$(date +%s%6N)" __MONOTONIC_TIMESTAMP=1000000 \
    _BOOT_ID=0123456789abcdef0123456789abcdef _TRANSPORT=syslog _UID=0 _PID=4711 _COMM=qmgr _HOSTNAME=mx \
    SYSLOG_IDENTIFIER=postfix/qmgr "MESSAGE=$1" '' >"$work/export"
  "$journal_remote" --output="$work/journal/system.journal" "$work/export" >/dev/null 2>"$work/output" || fail "$(cat "$work/output")"
}
log_to_journal '4Q0000001: removed'
expect_exit 0 ctl ingest --log "journal:$work/journal"
expect_output '^lines=1 events=1 '
expect_exit 0 ctl ingest --log "journal:$work/journal"
expect_output '^lines=0 '
log_to_journal '4Q0000002: removed'
expect_exit 0 ctl ingest --log "journal:$work/journal"
expect_output '^lines=1 events=1 '

# --- traps that the owner sets ------------------------------------------------------------------
victim=$work/victim
vault=$work/vault # root's folder, where nothing may appear
mkdir "$vault"
unharmed() { # WHAT
  [ "$(stat -c '%U %a' "$victim") $(cat "$victim")" = "root 600 ${1-root 5}" ] || fail "$trap: $(stat "$victim")"
  [ -z "$(ls -A "$vault")" ] || fail "$trap: made $(ls "$vault")"
}
printf 'root 5' >"$victim"
chmod 600 "$victim"
run_all() { # what root may do meanwhile: nothing ends by a signal or has to be ended
  local command status
  for command in "import $work/messages" "ingest --log $work/maillog" stats; do
    status=0
    # shellcheck disable=SC2086 # words
    ctl $command >"$work/output" 2>&1 || status=$?
    case $status in 0 | 6[4-9] | 7[0-8]) ;; *) fail "$trap: $command ended with $status" ;; esac
    unharmed
  done
}
for name in data.mdb lock.mdb writer.lock ingest.stats ingest.stats.new milter.stats; do
  for kind in link dangling fifo folder; do
    trap="$kind $name"
    for there in empty filled; do
      service_folder
      [ "$there" = empty ] || ctl import "$work/messages" 2>/dev/null
      rm -f "$store/$name"
      case $kind in
        link) as_service ln -s "$victim" "$store/$name" ;;
        dangling) as_service ln -s "$vault/made" "$store/$name" ;;
        fifo) as_service mkfifo "$store/$name" ;;
        folder) as_service mkdir "$store/$name" ;;
      esac
      run_all
    done
  done
done
trap='link to an empty file'
for name in data.mdb lock.mdb writer.lock; do
  service_folder
  : >"$victim"
  as_service ln -s "$victim" "$store/$name"
  expect_exit 77 ctl import "$work/messages"
  expect_output "^mtrkctl: store $store: $name is a symbolic link"
  unharmed ""
done
printf 'root 5' >"$victim"

# A store that is somewhere else than its path said: the folder above is the service's, too.
trap='folder in a folder of the service'
rm -rf "$store"
mkdir "$work/service"
chown nobody:nogroup "$work/service"
as_service ln -s "$vault" "$work/service/store"
sed "s|^path = .*|path = \"$work/service/store\"|" "$work/mtrk.conf" >"$work/inner.conf"
inner() { timeout 60 "$MTRK_BIN/mtrkctl" --config "$work/inner.conf" "$@"; }
for command in "import $work/messages" "ingest --log $work/maillog" stats; do
  # shellcheck disable=SC2086 # words
  expect_exit 77 inner $command
  unharmed
done
rm "$work/service/store"
inner import "$work/messages" 2>/dev/null || fail "no folder of the store made in the service's"
[ "$(stat -c %U "$work/service/store")" = nobody ] || fail "the new folder is not the service's"
# The same while the folder changes all the time.
# shellcheck disable=SC2016 # for the other shell
start swap setpriv --reuid nobody --regid nogroup --clear-groups bash -c 'cd "$1" && mkdir own && ln -s "$2" link &&
  while :; do mv -T store kept && mv -T link store && mv -T store link && mv -T kept store; done' - "$work/service" "$vault"
for _ in {1..40}; do
  inner import "$work/messages" >/dev/null 2>&1 || true
  inner stats >/dev/null 2>&1 || true
  unharmed
done
stop swap

# Root's own folder, where others may write, is no place for root; nor is another's for a daemon that root runs.
mkdir "$store"
chmod 2770 "$store"
expect_exit 77 ctl import "$work/messages"
expect_output 'others may write'
chmod 2750 "$store"
ctl import "$work/messages" 2>/dev/null || fail "import into root's own folder"
service_folder
expect_exit 77 timeout 20 "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
expect_output 'belongs to user'

# --- standard descriptors that are closed --------------------------------------------------------
rm -rf "$store"
ctl import "$work/messages" 2>/dev/null
echo 'bad line' >"$work/bad"
mkdir -p "$(dirname "$(milter_socket)")"
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
  status=0
  eval "ctl import \"\$work/bad\" $closed" 2>/dev/null || status=$?
  [ "$status" -eq 65 ] || fail "import $closed ended with $status"
  for program in mtrkctl mtqpd mtrk-milter mtrk-gate mtqp; do
    status=0
    eval "\"\$MTRK_BIN/$program\" --config \"\$work/mtrk.conf\" --check-config $closed" >/dev/null 2>&1 || status=$?
    case $status in 0 | 78) ;; *) fail "$program $closed ended with $status" ;; esac
  done
  stored 2
done
for daemon in mtrk-milter mtqpd; do
  rm -f "$(milter_socket)"
  "$MTRK_BIN/$daemon" --config "$work/mtrk.conf" <&- >&- 2>&- &
  pids[$daemon]=$!
  case $daemon in mtqpd) wait_until 10 answers "$mtqp_port" ;; *) wait_until 10 milter_listens ;; esac || fail "$daemon does not serve"
  for fd in 0 1 2; do
    [ "$(readlink "/proc/${pids[$daemon]}/fd/$fd")" = /dev/null ] || fail "$daemon: descriptor $fd is $(readlink "/proc/${pids[$daemon]}/fd/$fd")"
  done
  stop "$daemon"
  stored 2
done

# --- outputs that are full, or whose reader has gone ---------------------------------------------
row='Nov 30 21:00:31 mx postfix/smtp[2]: 4Q0000001: to=<a@x.example>, relay=x.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)'
printf '%s\n' "$row" "$(cat "$work/maillog")" >"$work/deliveries"
mkfifo "$work/broken"
exec {both}<>"$work/broken"
exec {gone_reader}>"$work/broken"
exec {both}>&-
outputs=()
for program in mtrkctl mtqpd mtrk-milter mtrk-gate mtqp; do
  outputs+=("$program --help" "$program --version")
done
for command in import ingest events explain stats config; do outputs+=("mtrkctl $command --help"); done
outputs+=("mtrkctl --config $work/mtrk.conf stats" "mtrkctl --config $work/mtrk.conf stats --json"
  "mtrkctl --config $work/mtrk.conf config" "mtrkctl config --all" "mtrkctl config --defaults" "mtrkctl config store.path"
  "mtrkctl events --log $work/deliveries" "mtrkctl explain --log $work/deliveries 4Q0000001"
  "mtrkctl explain --log $work/deliveries --json 4Q0000001" "mtqp new" "mtqp new --json" "mtqp track --help")
for line in "${outputs[@]}"; do
  status=0
  # shellcheck disable=SC2086 # words
  "$MTRK_BIN"/$line >/dev/full 2>"$work/output" </dev/null || status=$?
  [ "$status" -eq 74 ] || fail "$line >/dev/full ended with $status"
  [ -s "$work/output" ] || fail "$line >/dev/full says nothing"
  status=0
  # shellcheck disable=SC2086 # words
  (trap '' PIPE && exec "$MTRK_BIN"/$line) 1>&"$gone_reader" 2>"$work/output" </dev/null || status=$?
  [ "$status" -eq 74 ] || fail "$line into a pipe without reader ended with $status"
  ! grep -vE '^(lines=.*)?$' "$work/output" || fail "$line is not silent about a reader that has gone"
done
# Errors that cannot be told are no reason to leave the rest undone.
{ cat "$work/bad"; message fourth; } >"$work/mixed"
status=0
ctl import "$work/mixed" 2>/dev/full || status=$?
[ "$status" -eq 65 ] || fail "import 2>/dev/full ended with $status"
stored 3

# --- inputs without end ---------------------------------------------------------------------------
memory=4000000 # KiB
if grep -qa '__[at]san_init' "$MTRK_BIN/mtrkctl"; then memory=unlimited; fi # a sanitizer reserves terabytes
bounded() { # STATUS COMMAND...
  local want=$1
  shift
  # shellcheck disable=SC2016 # for the other shell
  expect_exit "$want" bash -c 'ulimit -v "$1"; shift; exec timeout 60 "$@"' - "$memory" "$@"
}
bounded 65 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import /dev/zero
expect_output '^/dev/zero:1: the line has no end'
bounded 65 "$MTRK_BIN/mtrkctl" explain --log "$work/deliveries" --batch /dev/zero
for command in events 'explain 4Q0000001'; do
  # shellcheck disable=SC2086 # words
  bounded 65 "$MTRK_BIN/mtrkctl" $command --log /dev/zero
  expect_output '^mtrkctl: /dev/zero: this is not a log'
done
bounded 78 "$MTRK_BIN/mtrkctl" --config /dev/zero config
bounded 78 "$MTRK_BIN/mtqpd" --config /dev/zero --check-config
{ message fifth; head -c 20000000 /dev/zero | tr '\0' x; echo; message sixth; } >"$work/long"
bounded 65 "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import "$work/long"
expect_output '^[^ ]*/long:2: the line has more than'
expect_output '^lines=3 imported=2 bad=1'
stored 5
mtqp() { bounded "$1" "$MTRK_BIN/mtqp" "${@:2}"; }
mtqp 65 send --smtp 127.0.0.1:9 --from a@x.example --to b@x.example /dev/zero
expect_output 'more than 100 MiB'
mtqp 64 send --smtp 127.0.0.1:9 --from a@x.example --to b@x.example --user a --password-file /dev/zero </dev/null
mtqp 64 track --server 127.0.0.1:9 --secret-file /dev/zero a@x.example
mtqp 64 track - </dev/zero
mkfifo -m 600 "$HOME/.netrc"
timeout 20 "$MTRK_BIN/mtqp" send --smtp 127.0.0.1:9 --from a@x.example --to b@x.example --user a </dev/null >"$work/output" 2>&1 || status=$?
[ "$status" -ne 124 ] || fail "mtqp waits for a FIFO in the place of .netrc"

# --- nobody reads the memory of a process, be it his own -------------------------------------------
# What another process of the same user may look at belongs to root while the process must not be dumped.
chown -R nobody:nogroup "$store" "$work/mtrk.conf" "$(dirname "$(milter_socket)")"
rm -f "$(milter_socket)"
start mtqpd setpriv --reuid nobody --regid nogroup --clear-groups "$MTRK_BIN/mtqpd" --config "$work/mtrk.conf"
start mtrk-milter setpriv --reuid nobody --regid nogroup --clear-groups "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
wait_until 10 answers "$mtqp_port" || fail "mtqpd does not listen"
wait_until 10 milter_listens || fail "mtrk-milter does not listen"
for daemon in mtqpd mtrk-milter; do
  [ "$(stat -c %u "/proc/${pids[$daemon]}/environ")" -eq 0 ] || fail "$daemon can be dumped"
  grep -qE '^Max core file size +0 +0 ' "/proc/${pids[$daemon]}/limits" || fail "$daemon may write a core file"
  stop "$daemon"
done
pass
