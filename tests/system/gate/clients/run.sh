#!/bin/bash
# Clients that log in, through the gate: STARTTLS ends there, AUTH is between the client and a real Postfix with SASL.
# swaks and msmtp as Debian has them, and mtqp send; mail is tracked to its end; a wrong password is refused, nothing
# goes without a login, and in clear AUTH is neither offered nor taken, unless it is configured.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
readonly password='corr3ct "horse, =battery' sasl=$top/tests/support/sasl-database
gate_port='' upstream_port=''
free_port gate_port
free_port upstream_port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
  -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
"$sasl" fetch "$TESTBED_CACHE"
extra_services="127.0.0.1:$upstream_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter="
start_mail_system \
  "smtpd_sasl_auth_enable = yes" "smtpd_sasl_path = all" "smtpd_sasl_local_domain = example.test" \
  "smtpd_relay_restrictions = permit_sasl_authenticated, reject" "smtpd_recipient_restrictions = permit_sasl_authenticated, reject"
"$sasl" create "$work/mx/etc/sasl" "$TESTBED_CACHE"
printf '%s' "$password" | "$sasl" add "$work/mx/etc/sasl" ann example.test
printf '%s\n' "$password" >"$work/password"
echo wrong >"$work/wrong"
write_config
start_milter
start_mtqpd # without TLS: `outcomes` asks in clear
gate_config() { # gate_config AUTH-IN-CLEAR
  write_config "[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\"
[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$upstream_port\"
auth_in_clear = $1"
}
gate_config false
start_gate "$gate_port"
smtp_port=$gate_port
logged_in() { grep -q "sasl_method=$1, sasl_username=ann" "$work/mx/log/maillog"; }

# mtqp: MTRK is announced within TLS, the strongest mechanism is used, the way is followed to its end.
printf 'Subject: hello\n\nHello\n' >"$work/message"
send() { # send STATUS [OPTION...]
  local status=$1
  shift
  expect_exit "$status" "$MTRK_BIN/mtqp" send --smtp "127.0.0.1:$gate_port" --smtp-tls-ca "$work/certificate.pem" --smtp-tls-name mx.example.test \
    --tracker "127.0.0.1:$mtqp_port" --host client.example --from ann@example.test "$@" "$work/message"
}
send 0 --user ann --password-file "$work/password" --to alice@example.test --to ok-bob@partner.example --json
expect_output '"carrier":"mtrk".*"tls":true'
logged_in SCRAM-SHA-256 || fail "no login by SCRAM: $(tail -n 5 "$work/mx/log/maillog")"
expect_exit 0 "$MTRK_BIN/mtqp" watch --interval 1 --limit 20 --tls no last
for line in '^alice@example.test' 'delivered \(2.0.0' '^ok-bob@partner.example' 'relayed to'; do expect_output "$line"; done
send 69 --to alice@example.test
expect_output 'refuses'
send 69 --user ann --password-file "$work/wrong" --to alice@example.test
expect_output 'refuses the login: 535'

# swaks puts what --from says between angle brackets: the last parameter closes them.
swaks_sends() { # swaks_sends ENVID PASSWORD MECHANISM
  swaks --server "127.0.0.1:$gate_port" --tls --tls-verify --tls-ca-path "$work/certificate.pem" --tls-sni mx.example.test \
    --ehlo client.example --timeout 10 --to ok-carol@partner.example --auth "$3" --auth-user ann --auth-password "$2" \
    --from "ann@example.test> ENVID=$1 MTRK=$certifier:3600 AUTH=<" >"$work/swaks" 2>&1
}
for mechanism in PLAIN LOGIN; do
  swaks_sends "swaks-$mechanism@client.example" "$password" "$mechanism" || fail "swaks: $(cat "$work/swaks")"
  grep -qE '^<~ +250[- ]MTRK' "$work/swaks" || fail "no MTRK within TLS: $(cat "$work/swaks")"
  logged_in "$mechanism" || fail "no login by $mechanism"
  expect_outcome "swaks-$mechanism@client.example" ok-carol@partner.example relayed 2.1.9 '[127.0.0.1]'
done
! swaks_sends swaks-wrong@client.example wrong PLAIN || fail "a wrong password is as good"
grep -qE '^<~\* +535' "$work/swaks" || fail "no 535: $(cat "$work/swaks")"

# msmtp knows nothing of tracking; its mail goes as it always did.
msmtp_sends() { # msmtp_sends PASSWORD-FILE MECHANISM RECIPIENT
  msmtp --file=/dev/null --host=127.0.0.1 --port="$gate_port" --tls=on --tls-starttls=on --tls-trust-file="$work/certificate.pem" \
    --tls-host-override=mx.example.test --domain=client.example --auth="$2" --user=ann --passwordeval="cat '$1'" \
    --from=ann@example.test "$3" <"$work/message" >"$work/msmtp" 2>&1
}
arrived() { grep -q "RCPT TO:<$1>" "$work/next-hop.commands"; }
for mechanism in plain login scram-sha-256; do
  msmtp_sends "$work/password" "$mechanism" "ok-$mechanism@partner.example" || fail "msmtp by $mechanism: $(cat "$work/msmtp")"
  wait_until 15 arrived "ok-$mechanism@partner.example" || fail "the mail of msmtp did not arrive"
done
! msmtp_sends "$work/wrong" plain ok-wrong@partner.example || fail "a wrong password is as good"
grep -q 535 "$work/msmtp" || fail "no 535: $(cat "$work/msmtp")"

# In clear: not offered, not taken, and the mail system does not see it.
plain=$(printf '\0ann\0%s' "$password" | base64)
in_clear() {
  printf '%s\n' "EHLO client.example" "AUTH PLAIN $plain" QUIT | dialogue smtp "$gate_port" >"$work/clear"
}
in_clear
! grep -q '^S: 250[- ]AUTH' "$work/clear" || fail "AUTH is offered in clear: $(cat "$work/clear")"
grep -q '^S: 530 5.7.0' "$work/clear" || fail "AUTH is taken in clear: $(cat "$work/clear")"
gate_config true
kill -HUP "${pids[mtrk-gate]}"
reloaded() { grep -q 'mtrk-gate=reloaded' "$work/mtrk-gate.log"; }
wait_until 10 reloaded || fail "no reload"
in_clear
grep -q '^S: 250[- ]AUTH' "$work/clear" || fail "AUTH is not offered: $(cat "$work/clear")"
grep -q '^S: 235 2.7.0' "$work/clear" || fail "AUTH is not taken: $(cat "$work/clear")"

# What is secret is in no log and at no next hop.
for secret_text in "$password" "$plain" "$certifier"; do
  ! grep -F -- "$secret_text" "$work"/*.log "$work/mx/log/maillog" "$work/next-hop.commands" || fail "a secret is written down"
done
! grep -i mtrk "$work/next-hop.commands" || fail "the next hop saw the fold"
pass
