#!/bin/bash
# The settings for mail systems in containers (contrib/containers), given to a private Postfix as each of these systems
# gives them to its own, with its own defaults for DSN, for milters that fail, and for the log: a message is tracked to its
# end, and no mail is refused or delayed when mtrk-milter is gone. Networks, volumes and images are not tried here.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../../../support/lib.sh"
begin
readonly folder=$top/contrib/containers
milter_port=''
free_port milter_port
start_mail_system
stop_postfix() { "$top/tests/support/postfix-instance" stop "$work/mx"; }
stop_postfix
cp -r "$work/mx/etc" "$work/etc.before"
readonly table=$work/mx/etc/mtrk-command-filter.regexp

# placed FILE: the file with the places and ports of the private Postfix.
placed() {
  sed -e "s|127\.0\.0\.1:8892|127.0.0.1:$milter_port|g; s|inet:8892@|inet:$milter_port@|" \
    -e "s|regexp:/[a-z/]*/mtrk-command-filter|regexp:$work/mx/etc/mtrk-command-filter|; s|/tmp/docker-mailserver/mtrk-command-filter.regexp /etc/postfix/|$top/contrib/postfix/mtrk-command-filter.regexp $work/mx/etc/|" \
    -e "s|/var/log/mail/mail.log|$work/mx/log/maillog|; s|/var/log/mtrk/|$work/mx/log/|; s|mail\.example\.com|mx.example.test|" "$1"
}

# The ways in which they take what the administrator gives.
apply_docker_mailserver() {
  postfix_run postconf 'smtpd_discard_ehlo_keywords = silent-discard, dsn' 'milter_protocol = 6' 'milter_default_action = accept' 'smtpd_milters ='
  placed "$folder/docker-mailserver/user-patches.sh" >"$work/user-patches.sh"
  postfix_run bash "$work/user-patches.sh"
  cp "$work/mx/etc/main.cf" "$work/once.cf"
  postfix_run bash "$work/user-patches.sh" # the container is started again
  diff "$work/once.cf" "$work/mx/etc/main.cf" >"$work/output" || fail "user-patches.sh changes its own work: $(cat "$work/output")"
}
apply_mailcow() {
  postfix_run postconf 'milter_protocol = 6' 'milter_default_action = tempfail' 'milter_mail_macros = i {mail_addr} {client_addr} {client_name} {auth_authen}' 'smtputf8_enable = no'
  placed "$folder/mailcow/extra.cf" | sed 's/inet:rspamd:9900, //' >"$work/extra.cf"
  printf '%b\n' "$(cat "$work/extra.cf")" >>"$work/mx/etc/main.cf" # echo -e
  cp "$top/contrib/postfix/mtrk-command-filter.regexp" "$work/mx/etc/"
}
apply_mailu() {
  local line
  postfix_run postconf 'milter_protocol = 6' 'milter_default_action = tempfail' 'milter_mail_macros = i {mail_addr} {client_addr} {client_name} {auth_authen}' 'maillog_file = /dev/stdout'
  cp "$top/contrib/postfix/mtrk-command-filter.regexp" "$work/mx/etc/"
  placed "$folder/mailu/postfix.cf" | sed 's/inet:antispam:11332, //' >"$work/postfix.cf"
  while IFS= read -r line; do
    case $line in '#'* | '') continue ;; esac
    postfix_run sh -c "postconf -e \"$line\""
  done <"$work/postfix.cf"
}

for layout in docker-mailserver mailcow mailu; do
  say "$layout"
  rm -rf "$work/mx/etc" "$work/store" && cp -r "$work/etc.before" "$work/mx/etc" && mkdir "$work/store"
  rm -f "$table" # where it lies is part of what is tried
  sed -i '/^smtpd_milters\|^smtpd_command_filter\|^enable_long_queue_ids/d' "$work/mx/etc/main.cf"
  "apply_${layout//-/_}"
  postfix_run postconf -n >"$work/main.cf"
  grep -q "^smtpd_milters = { inet:127.0.0.1:$milter_port, .*default_action=accept }\$" "$work/main.cf" || fail "$layout: the milter is not attached: $(grep milters "$work/main.cf")"
  [ "$(postfix_run postconf -h smtpd_discard_ehlo_keywords)" = '' ] || fail "$layout: DSN is off"
  [ -s "$table" ] || fail "$layout: there is no command filter"

  # mtrk.conf as it comes; the store and the port of mtqpd are this test's.
  {
    placed "$folder/$layout/mtrk.conf"
    printf '[store]\npath = "%s"\nmax_size = "256MiB"\n' "$work/store"
  } | sed "s|^\[mtqpd\]|&\nlisten = [\"127.0.0.1:$mtqp_port\"]|; s|^\[milter\]|&\ngate_socket = \"unix:$work/gate.sock\"|" >"$work/mtrk.conf"
  "$MTRK_BIN/mtrkctl" --config "$folder/$layout/mtrk.conf" --check-config >"$work/output" 2>&1 || fail "$(cat "$work/output")"
  start mtrk-milter "$MTRK_BIN/mtrk-milter" --config "$work/mtrk.conf"
  wait_until 10 answers "$milter_port" || fail "mtrk-milter does not listen"
  start_mtqpd
  "$top/tests/support/postfix-instance" start "$work/mx"
  send_tracked "$layout@open.example" alice@example.test ok-1@partner.example
  expect_outcome "$layout@open.example" ok-1@partner.example relayed 2.1.9 "[127.0.0.1]"
  expect_outcome "$layout@open.example" alice@example.test delivered 2.0.0 -
  [[ $queue_id =~ ^[0-9A-Za-z]{14,}$ ]] || fail "$layout: a short queue id: $queue_id"

  # Without the milter mail goes on, whatever the mail system does by default.
  stop mtrk-milter
  timely send_tracked "gone-$layout@open.example" bob@example.test
  stop mtqpd
  stop_postfix
done

# What happens where DSN stays off, as the page says: MTRK is refused, other mail is not.
postfix_run postconf 'smtpd_discard_ehlo_keywords = silent-discard, dsn'
"$top/tests/support/postfix-instance" start "$work/mx"
printf '%s\n' "EHLO client.example" "MAIL FROM:<sender@client.example> $(tracked_words off@open.example)" "MAIL FROM:<sender@client.example>" QUIT |
  dialogue smtp "$smtp_port" >"$work/output"
expect_output '^S: 501 5\.7\.1'
expect_output '^S: 250 2\.1\.0'
stop_postfix

# Compose files: what they must say, in every layout.
for file in "$folder"/*/*compose.override.y*ml; do
  for line in 'network_mode: "service:' 'pid: "service:mtrk-milter"' 'user: mtqpd' 'read_only: true' 'cap_drop: [ALL]' 'ports: ["1038:1038"]'; do
    grep -qF "$line" "$file" || fail "$file does not say $line"
  done
  ! /usr/bin/python3 -c 'import yaml' 2>/dev/null || /usr/bin/python3 -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))["services"]["mtqpd"]' "$file" || fail "$file is no YAML"
done
pass
