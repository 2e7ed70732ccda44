dnl Lines for /etc/mail/sendmail.mc, before MAILER_DEFINITIONS: all mail that leaves this host goes through the outbound
dnl half of mtrk-gate, and has MTRK where the next hop takes it. In mtrk.conf:
dnl
dnl   [milter]
dnl   leave_fold = true
dnl   [gate.outbound]
dnl   listen = ["127.0.0.2:10023"]
dnl   nexthop = "mx"
dnl
dnl The address should be the gate's alone: Sendmail logs no port, so that mtrk-milter believes all that listens there.
dnl Entries of mailertable, and MX records of domains, must not lead around the gate: next hops would see the fold.
define(`SMART_HOST', `relay:[127.0.0.2]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h 10023')dnl
dnl
dnl One recipient a transaction (no m), as each may have a next hop of its own; and the gate greets by this host's name,
dnl which is no loop (k).
MODIFY_MAILER_FLAGS(`RELAY', `-m')dnl
MODIFY_MAILER_FLAGS(`RELAY', `+k')dnl
