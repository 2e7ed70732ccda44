#!/bin/bash
# MTQP over TLS: STARTTLS with the name that was asked for and no octet carried over, the listener that
# speaks TLS from the start, a domain answered for over TLS only, certificates read again on SIGHUP.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
tls_port=''
free_port tls_port

certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
    -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
}
certificate
write_config "listen_tls = [\"127.0.0.1:$tls_port\"]
[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\"
require_for = [\"secret.example\"]"
now=$(date -u +%FT%TZ)
for id in one@open.example two@secret.example; do
  printf '{"envelope_id":"%s","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
    "$id" "$certifier" "$now" "$now"
done | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd

# In the clear: STARTTLS is offered, needs the right name, and protected domains are not answered for.
printf '%s\n' STARTTLS "STARTTLS other.example" "TRACK one@open.example $secret" "TRACK two@secret.example $secret" QUIT |
  dialogue mtqp "$mtqp_port" >"$work/plain"
replies=$(grep -A 1 '^C: ' "$work/plain" | sed -n 's/^S: \([-+A-Z]*[/a-z-]*\).*/\1/p' | tr '\n' ' ')
grep -q '^S: +OK+/MTQP' "$work/plain" || fail "no capabilities in the greeting: $(cat "$work/plain")"
grep -qxE 'S: STARTTLS( required)?' "$work/plain" || fail "STARTTLS is not offered: $(cat "$work/plain")"
case $replies in
  '-BAD -BAD/bad-fqdn +OK+ -'*' +OK '*) ;;
  *) fail "replies in the clear: $replies" ;;
esac

# mtqp insists on TLS: name and chain are checked.
ask=("$MTRK_BIN/mtqp" track --server "127.0.0.1:$mtqp_port" --tls require --tls-ca "$work/certificate.pem")
export MTQP_SECRET=$secret
for id in one@open.example two@secret.example; do
  expect_exit 0 "${ask[@]}" --tls-name mx.example.test "$id"
  expect_output delivered
done
expect_exit 5 "${ask[@]}" --tls-name other.example.test one@open.example
expect_exit 5 "$MTRK_BIN/mtqp" track --server "127.0.0.1:$mtqp_port" --tls require --tls-name mx.example.test one@open.example

# Octets that wait behind STARTTLS never reach the TLS session: an error, and the connection ends.
printf 'STARTTLS mx.example.test\r\nTRACK one@open.example %s\r\n' "$secret" >"$work/behind"
exec {raw}<>"/dev/tcp/127.0.0.1/$mtqp_port"
cat "$work/behind" >&"$raw" # one segment
timeout 10 cat <&"$raw" | tr -d '\r' >"$work/injected" || fail "the connection stays open after injection"
exec {raw}>&-
grep -q '^-BAD' "$work/injected" || fail "octets behind STARTTLS: $(cat "$work/injected")"
! grep -q '^+OK+ ' "$work/injected" || fail "octets behind STARTTLS were answered"

# TLS from the first octet. openssl ends when the server does.
implicit() {
  printf '%s\r\n' "STARTTLS mx.example.test" "TRACK two@secret.example $secret" QUIT |
    timeout 10 openssl s_client -quiet -verify_return_error -verify_hostname mx.example.test \
      -CAfile "$work/certificate.pem" -connect "127.0.0.1:$tls_port" 2>/dev/null | tr -d '\r'
}
implicit >"$work/implicit" || fail "no TLS listener"
grep -q '^-BAD/tls-in-progress' "$work/implicit" || fail "STARTTLS within TLS: $(cat "$work/implicit")"
grep -q '^Action: delivered' "$work/implicit" || fail "no answer over TLS: $(cat "$work/implicit")"

# A new certificate: served after SIGHUP, without a restart.
old=$(openssl x509 -in "$work/certificate.pem" -noout -fingerprint)
certificate
kill -HUP "${pids[mtqpd]}"
served() { openssl s_client -connect "127.0.0.1:$tls_port" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint; }
new_is_served() { [ "$(served)" = "$(openssl x509 -in "$work/certificate.pem" -noout -fingerprint)" ]; }
wait_until 10 new_is_served || fail "SIGHUP does not bring the new certificate ($old)"

# An unusable one is refused with the old kept.
echo rubbish >"$work/certificate.pem"
kill -HUP "${pids[mtqpd]}"
expect_exit 78 "$MTRK_BIN/mtqpd" --config "$work/mtrk.conf" --check-config
[ -n "$(served)" ] || fail "a bad certificate ended the TLS service"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
pass
