#!/bin/bash
# mtqpd ends within five seconds of SIGTERM (mtqpd(8)), whatever its clients do: answers that nobody reads,
# handshakes that do not go on, floods, connections to its metrics that say nothing.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
tls_port='' metrics_port=''
free_port mtqp_port
free_port tls_port
free_port metrics_port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.example.test \
  -addext subjectAltName=DNS:mx.example.test -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
write_config "listen_tls = [\"127.0.0.1:$tls_port\"]
metrics = \"127.0.0.1:$metrics_port\"
[tls]
certificate = \"$work/certificate.pem\"
key = \"$work/key.pem\""
now=$(date -u +%FT%TZ)
recipients=
for i in {1..500}; do
  recipients+=",{\"original\":\"rfc822;u$i@x.example\",\"final\":\"rfc822;u$i@x.example\",\"action\":\"delivered\",\"status\":\"2.1.5\",\"last_attempt\":\"$now\"}"
done
printf '{"envelope_id":"many@open.example","certifier":"%s","arrival":"%s","recipients":[%s]}\n' \
  "$certifier" "$now" "${recipients#,}" | "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import - 2>/dev/null

# clients KIND: 40 of that kind, which write "ready" when all of them are at work, and stay. Each kind alone,
# and all of them together.
cat >"$work/clients.pl" <<'END'
use strict; use Socket; use IO::Handle;
my ($kinds, $mtqp, $tls, $metrics, $secret) = @ARGV;
$SIG{PIPE} = "IGNORE";
sub client {
  my ($port) = @_;
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
  setsockopt($s, SOL_SOCKET, SO_RCVBUF, pack("l", 2048)) or die;
  connect($s, pack_sockaddr_in($port, inet_aton("127.0.0.1"))) or die "connect: $!";
  return $s;
}
my @open;
for my $kind (split /,/, $kinds) {
  for (1 .. 40) {
    my $s = client($kind eq "tls" ? $tls : $kind eq "metrics" ? $metrics : $mtqp);
    push @open, $s;
    if ($kind eq "unread") { syswrite($s, "TRACK many\@open.example $secret\r\n" x 50) }
    elsif ($kind eq "starttls") {
      sysread($s, my $greeting, 4096) or die;
      syswrite($s, "STARTTLS mx.example.test\r\n"); sysread($s, my $ok, 4096) or die;
      syswrite($s, "\x16\x03\x01\x02\x00\x01\x00\x01");
    }
    elsif ($kind eq "tls") { syswrite($s, "\x16\x03\x01\x02\x00\x01") }
    elsif ($kind eq "metrics") { syswrite($s, "GET /met") }
    elsif ($kind eq "flood" && $_ <= 4) {  # one that reads, and asks all the time
      next if fork;
      my $reader = fork;
      if ($reader == 0) { 1 while sysread($s, my $answers, 65536); exit }
      1 while syswrite($s, ("COMMENT x\r\nTRACK none\@open.example $secret\r\n") x 500);
      exit;
    }
    elsif ($kind eq "flood") { $s->blocking(0); 1 while syswrite($s, "COMMENT x\r\n" x 5000) }
  }
}
print "ready\n"; STDOUT->flush;
sleep 60;
END
for kinds in unread starttls tls metrics flood unread,starttls,tls,metrics,flood; do
  start_mtqpd
  start clients setsid perl "$work/clients.pl" "$kinds" "$mtqp_port" "$tls_port" "$metrics_port" "$secret"
  at_end=("kill -KILL -- -${pids[clients]} 2>/dev/null || true") # its children, too
  wait_until 30 grep -qx ready "$work/clients.log" || fail "$kinds: the clients do not get to work"
  before=$(date +%s%N)
  stop mtqpd
  took=$((($(date +%s%N) - before) / 1000000))
  say "$kinds: ended after $took ms with $exit_status"
  [ "$exit_status" -eq 0 ] || fail "$kinds: mtqpd ended with $exit_status"
  [ "$took" -le 5000 ] || fail "$kinds: mtqpd took $took ms to end"
  kill -KILL -- "-${pids[clients]}"
  stop clients KILL
  : >"$work/clients.log"
done
pass
