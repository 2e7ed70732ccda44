#!/bin/bash
# mtqp send to a submission service as providers run it: a real Postfix that relays only after a login over
# TLS. SCRAM-SHA-256, PLAIN and LOGIN, STARTTLS and TLS from the first octet; the password from a file, the
# environment and ~/.netrc, never in sight; what was sent is tracked to its end by its short name.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
readonly password='corr3ct "horse, =battery' sasl=$top/tests/support/sasl-database
smtps_port='' chosen=''
free_port smtps_port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
  -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
"$sasl" fetch "$TESTBED_CACHE"
declare -A port_of=()
for mechanism in PLAIN LOGIN SCRAM-SHA-256; do
  free_port chosen
  port_of[$mechanism]=$chosen
  extra_services+="127.0.0.1:$chosen inet n - n - - smtpd -o smtpd_sasl_path=${mechanism,,}"$'\n'
done
extra_services+="127.0.0.1:$smtps_port inet n - n - - smtpd -o smtpd_tls_wrappermode=yes"
start_mail_system \
  "smtpd_sasl_auth_enable = yes" "smtpd_sasl_path = all" "smtpd_sasl_local_domain = example.test" \
  "smtpd_tls_security_level = may" "smtpd_tls_auth_only = yes" \
  "smtpd_tls_cert_file = $work/certificate.pem" "smtpd_tls_key_file = $work/key.pem" \
  "smtpd_relay_restrictions = permit_sasl_authenticated, reject" "smtpd_recipient_restrictions = permit_sasl_authenticated, reject"
"$sasl" create "$work/mx/etc/sasl" "$TESTBED_CACHE"
printf '%s' "$password" | "$sasl" add "$work/mx/etc/sasl" ann example.test
write_config
start_milter
start_mtqpd

# send STATUS [OPTION...]: one message to $port
port=${port_of[SCRAM-SHA-256]}
send() {
  local status=$1
  shift
  printf 'Subject: hello\n\nHello\n' >"$work/message"
  expect_exit "$status" "$MTRK_BIN/mtqp" send --smtp "127.0.0.1:$port" --tracker "127.0.0.1:$mtqp_port" --host client.example \
    --from ann@example.test --to alice@example.test "${tls[@]}" "$@" "$work/message"
}
tls=(--smtp-tls-ca "$work/certificate.pem" --smtp-tls-name mx.example.test)
printf '%s\r\nnot this line\n' "$password" >"$work/password"

send 69 # nothing is relayed without a login
expect_output 'refuses'
for mechanism in PLAIN LOGIN SCRAM-SHA-256; do
  port=${port_of[$mechanism]}
  send 0 --user ann --password-file "$work/password" --verbose
  expect_output '^mtqp://'
  expect_output '^> \(login\)'
  ! grep -qF "$password" "$work/output" || fail "the password is shown"
  ! grep -qF "$(printf '\0ann\0%s' "$password" | base64)" "$work/output" || fail "the password is shown in base64"
  grep -q "sasl_method=$mechanism, sasl_username=ann" "$work/mx/log/maillog" || fail "not logged in by $mechanism: $(tail -n 5 "$work/mx/log/maillog")"
done

# Where the password comes from.
MTQP_SMTP_PASSWORD=$password send 0 --user ann
expect_exit 64 env -u MTQP_SMTP_PASSWORD "$MTRK_BIN/mtqp" send --smtp "127.0.0.1:$smtp_port" --from a@x.test --to b@x.test --user ann "$work/message"
(umask 077 && printf 'machine other login ann password wrong\nmachine 127.0.0.1 login ann password "corr3ct \\"horse, =battery"\n' >"$work/.netrc")
send 0 --user ann
chmod 644 "$work/.netrc"
send 71 --user ann
expect_output 'must be a file of this user with mode 0600'
rm "$work/.netrc"

# What is refused.
echo wrong >"$work/wrong"
send 69 --user ann --password-file "$work/wrong"
expect_output 'refuses the login: 535'
port=${port_of[PLAIN]} send 69 --user ann --password-file "$work/password" --smtp-tls no
expect_output 'the password would go in clear'
tls=(--smtp-tls-ca "$work/certificate.pem" --smtp-tls-name other.example.test)
send 5 --user ann --password-file "$work/password"
tls=(--smtp-tls-ca "$work/certificate.pem") # an address is no name to check
send 5 --user ann --password-file "$work/password"
tls=(--smtp-tls-name mx.example.test) # nobody vouches for it
send 5 --user ann --password-file "$work/password"
! "$MTRK_BIN/mtqp" send --smtp h --from a@x.test --to b@x.test --user ann --password x "$work/message" 2>/dev/null || fail "a password as argument"

# TLS from the first octet, several recipients, the message on standard input.
printf 'Hello\n' | expect_exit 0 "$MTRK_BIN/mtqp" send --smtp "127.0.0.1:$smtps_port" --smtp-tls implicit --tracker "127.0.0.1:$mtqp_port" \
  --host client.example --from ann@example.test --to alice@example.test --to b5-nobody@partner.example --to ok-carol@partner.example \
  --smtp-tls-ca "$work/certificate.pem" --smtp-tls-name mx.example.test --user ann --password-file "$work/password" --json
expect_output '"tracked":true,"carrier":"folded".*"tls":true,"accepted":\["alice@example.test","b5-nobody@partner.example","ok-carol@partner.example"\]'

# What was sent is known by a short name.
expect_exit 0 "$MTRK_BIN/mtqp" list
[ "$(wc -l <"$work/output")" -eq 6 ] || fail "not six messages: $(cat "$work/output")"
name=$(awk 'NR == 1 { print $1 }' "$work/output")
expect_exit 2 "$MTRK_BIN/mtqp" watch --interval 1 --limit 20 --tls no last
expect_exit 2 "$MTRK_BIN/mtqp" track --tls no "$name"
for line in '^alice@example.test' 'delivered' '^b5-nobody@partner.example' 'failed \(5.1.1' '^ok-carol@partner.example' 'relayed to'; do expect_output "$line"; done
expect_exit 2 "$MTRK_BIN/mtqp" status --tls no "$name"
expect_output '^failed: 3 recipients, 1 failed, 1 relayed, 1 delivered; b5-nobody@partner.example failed'
expect_exit 64 "$MTRK_BIN/mtqp" track --tls no 0000zzzz
expect_exit 0 "$MTRK_BIN/mtqp" list --json -n 1
! grep -qE 'mtqp:|secret' "$work/output" || fail "a list with secrets"
[ "$(stat -c %a "$work/.local/state/mtqp/sent.ndjson")" = 600 ] || fail "others can read what was sent"
pass
