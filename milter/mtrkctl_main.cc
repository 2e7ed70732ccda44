// mtrkctl: administration and diagnosis (mtrkctl(8)).
#include "common/base/exit_code.h"
#include "common/base/process.h"
#include "common/config/program_options.h"
#include "milter/ctl/config.h"
#include "milter/ctl/events.h"
#include "milter/ctl/explain.h"
#include "milter/ctl/find/find.h"
#include "milter/ctl/import.h"
#include "milter/ctl/ingest.h"
#include "milter/ctl/setup/setup.h"
#include "milter/ctl/stats.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 something asked for is not there or was not understood; 64 bad command\n"
    "line; 65 a line of the input was bad, the others are done; 66 a file or the store is "
    "missing;\n"
    "69 not supported by this release; 73 the store cannot be made; 74 reading or writing failed;\n"
    "75 the store is full; 77 no permission; 78 bad configuration, or a store of a newer format.";

// What the command line says. Filled by CLI11, used by the subcommand that was chosen.
struct Arguments {
  mtrk::ProgramOptions program;
  std::vector<std::string> logs;
  std::optional<mtrk::Mta> mta;
  std::string file;
  std::string batch;
  std::string queue_id;
  std::vector<std::string> recipients;
  std::string key;
  mtrk::FindOptions find;
  bool json = false;
  bool utc = false;
  bool all = false;
  bool defaults = false;
  mtrk::setup::SetupOptions setup;
};

// A subcommand runs with the configuration and says its exit code.
using Command = std::function<int(const mtrk::Config&)>;

class CommandLine {
 public:
  CommandLine();
  int run(int argc, char** argv);

 private:
  CLI::App* add(const std::string& name,
                const std::string& what,
                const std::string& examples,
                Command command);
  void add_mta(CLI::App* subcommand);           // as the option --mta
  void add_mta_argument(CLI::App* subcommand);  // as a word by itself
  void add_find();

  CLI::App app_{
      "Administers mtrk: attaches it to the mail system, imports, applies and explains mail logs.",
      "mtrkctl"};
  Arguments given_;
  std::map<const CLI::App*, Command> commands_;
};

CLI::App* CommandLine::add(const std::string& name,
                           const std::string& what,
                           const std::string& examples,
                           Command command) {
  CLI::App* subcommand = app_.add_subcommand(name, what);
  subcommand->footer("Examples:\n" + examples + "\n" + kExitCodes);
  commands_[subcommand] = std::move(command);
  return subcommand;
}

const std::map<std::string, mtrk::Mta>& mta_names() {
  static const std::map<std::string, mtrk::Mta> names{{"postfix", mtrk::Mta::postfix},
                                                      {"sendmail", mtrk::Mta::sendmail}};
  return names;
}

void CommandLine::add_mta_argument(CLI::App* subcommand) {
  subcommand
      ->add_option_function<mtrk::Mta>(
          "MTA", [this](mtrk::Mta mta) { given_.mta = mta; }, "postfix or sendmail")
      ->transform(CLI::CheckedTransformer(mta_names(), CLI::ignore_case).description(""))
      ->type_name("");
}

void CommandLine::add_mta(CLI::App* subcommand) {
  subcommand
      ->add_option_function<mtrk::Mta>(
          "--mta", [this](mtrk::Mta mta) { given_.mta = mta; },
          "whose log it is: postfix or sendmail (default: as the log tells)")
      ->transform(CLI::CheckedTransformer(mta_names(), CLI::ignore_case).description(""))
      ->type_name("MTA");
}

