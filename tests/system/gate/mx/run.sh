#!/bin/bash
# mtrk-gate behind a real Postfix, its next hops by MX of a real name server: order, places that refuse, null MX, this host
# among them, no answer, address records, aliases, hostile names; who shares a transaction; TLS as each domain's rule wants it.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
out_port='' mx_port=''
free_port out_port
free_port mx_port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.safe.test \
  -addext subjectAltName=DNS:mx.safe.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
cat "$work/key.pem" "$work/certificate.pem" >"$work/chain.pem"

# Four next hops, each at an address of its own: with MTRK, without, refusing connections, with TLS (and without MTRK).
readonly one=127.35.0.1 two=127.35.0.2 busy=127.35.0.3 safe=127.35.0.4 dead=127.35.0.5
start_dns <<END
one        MX 10 mx.one
mx.one     A $one
two        MX 10 mx.two
mx.two     A $two
busy       MX 10 mx.dead
busy       MX 20 mx.busy
busy       MX 30 mx.one
mx.busy    A $busy
mx.dead    A $dead
gone       MX 10 mx.dead
null       MX 0 .
null       A $one
self       MX 10 localhost
self       MX 20 mx.one
localhost  A 127.0.0.1
backup     MX 10 mx.two
backup     MX 20 localhost
implicit   A $two
alias      CNAME one
nowhere    MX 10 absent
number     MX 10 127.0.0.1.
odd        MX 10 a\\032b
odd        MX 10 c\\013\\010d
elsewhere  NS ns.elsewhere
ns.elsewhere A $dead
safe       MX 10 mx.safe
mx.safe    A $safe
hosted     MX 10 mx.safe
clear      MX 10 mx.two
fixed      MX 10 mx.dead
END
domains='one.test two.test busy.test gone.test null.test self.test backup.test implicit.test alias.test nowhere.test
  number.test odd.test lame.example elsewhere.test safe.test hosted.test clear.test fixed.test below.fixed.test'
transports=$(for domain in $domains; do printf '%s=mtrkout:[127.0.0.1]:%s, ' "$domain" "$out_port"; done)
extra_services="mtrkout unix - - n - - smtp -o smtp_send_xforward_command=yes -o syslog_name=postfix/mtrkout
group unix - - n - - smtp -o smtp_send_xforward_command=yes -o syslog_name=postfix/group
$safe:$mx_port inet n - n - - smtpd -o syslog_name=postfix/safe -o content_filter=discard: -o smtpd_milters= -o smtpd_command_filter= -o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$work/chain.pem"
start_mail_system "relay_domains = ${domains//$'\n'/ }" \
  "mtrkout_destination_recipient_limit = 1" \
  "transport_maps = inline:{ g1@one.test=group:[127.0.0.1]:$out_port, g2@two.test=group:[127.0.0.1]:$out_port, ${transports%, } }"
hop() { start "$1" "$MTRK_BIN/fake_next_hop" --port "$mx_port" --address "$2" --log "$work/$1.commands" "${@:3}"; }
hop one "$one" --mtrk
hop two "$two"
hop busy "$busy" --greeting "554 5.7.1 not today"

