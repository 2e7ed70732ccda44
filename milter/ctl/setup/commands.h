#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/plan.h"

#include <string>
#include <string_view>
#include <vector>

// The programs of the mail system and of systemd that a set-up runs.
namespace mtrk::setup {

// Runs a program to its end; its output without the last line feed, or what went wrong, beginning
// with its name.
[[nodiscard]] Expected<std::string> run_program(const std::vector<std::string>& command);

// An instance of Postfix, by the folder of its main.cf (empty: the one of this system).
class Postfix {
 public:
  explicit Postfix(std::string directory) : directory_(std::move(directory)) {}

  // The values of parameters, one each. Fails where Postfix is not installed, and for what
  // postconf(1) calls fatal.
  [[nodiscard]] Expected<std::vector<std::string>> values(
      const std::vector<std::string>& names) const;
  // One value with all that it refers to.
  [[nodiscard]] Expected<std::string> expanded(const std::string& name) const;
  [[nodiscard]] Expected<std::string> look_up(const std::string& table,
                                              const std::string& key) const;
  [[nodiscard]] Expected<void> check() const;
  // If it runs. Running processes go on with what they read before, until their client leaves.
  [[nodiscard]] Expected<void> reload() const;

 private:
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> words) const;

  std::string directory_;
};

// Whether Postfix can use the files of `plan`: they are put into a folder of their own, where
// postconf(1) reads them, and our rules are asked to carry MTRK= in each way they have to. Nothing
// of it is seen by the mail system.
[[nodiscard]] Expected<void> rehearse(const Plan& plan, const std::string& directory);

// Tells Sendmail's daemon, if there is one, to begin anew with its new sendmail.cf. Its unit on
// Debian is made of an init script, and systemd can reload none of these: the daemon gets the
// signal that the script would send.
[[nodiscard]] Expected<void> reload_sendmail();

// systemd, if it is what runs here.
[[nodiscard]] bool systemd_runs();

}  // namespace mtrk::setup
