# Where the programs and their files go: GNUInstallDirs, systemd's own answer for units.
install(TARGETS mtrk-milter mtqpd mtrkctl RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS mtqp RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
