#include "milter/ctl/setup/setup.h"

#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "milter/base/socket.h"
#include "milter/ctl/setup/command_filter.h"
#include "milter/ctl/setup/commands.h"
#include "milter/ctl/setup/config_edit.h"
#include "milter/ctl/setup/diff.h"
#include "milter/ctl/setup/files.h"
#include "milter/ctl/setup/main_cf.h"
#include "milter/ctl/setup/plan.h"
#include "milter/ctl/setup/sendmail_mc.h"
#include "milter/ctl/setup/words.h"

#include <fmt/format.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace mtrk::setup {
namespace {

constexpr std::string_view kPostfixSocket = "unix:/var/spool/postfix/mtrk/milter.sock";
constexpr std::string_view kSendmailSocket = "unix:/run/mtrk/milter.sock";
constexpr std::string_view kTcpSocket = "inet:8892@127.0.0.1";
constexpr mode_t kSocketFolderMode = 02711;

// Ends the set-up. run_setup() catches it.
struct Failed : std::runtime_error {
  Failed(int exit_code, const std::string& text) : std::runtime_error(text), code(exit_code) {}
  int code;
};

template <typename T>
T need(Expected<T> value, int code) {
  if (!value) {
    throw Failed(code, value.error().detail);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*value);
  }
}

struct ConfigKey {
  std::string_view section;
  std::string_view key;
  std::string value;
};

class Setup {
 public:
  Setup(const SetupOptions& options, const Config& config) : options_(options), config_(config) {}

  int run() {
    if (options_.undo) {
      plan_undo();
    } else if (options_.mta == Mta::postfix) {
      plan_for_postfix();
    } else {
      plan_for_sendmail();
    }
    for (const FileChange& change : plan_.changes) {
      planned_.push_back(change.path);
    }
    std::erase_if(plan_.changes,
                  [](const FileChange& change) { return change.before == change.after; });
    show();
    if (options_.dry_run) {
      fmt::print("Nothing was changed.\n");
      return exit_code::ok;
    }
    if (!plan_.changes.empty() && !agreed()) {
      fmt::print("Nothing was changed.\n");
      return 1;
    }
    std::fflush(stdout);
    std::for_each(planned_.begin(), planned_.end(), remove_leftover);
    options_.undo ? undo() : attach();
    return exit_code::ok;
  }

 private:
  // --- planning: nothing is changed ---

  void plan_for_postfix() {
    const std::vector<std::string> facts =
        need(postfix(options_.directory)
                 .values({"mail_version", "config_directory", "queue_directory", "mail_owner",
                          "multi_instance_directories"}),
             exit_code::unavailable);
    // Postfix has accepted a table in main.cf itself since 3.7, of 2022.
    if (facts[0].starts_with("2.") || (facts[0].starts_with("3.") && facts[0].size() > 3 &&
                                       facts[0][3] == '.' && facts[0][2] < '7')) {
      throw Failed(exit_code::unavailable,
                   fmt::format("Postfix {} is too old for this: 3.7 is needed. By hand: mtrk(7), "
                               "ATTACHING TO POSTFIX",
                               facts[0]));
    }
    mta_ = fmt::format("Postfix {}", facts[0]);
    directories_ = {facts[1]};
    if (options_.directory.empty()) {
      for (const Word& word : split_words(facts[4], kCommasAndBlanks)) {
        directories_.push_back(word.text);
      }
    }
    owner_ = facts[3];
    std::string socket = config_.milter.socket;
    if (const auto usable = postfix_socket(socket, facts[2]);
        !usable || (directories_.size() > 1 && !is_tcp(socket))) {
      // smtpd(8) of the other instances has another queue directory and is chrooted there.
      socket = directories_.size() == 1 && facts[2] == "/var/spool/postfix" ? kPostfixSocket
                                                                            : kTcpSocket;
    }
    plan_config(socket, Mta::postfix);
    if (!is_tcp(socket)) {
      const std::string path = need(parse_milter_address(socket), exit_code::config).path;
      socket_folder_ = path.substr(0, path.rfind('/'));
    }
    MilterSocket named = need(postfix_socket(socket, facts[2]), exit_code::config);
    for (const std::string& address : known_addresses()) {
      named.addresses.push_back(address);
    }
    for (const std::string& directory : directories_) {
      const PostfixInstance instance = read_instance(directory);
      Plan plan = need(plan_postfix(instance, named), exit_code::config);
      if (::geteuid() == 0) {
        // Otherwise mistakes in the present files would look like ours.
        need(postfix(directory).check(), exit_code::config);
        need(rehearse(plan, directory), exit_code::config);
      }
      // The table comes first, so that main.cf never names rules that do not exist yet.
      std::move(plan.changes.begin(), plan.changes.end(), std::back_inserter(plan_.changes));
      std::move(plan.notes.begin(), plan.notes.end(), std::back_inserter(plan_.notes));
    }
  }

