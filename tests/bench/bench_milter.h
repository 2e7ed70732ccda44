#pragma once

#include <libmilter/mfapi.h>

#include <cstdio>
#include <initializer_list>

// The milters of the benchmark share these parts with mtrk-milter, so that only the work differs:
// which steps are requested and answered, and which macros are requested.
namespace mtrk::bench {

inline sfsistat negotiate(SMFICTX* context,
                          unsigned long actions,
                          unsigned long steps,
                          unsigned long /*f2*/,
                          unsigned long /*f3*/,
                          unsigned long* wanted_actions,
                          unsigned long* wanted_steps,
                          unsigned long* wanted_f2,
                          unsigned long* wanted_f3) {
  *wanted_actions = actions & SMFIF_CHGFROM;
  *wanted_steps = steps & (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH |
                           SMFIP_NOBODY | SMFIP_NOUNKNOWN | SMFIP_NR_RCPT | SMFIP_NR_DATA);
  *wanted_f2 = 0;
  *wanted_f3 = 0;
  if ((actions & SMFIF_SETSYMLIST) != 0) {
    char none[] = "{none}";
    char identity[] = "i j";
    for (const int step :
         {SMFIM_CONNECT, SMFIM_HELO, SMFIM_ENVFROM, SMFIM_ENVRCPT, SMFIM_EOH, SMFIM_EOM}) {
      smfi_setsymlist(context, step, none);
    }
    smfi_setsymlist(context, SMFIM_DATA, identity);
  }
  return SMFIS_CONTINUE;
}

// Runs `filter` on the connection that argv[1] names, until SIGTERM.
inline int serve(smfiDesc filter, int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CONNECTION\n", argv[0]);
    return 64;
  }
  filter.xxfi_name = argv[0];
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_flags = SMFIF_CHGFROM | SMFIF_SETSYMLIST;
  smfi_setbacklog(1024);
  if (smfi_setconn(argv[1]) == MI_FAILURE || smfi_register(filter) == MI_FAILURE ||
      smfi_opensocket(true) == MI_FAILURE) {
    return 1;
  }
  return smfi_main() == MI_SUCCESS ? 0 : 1;
}

}  // namespace mtrk::bench
