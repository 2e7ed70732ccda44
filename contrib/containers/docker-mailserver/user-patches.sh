#!/bin/bash
# For docker-mailserver, which runs the file of this name in its config folder whenever it starts, after it has
# written its own configuration. Where you have one, add these lines to it.

# The table must be there before Postfix is told of it: without it smtpd(8) answers 421 to everybody.
if cp /tmp/docker-mailserver/mtrk-command-filter.regexp /etc/postfix/; then
  postconf 'smtpd_command_filter = regexp:/etc/postfix/mtrk-command-filter.regexp'
fi

# The milter comes last, behind those of docker-mailserver (rspamd, OpenDKIM), whichever are on. The braces
# give it times and a default action of its own.
milters=$(postconf -h smtpd_milters)
case $milters in
  *inet:127.0.0.1:8892*) ;; # the container was started again
  *) postconf "smtpd_milters = ${milters:+$milters, }{ inet:127.0.0.1:8892, connect_timeout=2s, command_timeout=2s, content_timeout=4s, default_action=accept }" ;;
esac
postconf 'enable_long_queue_ids = yes'

# docker-mailserver turns DSN off, and with it ENVID, without which there is no tracking: MAIL with MTRK= is
# refused then (501 5.7.1). This turns it on again, on port 25 for strangers as well: they may then ask for
# delivery reports. Leave it out if only users who log in are to track, on ports of their own with
# smtpd_discard_ehlo_keywords set in master.cf.
postconf 'smtpd_discard_ehlo_keywords ='