write_config "[gate.outbound]
listen = [\"127.0.0.1:$out_port\"]
nexthop = \"mx\"
mx_port = $mx_port
dns = [\"$dns\"]
own_addresses = [\"127.0.0.1\"]
[[gate.outbound.destination]]
domain = \"safe.test\"
tls = \"required\"
[[gate.outbound.destination]]
domain = \"hosted.test\"
tls = \"required\"
[[gate.outbound.destination]]
domain = \"clear.test\"
tls = \"required\"
[[gate.outbound.destination]]
domain = \"fixed.test\"
nexthop = \"mx.safe.test:$mx_port\"
tls = \"required\"
[[gate.outbound.destination]]
domain = \".fixed.test\"
nexthop = \"mx.two.test:$mx_port\"
tls = \"none\""
start_milter
start_mtqpd
export SSL_CERT_FILE=$work/certificate.pem # whom the gate trusts
start_gate "$out_port"

# Two domains, one of them twice, in one message: each recipient arrives, MTRK where it is announced.
send_tracked both@example.net ok1@one.test ok2@two.test ok3@one.test b5a@two.test
expect_outcome both@example.net ok1@one.test transferred 2.4.0 mx.one.test
expect_outcome both@example.net ok3@one.test transferred 2.4.0 mx.one.test
expect_outcome both@example.net ok2@two.test relayed 2.1.9 mx.two.test
expect_outcome both@example.net b5a@two.test failed 5.1.1 mx.two.test
grep -q "ENVID=both@example.net .*MTRK=$certifier:" "$work/one.commands" || fail "no MTRK: $(cat "$work/one.commands")"
grep -q "ENVID=both@example.net" "$work/two.commands" || fail "ENVID did not go on"
! grep -q MTRK= "$work/two.commands" || fail "MTRK to a next hop that does not announce it"

# RFC 5321, 5.1: a place that is not there, one that refuses, then one that takes it; all refuse; address records; an alias.
send_tracked order@example.net ok4@busy.test ok5@gone.test ok6@implicit.test ok7@alias.test ok8@backup.test
expect_outcome order@example.net ok4@busy.test transferred 2.4.0 mx.one.test
expect_outcome order@example.net ok5@gone.test delayed 4.4.1 mx.dead.test
expect_outcome order@example.net ok6@implicit.test relayed 2.1.9 implicit.test
expect_outcome order@example.net ok7@alias.test transferred 2.4.0 mx.one.test
expect_outcome order@example.net ok8@backup.test relayed 2.1.9 mx.two.test

# RFC 7505; ourselves; nobody knows; names that are none.
send_tracked none@example.net a@null.test a@self.test a@lame.example a@elsewhere.test a@nowhere.test a@number.test a@odd.test
expect_outcome none@example.net a@null.test failed 5.1.10 -
expect_outcome none@example.net a@self.test failed 5.4.6 -
expect_outcome none@example.net a@lame.example delayed 4.4.3 -
expect_outcome none@example.net a@elsewhere.test delayed 4.4.3 -
expect_outcome none@example.net a@nowhere.test failed 5.4.4 -
expect_outcome none@example.net a@number.test failed 5.4.4 -
expect_outcome none@example.net a@odd.test delayed 4.4.3 -

# TLS that is required: the certificate names an MX within the domain, another one's, none; a host the rule names.
send_tracked tls@example.net ok1@safe.test ok2@hosted.test ok3@clear.test ok4@fixed.test ok5@below.fixed.test
expect_outcome tls@example.net ok1@safe.test relayed 2.1.9 mx.safe.test
expect_outcome tls@example.net ok2@hosted.test delayed 4.4.1 mx.safe.test
expect_outcome tls@example.net ok3@clear.test delayed 4.4.1 mx.two.test
expect_outcome tls@example.net ok4@fixed.test relayed 2.1.9 mx.safe.test
expect_outcome tls@example.net ok5@below.fixed.test relayed 2.1.9 mx.two.test
grep -q 'postfix/safe/smtpd.*Anonymous TLS connection established\|tls=yes' "$work/mx/log/maillog" "$work/mtrk-gate.log" ||
  fail "no TLS to mx.safe.test"

# Without the recipient limit both domains are one transaction: the second one's recipient is told to come again, and does.
send_tracked group@example.net g1@one.test g2@two.test
expect_outcome group@example.net g1@one.test transferred 2.4.0 mx.one.test
expect_outcome group@example.net g2@two.test delayed 4.5.3 -
postfix_run postqueue -f
expect_outcome group@example.net g2@two.test relayed 2.1.9 mx.two.test

! grep -F "$certifier" "$work"/*.log || fail "a certifier is in our log"
pass
