#!/bin/bash
# What mtqp remembers: TLS that vanishes, a certificate that changes. The link handler, which asks first;
# completion of every command and option.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
    -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
}
certificate
tls="[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\""
write_config "$tls"
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"one@x.test","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.test","final":"rfc822;a@x.test","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd
export MTQP_SECRET=$secret
ask=("$MTRK_BIN/mtqp" track --resolve "mx.example.test=127.0.0.1:$mtqp_port" --server mx.example.test --tls-ca "$work/certificate.pem")

# MTQP-11-04: once TLS, always TLS.
expect_exit 0 "${ask[@]}" one@x.test
expect_output '\(TLS\)'
memory=$work/.local/state/mtqp/servers.ndjson
[ "$(stat -c %a "$memory")" = 600 ] || fail "others can read whom we asked"
! grep -q "$secret" "$memory" || fail "the secret is remembered"
stop mtqpd
write_config
start_mtqpd
expect_exit 5 "${ask[@]}" one@x.test
expect_output 'had TLS on 20..-..-.. and offers none now'
expect_exit 0 "${ask[@]}" --tls no one@x.test
expect_output 'somebody may be listening'

# MTQP-11-05: another key is told once.
stop mtqpd
certificate
write_config "$tls"
start_mtqpd
expect_exit 0 "${ask[@]}" one@x.test
expect_output 'has another certificate key than since'
expect_exit 0 "${ask[@]}" one@x.test
! grep -q 'another certificate' "$work/output" || fail "told twice"

# A memory that others could have written is not believed, and keeps nobody from asking.
chmod 644 "$memory"
expect_exit 0 "${ask[@]}" one@x.test
expect_output 'what is known of servers cannot be kept'
chmod 600 "$memory"

# The link handler asks before it connects, on the terminal; without one it does not connect.
uri="mtqp://127.0.0.1:$mtqp_port/track/one@x.test/AAECAwQFBgcICQoLDA0ODw=="
handler=$top/contrib/desktop/mtqp-open
export PATH=$MTRK_BIN:$PATH
if command -v script >/dev/null; then
  on_terminal() { # ANSWER
    printf '%s\n\n' "$1" | TERM=dumb script -q -e -c "$handler '$uri'" /dev/null >"$work/output" 2>&1
  }
  on_terminal y || fail "the handler: $(cat "$work/output")"
  expect_output 'Ask 127.0.0.1:[0-9]+ what became of message one@x.test'
  expect_output 'delivered'
  on_terminal n || true
  expect_output 'nobody was asked'
  ! grep -q AAECAwQF "$work/output" || fail "the handler shows the secret"
else
  say "SKIPPED: the link handler on a terminal: no script(1)"
fi
setsid "$handler" "$uri" </dev/null >"$work/output" 2>&1 || true
expect_output 'nobody was asked'
if command -v desktop-file-validate >/dev/null; then desktop-file-validate "$top/contrib/desktop/mtqp.desktop"; fi

# Every command and every option completes.
expect_exit 0 "$MTRK_BIN/mtqp" --help
commands=$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/output")
[ "$(wc -w <<<"$commands")" -ge 8 ] || fail "commands: $commands"
complete_words() { # WORD... : what completion offers for the last of them
  bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mtqp; printf "%s\n" "${COMPREPLY[@]}"' - \
    "$top/contrib/bash-completion/mtqp" mtqp "$@"
}
for command in $commands; do
  complete_words "" >"$work/words"
  grep -qx "$command" "$work/words" || fail "$command is not completed"
  "$MTRK_BIN/mtqp" "$command" --help | sed -nE 's/^  (-.,)?(--[a-z-]+).*/\2/p' | while read -r option; do
    complete_words "$command" "$option" >"$work/words"
    grep -qxF -- "$option" "$work/words" || fail "$command $option is not completed"
  done || exit 1
done
pass
