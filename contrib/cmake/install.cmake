# Where the programs and their files go. The prefix may also be given at installation time
# (cmake --install build/release --prefix /usr; DESTDIR for packages), so what depends on it is
# decided then.
install(TARGETS mtrk-milter mtrk-gate mtqpd mtrkctl RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS mtqp RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# The sample configuration is the defaults, so an existing mtrk.conf is kept. The programs look in
# /etc/mtrk; a private prefix gets a file of its own, for --config.
install(CODE "
  set(folder \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SYSCONFDIR}/mtrk\")
  if(CMAKE_INSTALL_PREFIX MATCHES \"^/usr(/local)?/?$\")
    set(folder /etc/mtrk)
  endif()
  if(NOT EXISTS \"\$ENV{DESTDIR}\${folder}/mtrk.conf\")
    file(INSTALL \"${PROJECT_SOURCE_DIR}/contrib/mtrk.conf\" DESTINATION \"\${folder}\")
  endif()")

# Units, users and folders. lib/systemd is searched below /usr and /usr/local alike.
foreach(unit mtrk-milter.service mtrk-gate.service mtqpd.service)
  install(CODE "
    set(sbindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/contrib/systemd/${unit}.in\"
                   \"${PROJECT_BINARY_DIR}/systemd/${unit}\" @ONLY)")
  install(FILES ${PROJECT_BINARY_DIR}/systemd/${unit} DESTINATION lib/systemd/system)
endforeach()
# journald drops what a busy mail system logs, unless told otherwise for its unit: Postfix is
# postfix@-.service on Debian 12 and postfix.service on Debian 13.
foreach(unit postfix.service postfix@-.service sendmail.service)
  install(FILES contrib/systemd/mtrk-log.conf DESTINATION lib/systemd/system/${unit}.d)
endforeach()
install(FILES contrib/systemd/mtqpd.socket contrib/systemd/mtqpd-tls.socket DESTINATION lib/systemd/system)
install(FILES contrib/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME mtrk.conf)
install(FILES contrib/systemd/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME mtrk.conf)

foreach(chapter 1 5 7 8)
  file(GLOB pages CONFIGURE_DEPENDS contrib/man/*.${chapter})
  if(pages)
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${chapter})
  endif()
endforeach()

install(FILES contrib/bash-completion/mtqp DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# Tables for the mail system, to be copied to where its configuration is.
file(GLOB tables CONFIGURE_DEPENDS contrib/postfix/*.regexp)
if(tables)
  install(FILES ${tables} DESTINATION ${CMAKE_INSTALL_DATADIR}/mtrk/postfix)
endif()
install(FILES contrib/sendmail/mtrk.m4 contrib/sendmail/mtrk-gate.m4 DESTINATION ${CMAKE_INSTALL_DATADIR}/mtrk/sendmail)

# For what stands beside the daemons: copied or named where it is wanted (contrib/doc/operations.md).
install(FILES contrib/monitoring/alerts.yml contrib/monitoring/grafana.json contrib/monitoring/prometheus.yml
  DESTINATION ${CMAKE_INSTALL_DATADIR}/mtrk/monitoring)
install(PROGRAMS contrib/monitoring/mtrk-textfile DESTINATION ${CMAKE_INSTALL_DATADIR}/mtrk/monitoring)
install(PROGRAMS contrib/letsencrypt/deploy-hook DESTINATION ${CMAKE_INSTALL_DATADIR}/mtrk/letsencrypt)
install(FILES contrib/dns/srv.zone DESTINATION ${CMAKE_INSTALL_DATADIR}/mtrk/dns)

# Firewall, fail2ban and logcheck look into folders of /etc and nowhere else. None of these files does anything by
# itself: the profiles wait for `ufw allow`, the jail is off, the rules only matter where logcheck runs.
install(CODE "
  set(folder \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SYSCONFDIR}\")
  if(CMAKE_INSTALL_PREFIX MATCHES \"^/usr(/local)?/?$\")
    set(folder /etc)
  endif()
  file(INSTALL \"${PROJECT_SOURCE_DIR}/contrib/ufw/mtrk\" DESTINATION \"\${folder}/ufw/applications.d\")
  file(INSTALL \"${PROJECT_SOURCE_DIR}/contrib/logcheck/mtrk\" DESTINATION \"\${folder}/logcheck/ignore.d.server\")
  foreach(kind filter.d jail.d)
    file(INSTALL \"${PROJECT_SOURCE_DIR}/contrib/fail2ban/\${kind}/mtqpd.conf\" DESTINATION \"\${folder}/fail2ban/\${kind}\")
  endforeach()")

# mtqp: links of a desktop; mtqp-open asks before it connects.
install(PROGRAMS contrib/desktop/mtqp-open DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES contrib/desktop/mtqp.desktop DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