  void plan_for_sendmail() {
    sendmail_ = sendmail_directory();
    mta_ = "Sendmail";
    const std::string path = sendmail_ + "/sendmail.mc";
    const RealFile file = need(read_real_file(path), exit_code::unavailable);
    if (has_filter_by_hand(file.text)) {
      throw Failed(exit_code::config,
                   fmt::format("{}: names the filter already, by hand; take that out, or leave "
                               "it as it is",
                               path));
    }
    std::string socket = config_.milter.socket;
    if (is_tcp(socket) || socket == kPostfixSocket) {
      socket = kSendmailSocket;
    }
    plan_config(socket, Mta::sendmail);
    const std::string socket_path = need(parse_milter_address(socket), exit_code::config).path;
    Expected<std::string> after = attach_sendmail_mc(file.text, socket_path);
    if (!after) {
      throw Failed(exit_code::config, fmt::format("{}: {}", path, after.error().detail));
    }
    plan_.changes.push_back({FileKind::sendmail_mc, path, file.text, std::move(*after)});
  }

  void plan_undo() {
    const SavedFiles saved =
        need(SavedFiles::open(saved_folder(), false), exit_code::no_permission);
    std::vector<std::string> addresses = known_addresses();
    if (options_.mta != Mta::sendmail) {
      plan_postfix_undos(saved, addresses);
    }
    if (options_.mta != Mta::postfix) {
      const std::string path = sendmail_directory() + "/sendmail.mc";
      if (::access(path.c_str(), F_OK) == 0) {
        sendmail_ = sendmail_directory();
        plan_file_undo(saved, FileKind::sendmail_mc, path, addresses);
      }
    }
    for (const SavedFile& file : saved.all()) {
      const bool planned =
          std::any_of(plan_.changes.begin(), plan_.changes.end(),
                      [&](const FileChange& change) { return change.path == file.path; });
      if (planned) {
        continue;
      }
      if (::access(file.path.c_str(), F_OK) != 0) {
        gone_.push_back(file.path);
      } else if (file.kind == FileKind::mtrk_conf ||
                 (file.kind == FileKind::sendmail_mc) == (options_.mta == Mta::sendmail) ||
                 !options_.mta) {
        plan_file_undo(saved, file.kind, file.path, addresses);
      }
    }
  }

  void plan_postfix_undos(const SavedFiles& saved, std::vector<std::string>& addresses) {
    const Expected<std::vector<std::string>> facts =
        postfix(options_.directory)
            .values({"config_directory", "queue_directory", "multi_instance_directories"});
    if (!facts) {
      if (options_.mta) {
        throw Failed(exit_code::unavailable, facts.error().detail);
      }
      return;  // there is no Postfix here
    }
    directories_ = {(*facts)[0]};
    if (options_.directory.empty()) {
      for (const Word& word : split_words((*facts)[2], kCommasAndBlanks)) {
        directories_.push_back(word.text);
      }
    }
    if (const auto named = postfix_socket(config_.milter.socket, (*facts)[1])) {
      addresses.insert(addresses.end(), named->addresses.begin(), named->addresses.end());
    }
    for (const std::string& directory : directories_) {
      if (::access((directory + "/main.cf").c_str(), F_OK) != 0) {
        continue;  // the package was removed but not purged
      }
      const PostfixInstance instance = read_instance(directory);
      plan_file_undo(saved, FileKind::master_cf, directory + "/master.cf", addresses);
      plan_file_undo(saved, FileKind::main_cf, directory + "/main.cf", addresses);
      if (!instance.filter_path.empty()) {
        plan_file_undo(saved, FileKind::command_filter, instance.filter_path, addresses);
      }
    }
  }