void CommandLine::add_find() {
  CLI::App* find =
      add("find", "say which messages were that, and what became of them, from logs alone",
          "  mtrkctl find --to bob@example.org\n"
          "  mtrkctl find --from ann@example.net --to @example.org --since 2d\n"
          "  mtrkctl find --message-id '<abc@mail.example.net>' --timeline\n"
          "  mtrkctl find --to @example.org --action failed,refused --since yesterday --json\n",
          [this](const mtrk::Config& config) {
            mtrk::FindOptions options = given_.find;
            options.config = config;
            options.logs = given_.logs;
            options.mta = given_.mta;
            options.json = given_.json;
            options.utc = given_.utc;
            return mtrk::run_find(options);
          });
  const auto text = [find](const char* name, std::string& value, const char* what,
                           const char* type) {
    find->add_option(name, value, what)->type_name(type);
  };
  mtrk::FindOptions& given = given_.find;
  text("--from", given.from, "the sender: user@example.org, @example.org, user, or <>", "ADDRESS");
  text("--to", given.to, "a recipient, or where its mail was sent, likewise", "ADDRESS");
  text("--message-id", given.message_id, "the Message-Id, with or without <>", "ID");
  text("--client", given.client, "who handed it in: mail.example.org, 192.0.2.7, 192.0.2.0/24",
       "CLIENT");
  text("--user", given.user, "who logged in for that", "LOGIN");
  text("--queue-id", given.queue_id, "a queue id that it had", "ID");
  text("--since", given.since,
       "arrived then or later: 2026-11-21, \"2026-11-21 16:54\", RFC 3339, or 2d ago", "TIME");
  text("--until", given.until, "arrived then or before", "TIME");
  text("--action", given.action,
       "what became of it: failed, delayed, delivered, relayed, transferred, expanded, opaque, "
       "refused, discarded; several with commas",
       "ACTION");
  find->add_option("--limit", given.limit, "the newest N rows alone")->type_name("N");
  find->add_option("--log", given_.logs,
                   "a mail log, compressed or not; - is standard input, journal or journal:/DIR "
                   "the journal; may be given again, oldest first (default: log.source, with the "
                   "logs rotated away)")
      ->allow_extra_args(false)
      ->type_name("FILE");
  add_mta(find);
  CLI::Option* json = find->add_flag("--json", given_.json, "one JSON object a recipient");
  find->add_flag("--timeline", given.timeline, "each message as mtrkctl explain shows it")
      ->excludes(json);
  find->add_flag("--utc", given_.utc, "times for people in UTC, not in the zone of this machine");
}

