#!/bin/bash
# What mtrk-gate makes of words that only look like something: verbs hidden behind blanks, certifiers of another size,
# envelope ids that look like a fold, a next hop that announces MTRK and refuses it. Each before and behind a real Postfix.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
gate_port='' upstream_port='' out_port='' proxy_port=''
for port in gate_port upstream_port proxy_port out_port next_hop_port; do free_port "$port"; done
# A Postfix that lets the gate's address say who the client is, and relays for that client alone.
extra_services="127.0.0.1:$upstream_port inet n - n - - smtpd -o smtpd_command_filter= -o smtpd_authorized_xclient_hosts=127.0.0.1 -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o mynetworks=127.0.0.77 -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination
127.0.0.1:$proxy_port inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_command_filter=
mtrkout unix - - n - - smtp -o smtp_send_xforward_command=yes"
start_mail_system "transport_maps = inline:{ partner.example=mtrkout:[127.0.0.1]:$out_port }"
configure() { # configure UPSTREAM IDENTIFY
  write_config "[gate.inbound]
listen = [\"127.0.0.1:$gate_port\"]
upstream = \"127.0.0.1:$1\"
identify = \"$2\"
networks = [\"127.0.0.0/8\"]
[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"127.0.0.1:$next_hop_port\"
tls = \"none\""
}
next_hop() { # next_hop OPTION...
  stop next-hop
  start next-hop "$MTRK_BIN/fake_next_hop" --port "$next_hop_port" --log "$work/next-hop.commands" "$@"
  wait_until 10 answers "$next_hop_port" || fail "no next hop"
}
next_hop --mtrk
configure "$upstream_port" none
start_milter
start_mtqpd
start_gate "$gate_port" "$out_port"

# No octet before a verb, or behind it, brings a command to Postfix that is kept from it.
tried=0
for before in '' $'\v' $'\f' ' ' $'\t' $' \v' $'\x1f' $'\x85' $'\xa0' $'\b' $'\e' '"' '<'; do
  for behind in ' ' $'\v' $'\f' $'\t'; do
    [ "$before$behind" != ' ' ] || continue
    for command in "XCLIENT${behind}ADDR=127.0.0.77 NAME=localhost" "XFORWARD${behind}ADDR=127.0.0.77"; do
      printf '%s\n' "EHLO client.example" "$before$command" "EHLO client.example" "MAIL FROM:<a@b.example>" "RCPT TO:<x@elsewhere.example>" QUIT |
        dialogue smtp "$gate_port" >"$work/hidden"
      grep -qE '^S: 50[02] 5\.5\.[12] ' "$work/hidden" || fail "$(cat -v "$work/hidden")"
      grep -q '^S: 554 5.7.1 .*Relay access denied' "$work/hidden" || fail "the client became another one: $(cat -v "$work/hidden")"
      tried=$((tried + 1))
    done
  done
done
say "hidden verbs: $tried refused"
! grep 'client=.*127\.0\.0\.77' "$work/mx/log/maillog" || fail "Postfix believed it"
printf '%s\n' "EHLO client.example" $'MAIL\tFROM:<a@b.example>' $'RCPT\tTO:<alice@example.test>' RSET QUIT | dialogue smtp "$gate_port" >"$work/tabs"
[ "$(grep -c '^S: 250 2' "$work/tabs")" -eq 3 ] || fail "tabs: $(cat -v "$work/tabs")"
stop mtrk-gate
configure "$proxy_port" proxy
start_gate "$gate_port" "$out_port"

# send PORT ENVID WORDS RECIPIENT: a message; $queue_id is its queue id.
send() {
  printf '%s\n' "EHLO client.example" "MAIL FROM:<s@client.example> ENVID=$2$3" "RCPT TO:<$4>" DATA "Subject: x" "" Hello . QUIT |
    dialogue smtp "$1" >"$work/smtp.dialogue"
  accepted_message
}
mail_of() { grep "^MAIL .* ENVID=$1\( \|\$\)" "$work/next-hop.commands" | tail -n 1; }
leaves_as() { wait_until 20 mail_of "$1" >/dev/null || fail "ENVID=$1 did not go out: $(grep ^MAIL "$work/next-hop.commands" | tail -n 3)"; }
logged() { grep -qF -- "$2" "$work/$1.log"; }
expect_log() { wait_until 10 logged "$1" "$2" || fail "$1 does not say: $2: $(tail -n 3 "$work/$1.log")"; }

# A well-formed certifier of another size: accepted, not tracked, and said; by the gate, and by the command filter.
for value in MDEyMzQ1Njc4OWFiY2RlZg MDEyMzQ1Njc4OWFiY2RlZg==:60 abc "$(printf 'A%.0s' {1..80})"; do
  send "$gate_port" k22@client.example " MTRK=$value" ok-size@partner.example
  expect_log mtrk-gate "$queue_id: mtrk=not-tracked, reason=certifier is not 20 octets of base64"
  leaves_as k22@client.example
  send "$smtp_port" f22@client.example " MTRK=$value" ok-size@partner.example
  expect_log mtrk-milter "mtrk=not-tracked, reason=certifier is not 20 octets of base64"
  leaves_as f22@client.example
done
send "$smtp_port" nob64@client.example " MTRK=not!base64" ok-size@partner.example
expect_log mtrk-milter "mtrk=not-tracked"
leaves_as nob64@client.example
printf '%s\n' "EHLO client.example" "MAIL FROM:<s@x> ENVID=a@h MTRK=ab!c" "MAIL FROM:<s@x> ENVID=a@h MTRK=abcde" \
  "MAIL FROM:<s@x> ENVID=a@h MTRK=abc:x" "MAIL FROM:<s@x> ENVID=a@h MTRK" QUIT | dialogue smtp "$gate_port" >"$work/malformed"
[ "$(grep -c '^S: 501 5.5.4' "$work/malformed")" -eq 4 ] || fail "malformed MTRK: $(cat "$work/malformed")"
! grep -i 'mtrk' "$work/next-hop.commands" | grep ^MAIL || fail "what is not tracked went on with it"

# An envelope id that only looks like a fold is the next hop's as it is.
for id in 'a;MTRK:x@h.example' 'a@h.example;MTRK:x@h' 'a;MTRK:abc' "a;MTRK:$certifier@h.example"; do
  for port in "$gate_port" "$smtp_port"; do
    : >"$work/next-hop.commands"
    send "$port" "$id" "" ok-looks@partner.example
    leaves_as "$id"
  done
done
# Nor is it lost beside MTRK: tracked, passed on, and found.
: >"$work/next-hop.commands"
send "$gate_port" 'b;MTRK:x@h.example' " MTRK=$certifier:86400" ok-looks@partner.example
leaves_as 'b;MTRK:x@h.example'
mail_of 'b;MTRK:x@h.example' | grep -q " MTRK=$certifier:86" || fail "not passed on: $(mail_of 'b;MTRK:x@h.example')"
expect_log mtrk-gate "$queue_id: mtrk=passed on"
expect_outcome 'b;MTRK:x@h.example' ok-looks@partner.example transferred 2.4.0 '[127.0.0.1]'

# "Passed on" is said when the next hop has taken it, and what it says against it otherwise.
next_hop --refuses-mtrk
send "$gate_port" l@client.example " MTRK=$certifier:3600" ok-refused@partner.example
expect_log mtrk-gate "$queue_id: mtrk=refused, reply=\"501 5.5.2 Invalid MTRK\""
! logged mtrk-gate "$queue_id: mtrk=passed on" || fail "said to be passed on"
expect_outcome l@client.example ok-refused@partner.example relayed 2.1.9 '[127.0.0.1]'
! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
