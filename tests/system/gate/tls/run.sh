#!/bin/bash
# STARTTLS at the gate: stock clients (swaks, openssl) and mtqp send through it; nothing that was said in clear crosses
# the handshake, in either direction; TLS towards the mail system; an outbound next hop with a certificate that is not right.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
proxy_port='' gate_port='' tls_port=''
for port in proxy_port gate_port tls_port; do free_port "$port"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
extra_services="127.0.0.1:$proxy_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter=
127.0.0.1:$tls_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter= -o smtpd_tls_security_level=may"
start_mail_system "smtpd_tls_cert_file = $work/certificate.pem" "smtpd_tls_key_file = $work/key.pem"
gate_config() { # gate_config UPSTREAM TLS
  write_config "[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\"
[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"$1\"
upstream_tls = \"$2\""
}
write_config
start_milter
start_mtqpd # without TLS: `outcomes` asks in clear
gate_config "127.0.0.1:$proxy_port" none
export SSL_CERT_FILE=$work/certificate.pem # whom the gate trusts as a client
start_gate "$gate_port"
smtp_port=$gate_port

# In clear STARTTLS is offered, within TLS not again; MTRK in both.
within_tls() { # the commands of stdin within TLS; the replies are in $work/within
  # s_client has its own view of how a connection ends.
  { timeout 10 openssl s_client -quiet -starttls smtp -crlf -verify_return_error -verify_hostname mx.example.test \
    -connect "127.0.0.1:$gate_port" 2>/dev/null || true; } | tr -d '\r' >"$work/within"
}
printf '%s\n' "EHLO client.example" quit | within_tls
grep -qE '^250[- ]MTRK$' "$work/within" || fail "no MTRK within TLS: $(cat "$work/within")"
! grep -q STARTTLS "$work/within" || fail "STARTTLS within TLS"
printf '%s\n' "EHLO client.example" QUIT | dialogue smtp "$gate_port" >"$work/clear"
grep -qE '^S: 250[- ]STARTTLS$' "$work/clear" || fail "STARTTLS is not offered: $(cat "$work/clear")"

if command -v swaks >/dev/null; then
  swaks --server "127.0.0.1:$gate_port" --tls --from s@client.example --to ok1@partner.example --ehlo client.example \
    --timeout 10 >"$work/swaks" 2>&1 || fail "swaks: $(cat "$work/swaks")"
  grep -q 'MTRK' "$work/swaks" || fail "swaks saw no MTRK"
else
  say "SKIPPED: swaks is not installed"
fi

# mtqp insists on TLS here; MTRK is announced, so the certifier is not folded.
printf 'Subject: x\n\nHello\n' >"$work/message"
expect_exit 0 "$MTRK_BIN/mtqp" send --smtp "localhost:$gate_port" --smtp-tls require --smtp-tls-ca "$work/certificate.pem" \
  --from s@client.example --to ok2@partner.example "$work/message"
arrived() { grep -q 'RCPT TO:<ok2@partner.example>' "$work/next-hop.commands"; }
wait_until 15 arrived || fail "mtqp's message did not arrive"

# THR-S1: octets behind STARTTLS: no 220, the connection ends, the mail system has not seen them.
exec {raw}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 10 line <&"$raw"
printf 'EHLO client.example\r\n' >&"$raw"
while IFS= read -r -t 10 line <&"$raw" && [ "${line:3:1}" = - ]; do :; done
printf 'STARTTLS\r\nMAIL FROM:<injected@client.example>\r\nRCPT TO:<alice@example.test>\r\n' >"$work/injection"
cat "$work/injection" >&"$raw"
timeout 10 cat <&"$raw" >"$work/injected" || fail "the connection stays open after injection"
exec {raw}>&-
! grep -q ^220 "$work/injected" || fail "a handshake was offered: $(cat "$work/injected")"
! grep -q injected@client.example "$work/mx/log/maillog" || fail "injected commands were passed on"

# A session begins anew: RCPT without MAIL. (What was said in clear is not in it: tests/data/gate/inbound-tls.smtp.)
printf '%s\n' "EHLO client.example" "RCPT TO:<alice@example.test>" quit | within_tls
grep -q '^503' "$work/within" || fail "RCPT without MAIL after the handshake: $(cat "$work/within")"

# A client that goes on in clear instead of a handshake gets nothing more.
exec {raw}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 10 line <&"$raw"
printf 'STARTTLS\r\n' >&"$raw"
IFS= read -r -t 10 line <&"$raw" || fail "no answer to STARTTLS"
case $line in 220*) ;; *) fail "STARTTLS: $line" ;; esac
printf 'EHLO client.example\r\nMAIL FROM:<injected@client.example>\r\n' >&"$raw" || : # the first line may end the session
timeout 10 cat <&"$raw" >"$work/injected" 2>/dev/null || [ $? -ne 124 ] || fail "the connection stays open without a handshake"
exec {raw}>&-
! grep -aqE '^[25][0-9][0-9][ -]' "$work/injected" || fail "answered in clear: $(cat "$work/injected")"

# TLS towards the mail system, verified; its certificate is for localhost, not for the address.
gate_config "localhost:$tls_port" required
kill -HUP "${pids[mtrk-gate]}"
reloads() { [ "$(grep -c 'mtrk-gate=reloaded' "$work/mtrk-gate.log")" -eq "$1" ]; }
wait_until 10 reloads 1 || fail "no reload"
send_tracked upstream@example.net ok3@partner.example
expect_outcome upstream@example.net ok3@partner.example relayed 2.1.9 '[127.0.0.1]'
gate_config "127.0.0.1:$tls_port" required
kill -HUP "${pids[mtrk-gate]}"
wait_until 10 reloads 2 || fail "no reload"
exec {raw}<>"/dev/tcp/127.0.0.1/$gate_port"
IFS= read -r -t 20 line <&"$raw" || fail "no answer"
exec {raw}>&-
case $line in 421*) ;; *) fail "a wrong certificate was accepted: $line" ;; esac

# A bad configuration changes nothing.
sed -i 's/^upstream_tls.*/upstream_tls = "maybe"/' "$work/mtrk.conf"
kill -HUP "${pids[mtrk-gate]}"
not_reloaded() { grep -q 'not reloaded' "$work/mtrk-gate.log"; }
wait_until 10 not_reloaded || fail "a bad configuration was not refused"
pass