  void plan_file_undo(const SavedFiles& saved,
                      FileKind kind,
                      const std::string& path,
                      const std::vector<std::string>& addresses) {
    const std::string now = need(read_real_file(path), exit_code::no_input).text;
    const SavedFile* const before = saved.find(path);
    Expected<std::string> after = before != nullptr ? undone(*before, now, addresses)
                                                    : without_our_words(kind, now, addresses);
    if (!after) {
      throw Failed(exit_code::config, fmt::format("{}: {}", path, after.error().detail));
    }
    if (before != nullptr && before->after != now) {
      plan_.notes.push_back(
          kind == FileKind::mtrk_conf
              ? fmt::format("{} was changed since the set-up, and stays as it is.", path)
              : fmt::format("{} was changed since the set-up: only what is ours goes.", path));
    }
    if (before != nullptr) {
      gone_.push_back(path);
    }
    plan_.changes.push_back({kind, path, now, std::move(*after)});
  }

  void plan_config(const std::string& socket, Mta mta) {
    const RealFile file = need(read_real_file(options_.config_path), exit_code::no_input);
    std::string after = file.text;
    if (socket != config_.milter.socket) {
      after = with_config_key(after, "milter", "socket", fmt::format("\"{}\"", socket));
    }
    if (mta != config_.log.mta) {
      after = with_config_key(after, "log", "mta",
                              mta == Mta::postfix ? "\"postfix\"" : "\"sendmail\"");
    }
    const Expected<Config> meant = parse_config(after, options_.config_path);
    if (!meant || meant->milter.socket != socket || meant->log.mta != mta) {
      throw Failed(
          exit_code::config,
          fmt::format("{}: write these two yourself, then run this again:\n"
                      "[milter]\nsocket = \"{}\"\n[log]\nmta = \"{}\"",
                      options_.config_path, socket, mta == Mta::postfix ? "postfix" : "sendmail"));
    }
    plan_.changes.push_back(
        {FileKind::mtrk_conf, options_.config_path, file.text, std::move(after)});
  }

  // --- showing and asking ---

  void show() const {
    for (const FileChange& change : plan_.changes) {
      fmt::print("{}\n", unified_diff(change.path, change.before, change.after));
    }
    for (const std::string& note : plan_.notes) {
      fmt::print("{}\n\n", fold_text("Note: " + note, 80, 6));
    }
    if (plan_.changes.empty()) {
      fmt::print("{}\n", options_.undo
                             ? "Nothing of message tracking is in the mail system's files."
                             : fmt::format("{} has all that it needs.", mta_));
    }
  }

  [[nodiscard]] bool agreed() const {
    if (options_.yes) {
      return true;
    }
    if (::isatty(STDIN_FILENO) == 0) {
      throw Failed(exit_code::usage,
                   "nobody can be asked here: --yes does it, --dry-run only shows it");
    }
    fmt::print("Change this? [y/N] ");
    std::fflush(stdout);
    const int answer = std::getchar();
    return answer == 'y' || answer == 'Y';
  }

  // --- doing ---

  void attach() {
    make_socket_folder();
    SavedFiles saved = need(SavedFiles::open(saved_folder(), true), exit_code::cant_create);
    std::vector<const FileChange*> done;
    try {
      bool milter_runs = false;
      for (const FileChange& change : plan_.changes) {
        if (change.kind != FileKind::mtrk_conf && !milter_runs) {
          start_milter();
          milter_runs = true;
        }
        need(saved.save(what_to_save(saved, change)), exit_code::cant_create);
        need(replace_file(change), exit_code::cant_create);
        done.push_back(&change);
      }
      if (!milter_runs) {
        start_milter();
      }
      check_mail_system();
    } catch (const Failed&) {
      roll_back(saved, done);
      throw;
    }
    reload_mail_system();
    say_what_next();
  }

  void undo() {
    SavedFiles saved = need(SavedFiles::open(saved_folder(), false), exit_code::no_permission);
    bool config_changed = false;
    for (const FileChange& change : plan_.changes) {
      need(replace_file(change), exit_code::cant_create);
      config_changed = config_changed || change.kind == FileKind::mtrk_conf;
    }
    if (!plan_.changes.empty()) {
      reload_mail_system();
    }
    for (const std::string& path : gone_) {
      saved.forget(path);
    }
    if (config_changed && manages_units()) {
      static_cast<void>(run_program({"systemctl", "try-restart", "mtrk-milter.service"}));
    }
    if (!plan_.changes.empty()) {
      fmt::print("Detached. What is tracked already can be asked for as before.\n");
    }
  }

