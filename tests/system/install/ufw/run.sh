#!/bin/bash
# The application profiles for ufw, read by Debian's ufw itself (unpacked, not installed); their ports are those of the
# default configuration and of the socket units.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
if ! "$top/tests/support/debian-package" fetch "$TESTBED_CACHE" ufw 2>"$work/fetch.err"; then
  say "SKIPPED: ufw cannot be had, so its profiles were not tried: $(tail -n 1 "$work/fetch.err")"
  pass
  exit 0
fi
"$top/tests/support/debian-package" unpack "$work/root" "$TESTBED_CACHE" ufw
mkdir "$work/profiles"
cp "$top/contrib/ufw/mtrk" "$work/profiles/"
# What `ufw app list` and `ufw app info` read, and the check that `ufw allow NAME` makes.
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/root/usr/lib/python3/dist-packages /usr/bin/python3 - "$work/profiles" >"$work/output" 2>&1 <<'END' || fail "$(cat "$work/output")"
import builtins, sys
builtins._ = lambda text: text  # ufw's own program installs gettext
import ufw.applications as applications
for name, profile in sorted(applications.get_profiles(sys.argv[1]).items()):
    assert applications.verify_profile(name, profile), name
    assert applications.get_title(profile) and applications.get_description(profile), name
    print(name, *applications.get_ports(profile))
END
printf '%s\n' 'MTQP 1038/tcp' 'MTQP TLS 1039/tcp' | diff - "$work/output" >"$work/differences" || fail "$(cat "$work/differences")"
"$MTRK_BIN/mtrkctl" --config /dev/null config --defaults | shows -F 'listen = ["[::]:1038"]' || fail "mtqpd listens elsewhere by default"
grep -qx ListenStream=1038 "$top/contrib/systemd/mtqpd.socket" || fail "mtqpd.socket has another port"
grep -qx ListenStream=1039 "$top/contrib/systemd/mtqpd-tls.socket" || fail "mtqpd-tls.socket has another port"
pass
