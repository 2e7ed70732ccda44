#pragma once

#include "common/base/mta.h"
#include "common/config/config.h"

#include <optional>
#include <string>

// `mtrkctl setup` attaches mtrk-milter to the mail system of this host, and detaches it.
//
//   plan  The new files are made from the present ones (plan.h) and tried in a folder of their own
//         (commands.h).
//   ask   The difference is shown. Nothing has been changed so far.
//   do    The milter's folder is made and the milter started. What each file was is saved. Then
//         file after file is replaced as a whole (files.h); with any mixture of old and new files
//         the mail system works. A check and a reload follow.
//
// Mail flows whenever a set-up is interrupted: Postfix and Sendmail ignore a milter that is not
// there (default_action=accept), and a reference to a missing parameter stands for nothing. The
// next run completes the set-up or undoes it.
namespace mtrk::setup {

struct SetupOptions {
  std::optional<Mta> mta;  // if empty, undo wherever there is something of ours
  // The folder of the mail system's configuration. If empty, /etc/postfix or what postconf says, or
  // /etc/mail.
  std::string directory;
  std::string config_path;      // path of mtrk.conf; changed files are saved next to it
  bool private_config = false;  // mtrk.conf is not the system's, so its units are left alone
  bool dry_run = false;
  bool yes = false;
  bool undo = false;
};

// Returns the exit code:
//
//   0       done, or there is nothing to do
//   1       the administrator declined
//   64, 69  there is no such mail system, or it is too old
//   73      a file cannot be written
//   77      permission is missing
//   78      a file of the mail system is not as it should be
[[nodiscard]] int run_setup(const SetupOptions& options, const Config& config);

}  // namespace mtrk::setup
