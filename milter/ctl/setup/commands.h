#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/plan.h"

#include <string>
#include <string_view>
#include <vector>

// These are the programs of the mail system and of systemd that a set-up runs.
namespace mtrk::setup {

// Runs a program to its end and returns its output without the last line feed. Fails with an error
// that begins with the name of the program.
[[nodiscard]] Expected<std::string> run_program(const std::vector<std::string>& command);

// An instance of Postfix is given by the folder of its main.cf. An empty folder means this
// system's.
class Postfix {
 public:
  explicit Postfix(std::string directory) : directory_(std::move(directory)) {}

  // Returns the values of the parameters, one for each. Fails if Postfix is not installed, or if
  // postconf(1) reports a fatal error.
  [[nodiscard]] Expected<std::vector<std::string>> values(
      const std::vector<std::string>& names) const;
  // Returns one value in which all references are expanded.
  [[nodiscard]] Expected<std::string> expanded(const std::string& name) const;
  [[nodiscard]] Expected<std::string> look_up(const std::string& table,
                                              const std::string& key) const;
  [[nodiscard]] Expected<void> check() const;
  // Reloads Postfix if it runs. Running processes keep what they read before until their client
  // leaves.
  [[nodiscard]] Expected<void> reload() const;

 private:
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> words) const;

  std::string directory_;
};

// Checks whether Postfix can use the files of `plan`. It puts them into a folder of their own, lets
// postconf(1) read them there, and checks that our rules carry MTRK= in every way they must. The
// mail system sees nothing of it.
[[nodiscard]] Expected<void> rehearse(const Plan& plan, const std::string& directory);

// Tells Sendmail's daemon, if there is one, to restart itself with its new sendmail.cf. Debian's
// unit for it is made from an init script, which systemd cannot reload. So the daemon gets the
// signal that the script would send.
[[nodiscard]] Expected<void> reload_sendmail();

// Returns whether systemd runs this system.
[[nodiscard]] bool systemd_runs();

}  // namespace mtrk::setup
