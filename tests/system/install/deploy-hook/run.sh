#!/bin/bash
# The deploy hook for certificates: what certbot renews is what mtqpd shows next, without a restart; certificates that
# mtrk.conf does not name, a key that is another's, and a hook that is cut short change nothing.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
readonly hook=$top/contrib/letsencrypt/deploy-hook live=$work/live folder=$work/ssl
getent group ssl-cert >/dev/null || {
  # Debian's package ssl-cert, or our sysusers file, makes it. Here a group of its own stands for it.
  mkdir "$work/stub"
  # shellcheck disable=SC2016 # for the stub
  printf '#!/bin/sh\nexec /usr/bin/chgrp root "$2"\n' >"$work/stub/chgrp"
  printf '#!/bin/sh\nmkdir -m 750 "%s"\n' "$folder" >"$work/stub/install"
  chmod +x "$work/stub"/*
  PATH=$work/stub:$PATH
}
# renew NAME SERIAL: as certbot leaves it, with links into an archive.
renew() {
  mkdir -p "$live/$1" "$work/archive/$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" -set_serial "$2" \
    -addext "subjectAltName=DNS:$1" -keyout "$work/archive/$1/privkey$2.pem" -out "$work/archive/$1/fullchain$2.pem" 2>/dev/null
  chmod 600 "$work/archive/$1/privkey$2.pem"
  ln -sf "$work/archive/$1/privkey$2.pem" "$live/$1/privkey.pem"
  ln -sf "$work/archive/$1/fullchain$2.pem" "$live/$1/fullchain.pem"
}
free_port mtqp_port
write_config "[tls]
certificate = \"$folder/mx.example.test.pem\"
key = \"$folder/mx.example.test.pem\""
# In place of the service manager: only mtqpd runs.
mkdir "$work/bin"
cat >"$work/bin/systemctl" <<END
#!/bin/sh
echo "\$*" >>"$work/systemctl.calls"
case \$* in
  'is-active --quiet mtqpd.service') kill -0 \$(cat "$work/mtqpd.pid" 2>/dev/null) 2>/dev/null ;;
  'reload mtqpd.service') kill -HUP \$(cat "$work/mtqpd.pid") ;;
  *) exit 3 ;;
esac
END
chmod +x "$work/bin/systemctl"
deploy() { # NAME
  PATH=$work/bin:$PATH RENEWED_LINEAGE=$live/$1 RENEWED_DOMAINS=$1 MTRK_CONFIG=$work/mtrk.conf MTRK_TLS_FOLDER=$folder "$hook"
}
echo '{"envelope_id":"one@open.example","certifier":"'"$certifier"'","arrival":"2001-01-01T00:00:00Z","recipients":[{"original":"rfc822;a@x.example","final":"rfc822;a@x.example","action":"delivered","status":"2.1.5","last_attempt":"2001-01-01T00:00:00Z"}]}' |
  "$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import - # makes a store

# Nothing is there yet, and nothing runs: the first one is put in place by hand.
renew mx.example.test 1
renew www.example.test 1
deploy mx.example.test
[ "$(stat -c %a "$folder/mx.example.test.pem")" = 640 ] || fail "mode $(stat -c %a "$folder/mx.example.test.pem")"
[ "$(stat -c %a "$folder")" = 750 ] || fail "mode of the folder: $(stat -c %a "$folder")"
if getent group ssl-cert >/dev/null; then
  [ "$(stat -c %G "$folder/mx.example.test.pem" "$folder" | sort -u)" = ssl-cert ] || fail "group of the files"
fi
"$MTRK_BIN/mtqpd" --config "$work/mtrk.conf" --check-config >"$work/output" 2>&1 || fail "mtqpd refuses it: $(cat "$work/output")"
start_mtqpd
echo "${pids[mtqpd]}" >"$work/mtqpd.pid"
shown() { # the serial number of the certificate that is shown after STARTTLS
  /usr/bin/perl -MNet::SSLeay -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]", Timeout => 10) or die; $s->autoflush(1);
    sub line { my $l = ""; while ($l !~ /\n$/) { sysread($s, my $c, 1) or die "closed"; $l .= $c } $l }
    if (line() =~ /^\+OK\+/) { 1 until line() eq ".\r\n" } print $s "STARTTLS mx.example.test\r\n"; line() =~ /^\+OK/ or die "no STARTTLS";
    Net::SSLeay::initialize(); my $c = Net::SSLeay::CTX_new(); my $t = Net::SSLeay::new($c); Net::SSLeay::set_fd($t, fileno($s));
    Net::SSLeay::connect($t) == 1 or die "handshake";
    print Net::SSLeay::P_ASN1_INTEGER_get_dec(Net::SSLeay::X509_get_serialNumber(Net::SSLeay::get_peer_certificate($t)))' "$mtqp_port"
}
[ "$(shown)" = 1 ] || fail "not the first certificate: $(shown)"

# Renewed: shown from then on, by the same process.
renew mx.example.test 2
deploy mx.example.test
is_shown() { [ "$(shown)" = "$1" ]; }
wait_until 10 is_shown 2 || fail "the new certificate is not shown: $(shown)"
[ "$(grep -c reloaded "$work/mtqpd.log")" -eq 1 ] || fail "reloaded more than once"
grep -qx 'is-active --quiet mtrk-gate.service' "$work/systemctl.calls" || fail "mtrk-gate was not looked at"
! grep -q 'reload mtrk-gate' "$work/systemctl.calls" || fail "a gate that does not run was reloaded"

# A certificate of a web server, which mtrk.conf does not name, or only in a comment.
: >"$work/systemctl.calls"
deploy www.example.test
echo "# certificate = \"$folder/www.example.test.pem\"" >>"$work/mtrk.conf"
deploy www.example.test
[ ! -s "$work/systemctl.calls" ] || fail "a certificate of no concern reloads the daemons"
[ "$(ls "$folder")" = mx.example.test.pem ] || fail "files that nobody asked for: $(ls "$folder")"

# A key that is another certificate's, files that are missing or empty: an error, and all stays.
cp "$folder/mx.example.test.pem" "$work/before"
renew mx.example.test 3
ln -sf "$work/archive/mx.example.test/privkey2.pem" "$live/mx.example.test/privkey.pem"
expect_exit 1 deploy mx.example.test
expect_output 'does not belong to its certificate'
rm "$live/mx.example.test/privkey.pem"
expect_exit 1 deploy mx.example.test
: >"$live/mx.example.test/privkey.pem"
! deploy mx.example.test >"$work/output" 2>&1 || fail "an empty key is taken"
cmp "$work/before" "$folder/mx.example.test.pem" || fail "the certificate in use was touched"
[ "$(ls "$folder")" = mx.example.test.pem ] || fail "files are left behind: $(ls "$folder")"
[ ! -s "$work/systemctl.calls" ] || fail "reloaded after a failure"
[ "$(shown)" = 2 ] || fail "the good certificate is no longer shown"
expect_exit 2 env -u RENEWED_LINEAGE PATH="$work/bin:$PATH" "$hook"
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
pass
