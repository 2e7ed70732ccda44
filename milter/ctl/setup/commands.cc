#include "milter/ctl/setup/commands.h"

#include "common/base/ascii.h"
#include "common/base/small_file.h"
#include "milter/base/run_command.h"
#include "milter/ctl/setup/command_filter.h"

#include <fmt/format.h>

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace mtrk::setup {
namespace {

namespace fs = std::filesystem;

// A ScratchFolder is removed with its object. It is empty if the folder could not be made.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = "/tmp/mtrkctl.XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) {
      path_ = name;
    }
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool write(std::string_view name, std::string_view text) const {
    std::ofstream file(fmt::format("{}/{}", path_, name), std::ios::binary);
    file << text;
    file.close();
    return file.good();
  }

 private:
  std::string path_;
};

struct Rewriting {
  std::string_view command;
  std::string_view want;
};
constexpr std::array<Rewriting, 4> kRewritings{{
    {"MAIL FROM:<a@example.com> MTRK=ab/c:60 ENVID=id@example.com RET=HDRS",
     "MAIL FROM:<a@example.com> ENVID=id@example.com;MTRK:ab/c:60 RET=HDRS"},
    {"mail from:<> ENVID=id@example.com mtrk=+a+b+c+d+e+f",
     "mail from:<> ENVID=id@example.com;MTRK:+2Ba+2Bb+2Bc+2Bd+2Be+2Bf"},
    {"MAIL FROM:<a@example.com> MTRK=!!! ENVID=id@example.com",
     "MAIL FROM:<a@example.com> ENVID=id@example.com;MTRK:"},
    {"MAIL FROM:<a@example.com> MTRK=abc", "MAIL FROM:<a@example.com>"},
}};

Expected<void> ask_rules(const Postfix& postfix, const std::string& table) {
  for (const Rewriting& rewriting : kRewritings) {
    const Expected<std::string> answer = postfix.look_up(table, std::string(rewriting.command));
    if (!answer) {
      return fail(ErrorCode::not_allowed,
                  fmt::format("the command filter does not work: {}", answer.error().detail));
    }
    if (*answer != rewriting.want) {
      return fail(ErrorCode::not_allowed,
                  fmt::format("the command filter makes of\n  {}\nnot\n  {}\nbut\n  {}",
                              rewriting.command, rewriting.want, escape_for_people(*answer, 200)));
    }
  }
  return {};
}

}  // namespace

Expected<std::string> run_program(const std::vector<std::string>& command) {
  std::string output;
  const std::string wrong =
      run_command(command, {}, -1, [&](std::string_view piece) { output.append(piece); });
  if (!wrong.empty()) {
    return fail(ErrorCode::not_allowed, fmt::format("{}: {}", fmt::join(command, " "), wrong));
  }
  while (output.ends_with('\n')) {
    output.pop_back();
  }
  return output;
}

std::vector<std::string> Postfix::command(std::vector<std::string> words) const {
  if (!directory_.empty()) {
    words.insert(words.begin() + 1, {"-c", directory_});
  }
  return words;
}

Expected<std::vector<std::string>> Postfix::values(const std::vector<std::string>& names) const {
  std::vector<std::string> words = command({"postconf", "-h"});
  words.insert(words.end(), names.begin(), names.end());
  const Expected<std::string> output = run_program(words);
  if (!output) {
    return Unexpected(output.error());
  }
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin <= output->size();) {
    const std::size_t feed = std::min(output->find('\n', begin), output->size());
    values.push_back(output->substr(begin, feed - begin));
    begin = feed + 1;
  }
  // Empty values at the end were removed with their line feeds.
  values.resize(std::max(values.size(), names.size()));
  if (values.size() != names.size()) {
    return fail(ErrorCode::syntax, "postconf: answers in more lines than were asked for");
  }
  return values;
}

Expected<std::string> Postfix::expanded(const std::string& name) const {
  return run_program(command({"postconf", "-x", "-h", name}));
}

Expected<std::string> Postfix::look_up(const std::string& table, const std::string& key) const {
  return run_program(command({"postmap", "-q", key, table}));
}

Expected<void> Postfix::check() const {
  const Expected<std::string> done = run_program(command({"postfix", "check"}));
  return done ? Expected<void>() : Unexpected(done.error());
}

Expected<void> Postfix::reload() const {
  if (!run_program(command({"postfix", "status"}))) {
    return {};
  }
  const Expected<std::string> done = run_program(command({"postfix", "reload"}));
  return done ? Expected<void>() : Unexpected(done.error());
}

Expected<void> rehearse(const Plan& plan, const std::string& directory) {
  const ScratchFolder folder;
  if (folder.path().empty()) {
    return fail(ErrorCode::not_allowed, "cannot make a folder in /tmp to try the new files in");
  }
  // Other files of the folder, above all lists of dynamic tables, are needed too.
  std::error_code ignored;
  for (const std::string name : {"main.cf", "master.cf", "dynamicmaps.cf", "postfix-files"}) {
    fs::copy_file(fmt::format("{}/{}", directory, name), fmt::format("{}/{}", folder.path(), name),
                  ignored);
  }
  fs::copy(directory + "/dynamicmaps.cf.d", folder.path() + "/dynamicmaps.cf.d", ignored);
  const std::string* table = nullptr;
  for (const FileChange& change : plan.changes) {
    std::string name;
    if (change.kind == FileKind::main_cf || change.kind == FileKind::master_cf) {
      name = to_string(change.kind);
    } else if (change.kind == FileKind::command_filter) {
      name = "filter";
      table = &change.path;
    } else {
      continue;
    }
    if (!folder.write(name, change.after)) {
      return fail(ErrorCode::not_allowed, fmt::format("{}: cannot write", folder.path()));
    }
  }
  const Postfix trial(folder.path());
  Expected<std::string> filter = trial.expanded("smtpd_command_filter");
  if (!filter) {
    return Unexpected(filter.error());
  }
  if (const Expected<std::string> services = run_program({"postconf", "-c", folder.path(), "-M"});
      !services) {
    return Unexpected(services.error());
  }
  if (table != nullptr) {
    const std::string type = filter->substr(0, filter->find(':'));
    return ask_rules(trial, fmt::format("{}:{}/filter", type, folder.path()));
  }
  return is_our_command_filter(*filter) ? ask_rules(trial, *filter) : Expected<void>();
}

Expected<void> reload_sendmail() {
  constexpr char kPidFile[] = "/run/sendmail/mta/sendmail.pid";
  const std::string text = read_small_file(kPidFile, 4096).value_or("");
  if (text.empty()) {
    return {};
  }
  const auto pid = parse_number<pid_t>(std::string_view(text).substr(0, text.find('\n')));
  const std::string name =
      pid ? read_small_file(fmt::format("/proc/{}/comm", *pid), 64).value_or("") : "";
  if (!name.starts_with("sendmail") || ::kill(*pid, SIGHUP) != 0) {
    return fail(ErrorCode::not_allowed, fmt::format("{}: no sendmail has this number", kPidFile));
  }
  return {};
}

bool systemd_runs() {
  return ::access("/run/systemd/system", F_OK) == 0;
}

}  // namespace mtrk::setup
