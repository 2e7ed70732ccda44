#pragma once

#include "common/base/mta.h"
#include "common/config/config.h"

#include <optional>
#include <string>

// `mtrkctl setup`: attaches mtrk-milter to the mail system of this host, and detaches it.
//
//   plan      the files as they are and as they would be (plan.h), tried in a folder of their own
//   (commands.h) ask       the difference is shown; nothing has been changed so far do        the
//   milter's folder and the milter; what each file was is saved; then file after file is replaced
//   as a
//             whole (files.h), each order of old and new files being a mail system that works; a
//             check; a reload
//
// Whatever ends it in between, mail flows: a milter that is not there is passed over
// (default_action=accept), and a reference to a parameter that is not there stands for nothing. The
// next run does the rest, or undoes it.
namespace mtrk::setup {

struct SetupOptions {
  std::optional<Mta> mta;       // nothing: to be undone wherever there is something of ours
  std::string directory;        // of the mail system's configuration; empty: /etc/postfix or what
                                // postconf says, /etc/mail
  std::string config_path;      // of mtrk.conf; what was changed is saved beside it
  bool private_config = false;  // mtrk.conf is not the system's: its units are left alone
  bool dry_run = false;
  bool yes = false;
  bool undo = false;
};

// Exit code: 0 done, or nothing to do; 1 not done, as somebody said no; 64, 69 no such mail system,
// or one that is too old; 73 a file cannot be written; 77; 78 a file of the mail system is not what
// it should be.
[[nodiscard]] int run_setup(const SetupOptions& options, const Config& config);

}  // namespace mtrk::setup
