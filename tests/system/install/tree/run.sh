#!/bin/bash
# What an administrator gets: cmake --install puts every file where it belongs, and the installed
# sample configuration is the program's own defaults.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
DESTDIR=$work/root cmake --install "${MTRK_BIN%/bin}" --prefix /usr >"$work/output" 2>&1 || fail "$(cat "$work/output")"
cd "$work/root"
find . -type f | sort >"$work/installed"

for file in usr/sbin/mtrk-milter usr/sbin/mtrk-gate usr/sbin/mtqpd usr/sbin/mtrkctl usr/bin/mtqp \
  usr/lib/systemd/system/mtrk-milter.service usr/lib/systemd/system/mtrk-gate.service usr/lib/systemd/system/mtqpd.service \
  usr/lib/systemd/system/postfix.service.d/mtrk-log.conf usr/lib/systemd/system/postfix@-.service.d/mtrk-log.conf usr/lib/systemd/system/sendmail.service.d/mtrk-log.conf \
  usr/lib/sysusers.d/mtrk.conf usr/lib/tmpfiles.d/mtrk.conf \
  usr/share/man/man1/mtqp.1 usr/share/man/man5/mtrk.conf.5 usr/share/man/man7/mtrk.7 \
  usr/share/mtrk/monitoring/alerts.yml usr/share/mtrk/monitoring/grafana.json usr/share/mtrk/monitoring/prometheus.yml \
  usr/share/mtrk/monitoring/mtrk-textfile usr/share/mtrk/letsencrypt/deploy-hook usr/share/mtrk/dns/srv.zone \
  etc/ufw/applications.d/mtrk etc/logcheck/ignore.d.server/mtrk etc/fail2ban/filter.d/mtqpd.conf etc/fail2ban/jail.d/mtqpd.conf \
  usr/share/mtrk/sendmail/mtrk.m4 usr/share/mtrk/sendmail/mtrk-gate.m4 usr/bin/mtqp-open usr/share/applications/mtqp.desktop usr/share/man/man8/mtrk-milter.8 usr/share/man/man8/mtrk-gate.8 usr/share/man/man8/mtqpd.8 usr/share/man/man8/mtrkctl.8; do
  [ -s "$file" ] || fail "not installed: $file; there is: $(cat "$work/installed")"
done
for file in usr/share/mtrk/monitoring/mtrk-textfile usr/share/mtrk/letsencrypt/deploy-hook; do
  [ -x "$file" ] || fail "cannot be run: $file"
done
config=$(grep '/etc/mtrk/mtrk\.conf$' "$work/installed") || fail "no sample configuration is installed"
grep -q 'mtrk-command-filter.regexp' "$work/installed" || fail "the command filter table is not installed"

for program in usr/sbin/mtrk-milter usr/sbin/mtrk-gate usr/sbin/mtqpd usr/sbin/mtrkctl usr/bin/mtqp; do
  expect_exit 0 "$program" --version
  expect_output '[0-9]+\.[0-9]+\.[0-9]+'
  expect_exit 0 "$program" --help
  expect_output "$(basename "$program")"
  case $program in
    */mtrk-gate) expect_exit 78 "$program" --config "$config" --check-config ;; # off unless it is told where to listen
    *) expect_exit 0 "$program" --config "$config" --check-config ;;
  esac
done
[ "$("usr/sbin/mtrkctl" --config "$config" config | grep -c '=')" -eq 0 ] || fail "the sample differs from the defaults: $(usr/sbin/mtrkctl --config "$config" config)"
pass