  // Returns what the file was before any set-up. If nobody has changed it since an earlier set-up,
  // that one's saved file has it.
  [[nodiscard]] SavedFile what_to_save(const SavedFiles& saved, const FileChange& change) const {
    const SavedFile* const earlier = saved.find(change.path);
    if (earlier != nullptr &&
        (earlier->after == change.before || change.kind == FileKind::mtrk_conf)) {
      return {change.kind, change.path, earlier->before, change.after};
    }
    return {
        change.kind, change.path,
        without_our_words(change.kind, change.before, known_addresses()).value_or(change.before),
        change.after};
  }

  void roll_back(SavedFiles& saved, const std::vector<const FileChange*>& done) {
    bool back = true;
    for (auto it = done.rbegin(); it != done.rend(); ++it) {
      const FileChange& change = **it;
      back =
          replace_file({change.kind, change.path, change.after, change.before}).has_value() && back;
    }
    for (const FileChange& change : plan_.changes) {
      if (back) {
        saved.forget(change.path);
      }
    }
    if (!done.empty()) {
      print_error("mtrkctl: {}\n", back ? "what was changed so far was changed back"
                                        : "not all of it could be changed back: mtrkctl setup "
                                          "--undo does it later");
      if (!sendmail_.empty()) {
        static_cast<void>(run_program({"make", "-C", sendmail_}));
      }
      if (manages_units() && std::any_of(done.begin(), done.end(), [](const FileChange* change) {
            return change->kind == FileKind::mtrk_conf;
          })) {
        static_cast<void>(run_program({"systemctl", "try-restart", "mtrk-milter.service"}));
      }
    }
  }

  void make_socket_folder() const {
    if (socket_folder_.empty() || ::access(socket_folder_.c_str(), F_OK) == 0) {
      return;
    }
    const passwd* account = ::getpwnam("mtrk");
    const uid_t user = account != nullptr ? account->pw_uid : 0;
    if (account == nullptr) {
      throw Failed(exit_code::unavailable,
                   "there is no account mtrk: install the package mtrk, or run systemd-sysusers");
    }
    account = ::getpwnam(owner_.c_str());
    if (account == nullptr) {
      throw Failed(exit_code::unavailable,
                   fmt::format("there is no account {}, Postfix's mail_owner", owner_));
    }
    // The folder is set-group-ID so that the socket belongs to Postfix's group. mtrk-gate may pass
    // through it.
    if (::mkdir(socket_folder_.c_str(), 0700) != 0 ||
        ::chown(socket_folder_.c_str(), user, account->pw_gid) != 0 ||
        ::chmod(socket_folder_.c_str(), kSocketFolderMode) != 0) {
      throw Failed(exit_code::cant_create,
                   fmt::format("{}: {}", socket_folder_, std::generic_category().message(errno)));
    }
  }

  [[nodiscard]] bool manages_units() const { return !options_.private_config && systemd_runs(); }

  void start_milter() const {
    if (!manages_units()) {
      return;
    }
    const bool changed =
        std::any_of(plan_.changes.begin(), plan_.changes.end(),
                    [](const FileChange& change) { return change.kind == FileKind::mtrk_conf; });
    const Expected<std::string> started =
        run_program({"systemctl", changed ? "restart" : "start", "mtrk-milter.service"});
    if (!started) {
      throw Failed(exit_code::unavailable,
                   fmt::format("{}\njournalctl -u mtrk-milter says why", started.error().detail));
    }
  }

  void check_mail_system() const {
    for (const std::string& directory : directories_) {
      need(postfix(directory).check(), exit_code::config);
    }
    if (!sendmail_.empty()) {
      need(run_program({"make", "-C", sendmail_}), exit_code::config);
      const RealFile made = need(read_real_file(sendmail_ + "/sendmail.cf"), exit_code::config);
      if (made.text.find("\nXmtrk,") == std::string::npos) {
        throw Failed(exit_code::config,
                     fmt::format("make -C {} made a sendmail.cf without the filter", sendmail_));
      }
    }
  }