CommandLine::CommandLine() {
  app_.add_option("--config", given_.program.config_path,
                  "configuration file (default: /etc/mtrk/mtrk.conf)")
      ->type_name("FILE");
  app_.add_flag("--check-config", given_.program.check_config,
                "check the configuration, say what is wrong with it, and end");
  app_.set_version_flag("--version", mtrk::version_line("mtrkctl"));
  app_.footer(kExitCodes);
  app_.require_subcommand(0, 1);
  app_.fallthrough();

  CLI::App* setup = add(
      "setup", "attach to the mail system, or detach from it; shows the difference and asks first",
      "  mtrkctl setup postfix --dry-run      # shows what would change, changes nothing\n"
      "  mtrkctl setup postfix                # shows it, asks, does it, reloads Postfix\n"
      "  mtrkctl setup --undo                 # the mail system's files are as they were\n",
      [this](const mtrk::Config& config) {
        mtrk::setup::SetupOptions options = given_.setup;
        options.mta = given_.mta;
        options.config_path = given_.program.config_path.value_or(mtrk::kDefaultConfigPath);
        options.private_config = options.config_path != mtrk::kDefaultConfigPath;
        if (!options.mta && !options.undo) {
          std::fputs("mtrkctl: which mail system? mtrkctl setup postfix, or sendmail\n", stderr);
          return mtrk::exit_code::usage;
        }
        return mtrk::setup::run_setup(options, config);
      });
  add_mta_argument(setup);
  setup->add_flag("--dry-run", given_.setup.dry_run, "show what would change, and end");
  setup->add_flag("--yes", given_.setup.yes, "do not ask");
  setup->add_flag("--undo", given_.setup.undo,
                  "detach: files that nobody changed since are as before to the octet; of others\n"
                  "only what is ours goes. Without a mail system: from all that are there");
  setup
      ->add_option("--directory", given_.setup.directory,
                   "the mail system's configuration (default: that of this system)")
      ->type_name("DIR");

  CLI::App* import =
      add("import", "add tracked messages from NDJSON to the store",
          "  mtrkctl import messages.ndjson\n  zcat old.ndjson.gz | mtrkctl import -\n",
          [this](const mtrk::Config& config) {
            return mtrk::run_import({given_.file, config});
          });
  import->add_option("FILE", given_.file, "one JSON object a line; - is standard input")
      ->required();

  CLI::App* ingest = add("ingest", "apply whole logs to the store once",
                         "  mtrkctl ingest --log /var/log/mail.log.1 --log /var/log/mail.log\n",
                         [this](const mtrk::Config& config) {
                           return mtrk::run_ingest({given_.logs, config, given_.mta});
                         });
  ingest
      ->add_option("--log", given_.logs,
                   "a mail log; journal or journal:/DIR is the journal; may be given again")
      ->required()
      ->allow_extra_args(false)  // else it would take the queue id after it
      ->type_name("FILE");
  add_mta(ingest);

  CLI::App* events =
      add("events", "print every delivery event of a log as NDJSON",
          "  mtrkctl events --log /var/log/mail.log | jq -r .status | sort | uniq -c\n",
          [this](const mtrk::Config& config) {
            mtrk::EventsOptions options{given_.logs, {given_.mta, config.log.mta}, config.log};
            options.log.mta = given_.mta.value_or(config.log.mta);
            return mtrk::run_events(options);
          });
  events
      ->add_option(
          "--log", given_.logs,
          "a mail log, compressed or not; - is standard input, journal or journal:/DIR the "
          "journal; may be given again")
      ->required()
      ->allow_extra_args(false)  // else it would take the queue id after it
      ->type_name("FILE");
  add_mta(events);

  CLI::App* explain = add("explain", "say what became of a queue id, from logs alone",
                          "  mtrkctl explain --log /var/log/mail.log 4dCXzt0Cvjz5Z\n"
                          "  mtrkctl explain --log mail.log --json 4dCXzt0Cvjz5Z user@example.net\n"
                          "  mtrkctl explain --log mail.log --batch rows.tsv\n",
                          [this](const mtrk::Config& config) {
                            mtrk::ExplainOptions options;
                            options.logs = given_.logs;
                            options.log = config.log;
                            options.gates = config.gate.outbound.listen;
                            options.mta = given_.mta;
                            options.json = given_.json;
                            options.utc = given_.utc;
                            options.queue_id = given_.queue_id;
                            options.recipients = given_.recipients;
                            if (!given_.batch.empty()) {
                              options.batch = given_.batch;
                            }
                            return mtrk::run_explain(options);
                          });
  explain
      ->add_option(
          "--log", given_.logs,
          "a mail log, compressed or not; - is standard input, journal or journal:/DIR the "
          "journal; may be given again")
      ->required()
      ->allow_extra_args(false)  // else it would take the queue id after it
      ->type_name("FILE");
  add_mta(explain);
  explain->add_flag("--json", given_.json, "one JSON object a recipient");
  explain->add_flag("--utc", given_.utc, "times in UTC, not in the zone of this machine");
  CLI::Option* queue_id = explain->add_option("QUEUE_ID", given_.queue_id, "the queue id");
  CLI::Option* recipients = explain->add_option(
      "RCPT", given_.recipients, "addresses as given at RCPT (default: all the log names)");
  explain
      ->add_option("--batch", given_.batch,
                   "answer all rows queue_id<TAB>recipient of FILE; - is standard input")
      ->type_name("FILE")
      ->excludes(queue_id)
      ->excludes(recipients);

  add_find();

  CLI::App* stats =
      add("stats", "show what the store holds", "  mtrkctl stats\n  mtrkctl stats --json\n",
          [this](const mtrk::Config& config) {
            return mtrk::run_stats(config,
                                   given_.json ? mtrk::StatsFormat::json : mtrk::StatsFormat::text);
          });
  stats->add_flag("--json", given_.json, "as one JSON object");

  CLI::App* config_command =
      add("config", "show the configuration: what differs from the defaults",
          "  mtrkctl config\n  mtrkctl config --all\n  mtrkctl config store.path\n",
          [this](const mtrk::Config& config) {
            mtrk::ConfigOptions options{config, mtrk::Show::changed, {}};
            if (given_.all || given_.defaults) {
              options.show = given_.all ? mtrk::Show::all : mtrk::Show::defaults;
            }
            if (!given_.key.empty()) {
              options.key = given_.key;
            }
            return mtrk::run_config(options);
          });
  CLI::Option* all = config_command->add_flag("--all", given_.all, "all keys");
  CLI::Option* defaults =
      config_command->add_flag("--defaults", given_.defaults, "all keys with their defaults");
  CLI::Option* key = config_command->add_option("KEY", given_.key, "the value of one key alone");
  all->excludes(defaults);
  key->excludes(all)->excludes(defaults);
}

int CommandLine::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app_.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "mtrkctl: %s (mtrkctl --help says how)\n", error.what());
    return mtrk::exit_code::usage;
  }
  const std::vector<CLI::App*> chosen = app_.get_subcommands();
  if (chosen.empty() && !given_.program.check_config) {
    std::fputs("mtrkctl: a command is needed (mtrkctl --help shows them)\n", stderr);
    return mtrk::exit_code::usage;
  }
  mtrk::Config config;
  if (const auto code = mtrk::prepare_config("mtrkctl", given_.program, {}, config)) {
    return *code;
  }
  return commands_.at(chosen.front())(config);
}

}  // namespace

int main(int argc, char** argv) {
  mtrk::open_standard_descriptors();
  mtrk::forbid_dumps();  // of logs and of a store that others may not read
  int code = mtrk::exit_code::software;
  try {
    code = CommandLine().run(argc, argv);
  } catch (const std::exception& error) {
    if (!mtrk::is_output_error(error)) {
      std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    }
  }
  return mtrk::finish_output("mtrkctl", code);
}
