#!/bin/bash
# What scanners send to find out what a port is, every probe that nmap knows, at both listeners of mtqpd (THR-D11):
# each connection gets the greeting and errors, mtqpd goes on, keeps no connection and logs little.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
tls_port=''
free_port tls_port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
  -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
write_config "listen_tls = [\"127.0.0.1:$tls_port\"]
threads = 1
[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\""
now=$(date -u +%FT%TZ)
printf '{"envelope_id":"one@open.example","certifier":"%s","arrival":"%s","timeout":86400,"recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"%s"}]}\n' \
  "$certifier" "$now" "$now" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import -
start_mtqpd
serves() {
  MTQP_SECRET=$secret expect_exit 0 "$MTRK_BIN/mtqp" track "$@" one@open.example
  expect_output delivered
}
serves --server "127.0.0.1:$mtqp_port"

# All probes of the scanner, octet for octet, each on a connection of its own; what comes back is the greeting
# and errors (in TLS nothing but an alert, unless the probe is a good hello).
cat >"$work/replay" <<'END'
use Socket;
my ($port, $file) = @ARGV;
my %escape = (0 => "\0", a => "\a", b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", v => "\x0b");
open(my $probes, "<", $file) or die "$file: $!";
my $count = 0;
while (<$probes>) {
  /^Probe TCP (\S+) q(.)(.*?)\2/ or next;
  my ($name, $octets) = ($1, $3);
  $octets =~ s/\\(x([0-9a-fA-F]{2})|(.))/defined $2 ? chr(hex $2) : exists $escape{$3} ? $escape{$3} : $3/ge;
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
  connect($s, pack_sockaddr_in($port, inet_aton("127.0.0.1"))) or die "$name: connect: $!";
  local $SIG{PIPE} = "IGNORE";
  syswrite($s, $octets) if length $octets;
  shutdown($s, 1);
  my $answer = "";
  alarm 20; # each ends by itself
  while (sysread($s, my $piece, 65536)) { $answer .= $piece }
  alarm 0;
  ++$count;
  next if $ARGV[2]; # TLS
  $answer =~ s/^\+OK\+\/MTQP mtqpd ready\r\nSTARTTLS\r\n\.\r\n// or die "$name: no greeting but $answer";
  $answer =~ /^(-BAD[ -~]*\r\n|-TEMP[ -~]*\r\n|\+OK bye\r\n)*$/ or die "$name: $answer";
}
print "$count\n";
END
probes=/usr/share/nmap/nmap-service-probes
wanted=$(grep -c '^Probe TCP' "$probes")
for how in "$mtqp_port" "$tls_port"; do
  expect_exit 0 perl "$work/replay" "$how" "$probes" "$([ "$how" = "$mtqp_port" ] || echo tls)"
  expect_output "^$wanted$"
done
say "$wanted probes on each port"

# The scanner itself.
timeout 120 nmap -n -Pn --unprivileged -sV --version-intensity 0 -p "$mtqp_port,$tls_port" 127.0.0.1 >"$work/output" 2>&1 || fail "nmap: $(cat "$work/output")"
[ "$(grep -cE '^[0-9]+/tcp +open' "$work/output")" -eq 2 ] || fail "not both ports open: $(cat "$work/output")"

gone "${pids[mtqpd]}" 2>/dev/null && fail "mtqpd is gone"
serves --server "127.0.0.1:$mtqp_port"
serves --resolve "mx.example.test=127.0.0.1:$tls_port" --server mx.example.test --tls implicit --tls-ca "$work/certificate.pem"
[ "$(awk 'length > longest { longest = length } END { print longest }' "$work/mtqpd.log")" -le 560 ] || fail "long lines in the log"
[ "$(wc -l <"$work/mtqpd.log")" -le 1000 ] || fail "the log is flooded: $(wc -l <"$work/mtqpd.log") lines"
! LC_ALL=C grep -q '[^ -~]' "$work/mtqpd.log" || fail "raw octets in the log"
sockets() { find "/proc/${pids[mtqpd]}/fd" -lname 'socket:*' | wc -l; }
all_closed() { [ "$(sockets)" -le 2 ]; } # the listeners
wait_until 10 all_closed || fail "$(sockets) sockets are left"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
pass
