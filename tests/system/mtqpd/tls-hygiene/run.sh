#!/bin/bash
# TLS as scanners see it: sslscan finds nothing below TLS 1.2 and no weak cipher at the TLS listener
# (UPD-8996-01, UPD-8996-02, THR-S10); several certificates, chosen by name (MTQP-6-07); --check-config and the
# start tell an expired certificate (a warning) from one that cannot be used (78, MTQP-6-10).
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
free_port mtqp_port
tls_port=''
free_port tls_port

certificate() { # FILE NAME [OPTION...]
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
    -keyout "$work/$1.key" -out "$work/$1.pem" "${@:3}" 2>/dev/null
}
certificate a mx.example.test -days 30
certificate b '*.other.example' -days 30
configure() { # [LINES]
  write_config "listen_tls = [\"127.0.0.1:$tls_port\"]
[tls]
certificate = \"$work/a.pem\"
key = \"$work/a.key\"
${1:-}"
}
second="[[tls.certificates]]
certificate = \"$work/b.pem\"
key = \"$work/b.key\""
configure "$second"
"$MTRK_BIN/mtrkctl" --config "$work/mtrk.conf" import - </dev/null >/dev/null 2>&1
expect_exit 0 "$MTRK_BIN/mtqpd" --config "$work/mtrk.conf" --check-config
[ ! -s "$work/output" ] || fail "nothing is wrong, but: $(cat "$work/output")"
start_mtqpd

# What is wrong with certificates.
expect_check() { # STATUS TEXT
  expect_exit "$1" "$MTRK_BIN/mtqpd" --config "$work/mtrk.conf" --check-config
  expect_output "$2"
}
cp "$work/b.key" "$work/kept.key"
cp "$work/a.key" "$work/b.key"
expect_check 78 "b\\.key: cannot use the key"
rm "$work/b.key"
expect_check 78 "b\\.key: cannot use the key"
mv "$work/kept.key" "$work/b.key"
certificate soon soon.example -days 3
sed -i "s|$work/b\\.|$work/soon.|" "$work/mtrk.conf"
expect_check 0 "warning: $work/soon.pem: the certificate expires at"

# Which certificate is shown: by SNI, and by the parameter of STARTTLS.
subject() { openssl s_client -connect "127.0.0.1:$tls_port" "$@" </dev/null 2>/dev/null | openssl x509 -noout -subject; }
case $(subject -servername mx.example.test)/$(subject -servername host.other.example)/$(subject -noservername) in
  *mx.example.test/*other.example/*mx.example.test) ;;
  *) fail "certificates by SNI: $(subject -servername host.other.example)" ;;
esac
for name in mx.example.test host.other.example; do
  file=a
  [ "$name" = mx.example.test ] || file=b
  MTQP_SECRET=$secret expect_exit 3 "$MTRK_BIN/mtqp" track --server "127.0.0.1:$mtqp_port" --tls require --tls-ca "$work/$file.pem" \
    --tls-name "$name" nothing@there.example
done

# Scanners. Each line names a protocol or a cipher that was accepted.
command -v sslscan >/dev/null || fail "sslscan is not installed"
sslscan --no-colour "127.0.0.1:$tls_port" >"$work/sslscan" 2>&1 || fail "sslscan: $(cat "$work/sslscan")"
grep -qE '^TLSv1\.3 +enabled' "$work/sslscan" || fail "no TLS 1.3: $(cat "$work/sslscan")"
grep -qE '^TLSv1\.2 +enabled' "$work/sslscan" || fail "no TLS 1.2: $(cat "$work/sslscan")"
! grep -E '^(SSLv2|SSLv3|TLSv1\.0|TLSv1\.1) +enabled' "$work/sslscan" || fail "an old protocol is spoken"
! grep -E '^(Preferred|Accepted)' "$work/sslscan" | grep -vE 'TLS_(AES|CHACHA20)|ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)' ||
  fail "a weak cipher is accepted"
[ "$(grep -cE '^(Preferred|Accepted)' "$work/sslscan")" -ge 5 ] || fail "too few ciphers: $(cat "$work/sslscan")"
! grep -iE 'session renegotiation.*(supported|insecure)' "$work/sslscan" | grep -vi 'not supported' || fail "renegotiation"
! grep -iE 'vulnerable' "$work/sslscan" | grep -viE 'not vulnerable' || fail "a known hole"
! grep -i 'compression enabled' "$work/sslscan" || fail "compression"

# Old protocols by hand, where OpenSSL still speaks them at all.
for version in tls1 tls1_1; do
  ! openssl s_client -connect "127.0.0.1:$tls_port" "-$version" -cipher DEFAULT@SECLEVEL=0 </dev/null >"$work/output" 2>&1 ||
    fail "$version is spoken"
done
answers "$mtqp_port" || fail "mtqpd has gone"

# An expired certificate: a warning at start, and STARTTLS says that it does not work.
stop mtqpd
faked_start=$(date -d '-20 days' +%Y%m%d%H%M%SZ) faked_end=$(date -d '-10 days' +%Y%m%d%H%M%SZ)
mkdir "$work/ca" && : >"$work/ca/index" && echo 01 >"$work/ca/serial"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=mx.example.test -keyout "$work/a.key" -out "$work/ca/a.csr" 2>/dev/null
printf '[ca]\ndefault_ca=c\n[c]\nnew_certs_dir=%s\ndatabase=%s\nserial=%s\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:mx.example.test\n' \
  "$work/ca" "$work/ca/index" "$work/ca/serial" >"$work/ca/conf"
openssl ca -batch -selfsign -config "$work/ca/conf" -keyfile "$work/a.key" -in "$work/ca/a.csr" -out "$work/a.pem" \
  -startdate "$faked_start" -enddate "$faked_end" 2>/dev/null || fail "no expired certificate could be made"
configure
expect_check 0 "warning: $work/a.pem: the certificate expired at"
start_mtqpd
wait_until 5 grep -q 'the certificate expired at' "$work/mtqpd.log" || fail "the start does not tell an expired certificate"
printf '%s\n' "STARTTLS mx.example.test" QUIT | dialogue mtqp "$mtqp_port" >"$work/output"
expect_output '^S: -TEMP/unavailable'
stop mtqpd
[ "$exit_status" -eq 0 ] || fail "mtqpd ended with $exit_status"
pass
