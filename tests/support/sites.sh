# shellcheck shell=bash disable=SC2034,SC2154  # scripts that source this use the variables; lib.sh has the others
# Two organisations, alpha.test and beta.test, each on a loopback address of its own with a Postfix, mtrk-gate in
# front of it and behind it, mtrk-milter and mtqpd; a name server that has MX and SRV records for both; and behind
# beta.test a mail system that has never heard of tracking, branch.beta.test. What contrib/demo --two-sites and
# gate/two-sites share. Source it after lib.sh.
#
#   client ──► gate ─► Postfix ─► gate ──MTRK──► gate ─► Postfix ─► gate ──► next hop
#              └─── mx.alpha.test ───┘           └─── mx.beta.test ───┘      of branch.beta.test
#
# The functions of lib.sh are about the site that at_site names.
declare -A address_of=() smtpd_of=() behind_gate=() out_of=() tracker_of=()
mail_port='' # of the gates and of the branch, in place of 25

# claim_places: addresses 127.1.N.1 for alpha, 127.2.N.1 for beta and 127.3.N.1 for the branch, where N is this
# script's alone while it runs, as its ports are; and ports.
claim_places() {
  local name n chosen=''
  free_port mail_port
  n=$(((ports_from - 20000) / 200))
  address_of=([alpha]=127.1.$n.1 [beta]=127.2.$n.1 [branch]=127.3.$n.1)
  for name in alpha beta; do
    free_port chosen
    smtpd_of[$name]=${address_of[$name]}:$chosen
    free_port chosen
    behind_gate[$name]=${address_of[$name]}:$chosen
    free_port chosen
    out_of[$name]=${address_of[$name]}:$chosen
    free_port chosen
    tracker_of[$name]=$chosen
  done
}

at_site() {
  site=$1
  site_home=$work/$1
  site_host=mx.$1.test
  site_address=${address_of[$1]}
  mtqp_port=${tracker_of[$1]}
}

# create_site NAME [LINE OF MAIN.CF...]: its Postfix and its mtrk.conf. All mail that is not for the site itself
# leaves through its gate, by MX where $more_routes, lines of mtrk.conf, say nothing else.
more_routes=''
create_site() {
  local pf=$top/tests/support/postfix-instance name=$1
  shift
  at_site "$name"
  mkdir -p "$site_home"
  "$pf" create "$site_home/mx" "$TESTBED_CACHE" "${smtpd_of[$name]}"
  cat >>"$site_home/mx/etc/master.cf" <<END
${behind_gate[$name]} inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy
mtrkout unix - - n - - smtp -o smtp_send_xforward_command=yes -o smtp_tls_security_level=none
END
  "$pf" set "$site_home/mx" \
    "myhostname = mx.$name.test" "mydomain = $name.test" "virtual_mailbox_domains = $name.test" \
    "default_transport = mtrkout:[$site_address]:${out_of[$name]##*:}" "relay_transport = \$default_transport" \
    "mtrkout_destination_recipient_limit = 1" \
    "smtpd_milters = { unix:mtrk/milter.sock, connect_timeout=2s, command_timeout=2s, content_timeout=4s, default_action=accept }" \
    "in_flow_delay = 0" "$@"
  write_config "[gate.inbound]
listen = [\"$site_address:$mail_port\"]
upstream = \"${behind_gate[$name]}\"
[gate.outbound]
listen = [\"${out_of[$name]}\"]
nexthop = \"mx\"
mx_port = $mail_port
own_addresses = []
dns = [\"$dns\"]
$more_routes"
}

start_site() {
  "$top/tests/support/postfix-instance" start "$site_home/mx"
  start_milter
  start_mtqpd
  start_site_gate
}

start_site_gate() { start_gate "$site_address:$mail_port" "${out_of[$site]}"; }

# start_branch [OPTION...]: the mail system of the branch.
start_branch() {
  start branch "$MTRK_BIN/fake_next_hop" --address "${address_of[branch]}" --port "$mail_port" --log "$work/branch.commands" "$@"
  wait_until 10 answers "${address_of[branch]}:$mail_port" || fail "the mail system of the branch does not listen"
}

# create_sites: the two, the mail system of the branch, and the name server; nothing of the sites runs yet.
create_sites() {
  local name
  claim_places
  for name in alpha beta; do
    cat <<END
$name MX 10 mx.$name
mx.$name A ${address_of[$name]}
_mtqp._tcp.mx.$name SRV 0 0 ${tracker_of[$name]} mx.$name
END
  done >"$work/zone"
  printf '%s\n' 'branch.beta MX 10 mx.beta' "mx.branch.beta A ${address_of[branch]}" >>"$work/zone"
  start_dns <"$work/zone"
  start_branch
  "$top/tests/support/postfix-instance" fetch "$TESTBED_CACHE"
  create_site alpha "virtual_mailbox_maps = inline:{ ann@alpha.test=ann/ }"
  more_routes="[[gate.outbound.destination]]
domain = \"branch.beta.test\"
nexthop = \"mx.branch.beta.test:$mail_port\""
  create_site beta \
    "virtual_mailbox_maps = inline:{ bob@beta.test=bob/, carol@beta.test=carol/ }" \
    "virtual_alias_maps = inline:{ { team@beta.test = bob@beta.test, carol@beta.test } }" \
    "relay_domains = branch.beta.test"
}

# seconds_at NAME: for how many seconds the site was asked to remember its latest message.
seconds_at() { sed -n 's/.* mtrk=tracked,.* timeout=\([0-9]*\).*/\1/p' "$work/$1-mtrk-milter.log" | tail -n 1; }
