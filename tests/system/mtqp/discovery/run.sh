#!/bin/bash
# Where a tracking server is, by a real name server: SRV first, its priorities and ports, a target that
# refuses, "." for "not offered", address records and port 1038 where there is no SRV, errors that are not
# "there is none". Then mtqp resolve and mtqp check.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
dead_port=''
free_port dead_port
readonly usual=127.26.0.1 # for port 1038

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.test \
  -addext subjectAltName=DNS:mx.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
write_config "[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\""
sed -i "s/^listen = .*/listen = [\"127.0.0.1:$mtqp_port\", \"$usual:1038\"]/" "$work/mtrk.conf"
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"one@x.test","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.test","final":"rfc822;a@x.test","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd

start_dns <<END
mx               A    127.0.0.1
_mtqp._tcp.mx    SRV  10 0 $mtqp_port live
live             A    127.0.0.1
spare            A    127.0.0.1
_mtqp._tcp.spare SRV  10 0 $dead_port live
_mtqp._tcp.spare SRV  10 5 $dead_port nowhere
_mtqp._tcp.spare SRV  20 0 $mtqp_port live
branch           A    $usual
_mtqp._tcp.branch SRV 10 0 $mtqp_port mx
refused          A    127.0.0.1
_mtqp._tcp.refused SRV 0 0 0 .
plain            A    $usual
mail             MX   10 plain
dual             AAAA 100::1
dual             A    $usual
alias            CNAME plain
odd              CNAME loop
loop             CNAME odd
_mtqp._tcp.lame  NS   ns.lame
ns.lame          A    127.0.0.1
END

mtqp() { # COMMAND ARGUMENT...
  local command=$1
  shift
  "$MTRK_BIN/mtqp" "$command" --dns "$dns" "$@"
}
# track STATUS HOST [OPTION...]
track() {
  local status=$1 host=$2
  shift 2
  MTQP_SECRET=$secret expect_exit "$status" mtqp track --tls-ca "$work/certificate.pem" "$@" --server "$host" one@x.test
}

# SRV-01 to SRV-07, MTQP-2-03 to MTQP-2-05; the name in the certificate is the one that was looked up (A-21).
track 0 mx.test --tls require
expect_output "^asked mx.test at 127.0.0.1:$mtqp_port \\(TLS\\)$"
expect_output delivered
track 5 branch.test --tls require
track 0 branch.test --tls require --tls-srv # or, when asked for, the one that the SRV record leads to
track 0 spare.test --tls no # the first two targets cannot be reached
track 4 refused.test
expect_output 'does not offer'
track 0 plain.test --tls no
track 0 dual.test --tls no # the IPv6 address leads nowhere
track 0 alias.test --tls no
track 4 mail.test          # MX records do not count
track 4 gone.test
track 4 odd.test
track 4 lame.test          # SERVFAIL or a referral is not "no SRV"
track 4 mx.example         # REFUSED, neither
# No answer at all: in time, and told as such.
expect_exit 4 env MTQP_SECRET="$secret" "$MTRK_BIN/mtqp" track --dns "127.0.0.1:$dead_port" --server mx.test one@x.test

expect_exit 0 mtqp resolve spare.test
expect_output "^live.test:$mtqp_port  by SRV, priority 20"
expect_output 'nowhere.test has no address'
expect_exit 0 mtqp resolve --json spare.test
expect_output '"v":1,"host":"spare.test","srv":true,"targets":\[.*"priority":20,"weight":0,"addresses":\["127.0.0.1"\]\}\]'
expect_exit 0 mtqp resolve plain.test
expect_output "^plain.test:1038  by its own addresses"
expect_exit 4 mtqp resolve refused.test
expect_exit 4 mtqp resolve --json gone.test
expect_exit 64 mtqp resolve 'a b'
expect_exit 64 "$MTRK_BIN/mtqp" resolve --dns ns.test mx.test

expect_exit 0 mtqp check --tls-ca "$work/certificate.pem" mx.test
expect_output 'STARTTLS offered'
expect_output 'the certificate is good'
expect_output 'can be asked, with TLS'
expect_exit 5 mtqp check mx.test # nobody vouches for it
expect_output 'NOT good'
expect_exit 0 mtqp check --json --tls-ca "$work/certificate.pem" mx.test
expect_output '"verified":true.*"not_after":"20..-..-..T..:..:..Z","key_sha256":"[0-9a-f]{64}"'
expect_exit 5 mtqp check --tls-ca "$work/certificate.pem" --tls-name other.test mx.test
expect_exit 4 mtqp check refused.test
pass