  void reload_mail_system() const {
    for (const std::string& directory : directories_) {
      if (const Expected<void> done = postfix(directory).reload(); !done) {
        print_error("mtrkctl: {}: reload Postfix yourself\n", done.error().detail);
      }
    }
    if (sendmail_.empty()) {
      return;
    }
    if (options_.undo) {
      need(run_program({"make", "-C", sendmail_}), exit_code::config);
    }
    const Expected<void> done = reload_sendmail();
    if (!done) {
      print_error("mtrkctl: {}: reload Sendmail yourself\n", done.error().detail);
    }
  }

  void say_what_next() const {
    if (plan_.changes.empty()) {
      return;
    }
    fmt::print(
        "{} is attached. A first tracked message, and what became of it:\n"
        "  echo hello | mtqp send --smtp localhost --from root@{} --to root@{}\n"
        "  mtqp track last\n"
        "To detach: mtrkctl setup --undo\n",
        mta_, host(), host());
  }

  // --- the present state ---

  [[nodiscard]] std::string host() const {
    if (!directories_.empty()) {
      if (const auto name = postfix(directories_.front()).values({"myhostname"})) {
        return name->front();
      }
    }
    std::array<char, 256> name{};
    static_cast<void>(::gethostname(name.data(), name.size() - 1));
    return config_.hostname.empty() ? name.data() : config_.hostname;
  }

  [[nodiscard]] static Postfix postfix(const std::string& directory) { return Postfix(directory); }

  [[nodiscard]] std::string sendmail_directory() const {
    return options_.directory.empty() ? "/etc/mail" : options_.directory;
  }

  [[nodiscard]] std::string saved_folder() const {
    const std::size_t slash = options_.config_path.rfind('/');
    return (slash == std::string::npos ? "" : options_.config_path.substr(0, slash + 1)) + "setup";
  }

  [[nodiscard]] static bool is_tcp(std::string_view socket) { return socket.starts_with("inet"); }

  // Returns the sockets that a set-up or the README has ever named.
  [[nodiscard]] static std::vector<std::string> known_addresses() {
    std::vector<std::string> addresses =
        postfix_socket(kPostfixSocket, "/var/spool/postfix").value().addresses;
    addresses.push_back(postfix_socket(kTcpSocket, "").value().address);
    return addresses;
  }

  [[nodiscard]] static PostfixInstance read_instance(const std::string& directory) {
    PostfixInstance instance;
    instance.directory = directory;
    instance.main_cf = need(read_real_file(directory + "/main.cf"), exit_code::no_input).text;
    instance.master_cf = need(read_real_file(directory + "/master.cf"), exit_code::no_input).text;
    const std::vector<std::string> values =
        need(postfix(directory).values({"smtpd_discard_ehlo_keywords"}), exit_code::config);
    instance.discard_keywords = values[0];
    const Expected<std::string> filter = postfix(directory).expanded("smtpd_command_filter");
    if (const auto path = rules_file(filter.value_or(""));
        path && !is_our_command_filter(*filter)) {
      instance.filter_path = *path;
      instance.filter = need(read_real_file(*path), exit_code::config).text;
    }
    return instance;
  }

  const SetupOptions& options_;
  const Config& config_;
  Plan plan_;
  std::vector<std::string> planned_;      // including files that need no change
  std::string mta_;                       // the name for people
  std::vector<std::string> directories_;  // of the Postfix instances
  std::string owner_;                     // mail_owner of Postfix
  std::string sendmail_;                  // the folder of sendmail.mc, if Sendmail is meant
  std::string socket_folder_;
  std::vector<std::string> gone_;  // their saved files are not needed after the undoing
};

}  // namespace

int run_setup(const SetupOptions& options, const Config& config) {
  if (::geteuid() != 0 && !options.dry_run) {
    print_error("mtrkctl: setup changes files of root's: run it as root, or with --dry-run\n");
    return exit_code::no_permission;
  }
  try {
    return Setup(options, config).run();
  } catch (const Failed& failed) {
    std::fflush(stdout);
    print_error("mtrkctl: {}\n", failed.what());
    return failed.code;
  }
}

}  // namespace mtrk::setup
