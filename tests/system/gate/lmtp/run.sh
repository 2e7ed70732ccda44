#!/bin/bash
# mtrk-gate between Postfix's lmtp(8) and delivery agents: MTRK to the one that announces it, "transferred" by TRACK (RFC 3886,
# 3.5), "delivered" by the one that does not; each recipient its own reply; by TCP and by a unix socket; an agent that is gone.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
out_port='' lda_port=''
free_port out_port
free_port lda_port
extra_services='mtrklmtp unix - - n - - lmtp -o lmtp_send_xforward_command=yes -o syslog_name=postfix/mtrklmtp'
start_mail_system "virtual_transport = mtrklmtp:[127.0.0.1]:$out_port" "lmtp_host_lookup = native" "lmtp_dns_support_level = disabled" \
  "virtual_mailbox_maps = static:x/"
start lda "$MTRK_BIN/fake_next_hop" --port "$lda_port" --log "$work/lda.commands" --lmtp --mtrk
start plain-lda "$MTRK_BIN/fake_next_hop" --unix "$work/lda.sock" --log "$work/plain-lda.commands" --lmtp
wait_until 10 answers "$lda_port" || fail "no delivery agent"
gate_to() {
  write_config "[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"lmtp:$1\"
tls = \"none\""
}
reload() {
  local before
  before=$(grep -c 'mtrk-gate=reloaded' "$work/mtrk-gate.log" || true)
  kill -HUP "${pids[mtrk-gate]}"
  reloaded() { [ "$(grep -c 'mtrk-gate=reloaded' "$work/mtrk-gate.log")" -gt "$before" ]; }
  wait_until 10 reloaded || fail "no reload"
}
gate_to "localhost:$lda_port"
start_milter
start_mtqpd
start_gate "$out_port"

# MTSN-3.5-01, MTSN-3.5-02; RFC 2033, 4.2: four recipients of one message, four fates, two of them after the data.
send_tracked four@example.net ok1@example.test d5a@example.test d4a@example.test b5a@example.test
expect_outcome four@example.net ok1@example.test transferred 2.4.0 localhost
expect_outcome four@example.net d5a@example.test failed 5.7.1 localhost
expect_outcome four@example.net d4a@example.test delayed 4.3.0 localhost
expect_outcome four@example.net b5a@example.test failed 5.1.1 localhost
mail=$(grep 'ENVID=four@example.net' "$work/lda.commands" | head -n 1) || fail "ENVID did not go on"
left=$(sed -nE "s|.* MTRK=$certifier:([0-9]+).*|\1|p" <<<"$mail")
if [ "${left:-0}" -gt 86400 ] || [ "${left:-0}" -lt 86340 ]; then fail "remaining time: $mail"; fi
grep -q '^LHLO ' "$work/lda.commands" || fail "no LHLO"

# One that does not announce MTRK has the last word: it delivered. By a unix socket.
gate_to "unix:$work/lda.sock"
reload
send_tracked plain@example.net ok2@example.test d5b@example.test
expect_outcome plain@example.net ok2@example.test delivered 2.0.0 mx.example.test
expect_outcome plain@example.net d5b@example.test failed 5.7.1 mx.example.test
grep -q 'ENVID=plain@example.net' "$work/plain-lda.commands" || fail "ENVID is lost"
! grep -q MTRK= "$work/plain-lda.commands" || fail "MTRK to a delivery agent that does not announce it"

# Gone: deferred; back, and with MTRK now: transferred to this host.
stop plain-lda
rm "$work/lda.sock"
send_tracked down@example.net ok3@example.test
expect_outcome down@example.net ok3@example.test delayed 4.3.0 -
start lda2 "$MTRK_BIN/fake_next_hop" --unix "$work/lda.sock" --log "$work/lda2.commands" --lmtp --mtrk
lda_is_back() { [ -S "$work/lda.sock" ]; }
wait_until 10 lda_is_back || fail "no delivery agent"
postfix_run postqueue -f
expect_outcome down@example.net ok3@example.test transferred 2.4.0 mx.example.test

# A gate that speaks LMTP refuses SMTP.
printf '%s\n' "EHLO client.example" QUIT | dialogue smtp "$out_port" >"$work/smtp.dialogue"
grep -q '^S: 500 5.5.1 This is LMTP' "$work/smtp.dialogue" || fail "SMTP is spoken: $(cat "$work/smtp.dialogue")"
! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
