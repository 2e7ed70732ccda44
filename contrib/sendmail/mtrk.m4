dnl Lines for /etc/mail/sendmail.mc, before MAILER_DEFINITIONS, after all other INPUT_MAIL_FILTER lines:
dnl the others have had their say then. Or, with this file in /etc/mail:  include(`/etc/mail/mtrk.m4')dnl
dnl
dnl No F=: a filter that is away or hangs must never cost a message (F=T and F=R make Sendmail refuse mail).
dnl The times are not optional either: the defaults are C:5m;S:10s;R:10s;E:5m.
INPUT_MAIL_FILTER(`mtrk', `S=local:/run/mtrk/milter.sock, T=C:2s;S:2s;R:2s;E:5s')dnl
dnl
dnl Level 10 logs when a message leaves the queue, level 11 what an alias or a .forward file stands for. Without
dnl them more outcomes stay unknown. Four records a message about filters would come with it, without the second line.
define(`confLOG_LEVEL', `11')dnl
define(`confMILTER_LOG_LEVEL', `9')dnl
