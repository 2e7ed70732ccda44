# awk -v messages=N -v begin=EPOCH -f make-log.awk: the log of N messages whose lines interleave, as
# lines "ORDER<tab>MICROSECONDS<tab>PROGRAM<tab>TEXT" to be sorted by ORDER. By number modulo 7: sent, bounced,
# deferred then sent, kept deferred, forwarded to one address (the copy is logged before the line
# that links it), delivered and bounced, expired.
function put(program, text) {
  order = number * 40 + step++ * 101
  printf "%d\t%.0f\t%s\t%s\n", order, begin * 1000000 + order * 100, program, text
}
function attempt(agent, id, recipient, more, original) {
  put(agent, id ": to=<" recipient ">, " (original ? "orig_to=<" original ">, " : "") \
      "relay=" (agent == "smtp" ? "mx.partner.example[192.0.2.1]:25" : "local") \
      ", delay=0.3, delays=0.1/0/0.1/0.1, " more)
}
function queue(id) {
  put("cleanup", id ": message-id=<m" id "@x.example>")
  put("qmgr", id ": from=<sender@client.example>, size=1000, nrcpt=1 (queue active)")
}
BEGIN {
  for (number = 0; number < messages; ++number) {
    step = 0
    # What a busy host logs besides: a commit of mtrkctl ingest takes some megabytes.
    for (i = 0; i < 12; ++i)
      put("smtpd", "connect from host-" number "-" i ".dynamic.provider.example[198.51.100." i "], which is not of interest to anybody who asks for a message")
    id = sprintf("4jW%05dzZZZZZ", number)
    to = "r" number "@example.test"
    put("smtpd", id ": client=client.example[192.0.2.9]")
    queue(id)
    kind = number % 7
    if (kind == 0) attempt("smtp", id, to, "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 12345)")
    if (kind == 1) attempt("smtp", id, to, "dsn=5.1.1, status=bounced (host mx said: 550 5.1.1 no such user)")
    if (kind == 2 || kind == 3 || kind == 6)
      for (i = 0; i < 3; ++i) attempt("smtp", id, to, "dsn=4.2." i ", status=deferred (host mx said: 450 4.2." i " later)")
    if (kind == 2) attempt("smtp", id, to, "dsn=2.0.0, status=sent (250 2.0.0 Ok)")
    if (kind == 4) {
      copy = sprintf("4jX%05dzYYYYY", number)
      queue(copy)
      attempt("smtp", copy, "other@partner.example", "dsn=2.0.0, status=sent (250 2.0.0 Ok)", to)
      put("qmgr", copy ": removed")
      attempt("local", id, to, "dsn=2.0.0, status=sent (forwarded as " copy ")")
    }
    if (kind == 5) {
      attempt("local", id, to, "dsn=2.0.0, status=sent (delivered to mailbox)")
      attempt("local", id, "x" to, "dsn=5.2.2, status=bounced (mailbox full)")
    }
    if (kind == 6) put("qmgr", id ": from=<sender@client.example>, status=expired, returned to sender")
    if (kind != 3) put("qmgr", id ": removed")
  }
}
