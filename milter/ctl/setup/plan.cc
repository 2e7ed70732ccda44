#include "milter/ctl/setup/plan.h"

#include "common/base/ascii.h"
#include "milter/ctl/setup/command_filter.h"
#include "milter/ctl/setup/main_cf.h"
#include "milter/ctl/setup/master_cf.h"
#include "milter/ctl/setup/milter_list.h"
#include "milter/ctl/setup/sendmail_mc.h"
#include "milter/ctl/setup/words.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace mtrk::setup {
namespace {

constexpr std::array<std::pair<FileKind, std::string_view>, 5> kKinds{{
    {FileKind::main_cf, "main.cf"},
    {FileKind::master_cf, "master.cf"},
    {FileKind::command_filter, "command-filter"},
    {FileKind::sendmail_mc, "sendmail.mc"},
    {FileKind::mtrk_conf, "mtrk.conf"},
}};

constexpr std::string_view kSavedHeader = "mtrkctl setup 1\n";

// protocol=6 is needed because main.cf may have an older milter_protocol, with which Postfix passes
// no queue id. default_action and the times are needed because Postfix's own would defer all mail
// while a milter is away, or delay it for minutes.
std::string milter_value(std::string_view address) {
  return fmt::format(
      "{{ {}, connect_timeout=2s, command_timeout=2s, content_timeout=4s, "
      "protocol=6, default_action=accept }}",
      address);
}

bool has_keyword(std::string_view list, std::string_view keyword) {
  for (const Word& word : split_words(list, kCommasAndBlanks)) {
    if (iequals(word.text, keyword)) {
      return true;
    }
  }
  return false;
}

// Returns the names of those lists in main.cf that contain our milter.
std::vector<std::string> names_with_ours(const std::vector<Parameter>& parameters,
                                         const std::vector<std::string>& addresses) {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) {
    if (parameter.name != kMilterParameter && !our_parts(parameter.value, addresses).empty()) {
      names.push_back(parameter.name);
    }
  }
  return names;
}

void note_services(const std::vector<SmtpdService>& services,
                   std::string_view discard_keywords,
                   std::vector<std::string>& notes) {
  if (services.empty()) {
    notes.emplace_back(
        "master.cf has no smtpd service: nothing comes in by SMTP, which is what is tracked.");
  }
  const bool dsn_off = has_keyword(discard_keywords, "dsn");
  bool told = false;
  for (const SmtpdService& service : services) {
    const Override* list = service.find("smtpd_milters");
    if (list != nullptr && list->value.empty() && !service.is_local()) {
      notes.push_back(
          fmt::format("The service {} has no milters (-o smtpd_milters=): its mail is not tracked.",
                      service.name));
    }
    const Override* keywords = service.find("smtpd_discard_ehlo_keywords");
    if (keywords == nullptr ? dsn_off && !told : has_keyword(keywords->value, "dsn")) {
      notes.push_back(fmt::format(
          "DSN is switched off {} (smtpd_discard_ehlo_keywords): Postfix refuses the "
          "ENVID that tracking needs there, so that only mail of mtrk-gate(8) and of other "
          "services is tracked. smtpd_discard_ehlo_keyword_address_maps can switch it on "
          "for some clients.",
          keywords == nullptr ? "in main.cf" : fmt::format("for the service {}", service.name)));
      told = told || keywords == nullptr;
    }
    if (const Override* proxy = service.find("smtpd_proxy_filter");
        proxy != nullptr && !proxy->value.empty()) {
      notes.push_back(
          fmt::format("The service {} hands its mail to a proxy filter before it is queued: it is "
                      "tracked only if the service behind the filter has the milters of main.cf.",
                      service.name));
    }
    if (const Override* filter = service.find("smtpd_command_filter");
        filter != nullptr && !is_our_command_filter(filter->value)) {
      notes.push_back(
          fmt::format("The service {} has a command filter of its own, which stays: MTRK= is "
                      "refused there, while `mtqp send` is tracked.",
                      service.name));
    }
  }
}

}  // namespace

std::string_view to_string(FileKind kind) {
  for (const auto& [value, text] : kKinds) {
    if (value == kind) {
      return text;
    }
  }
  return "?";
}

std::optional<FileKind> parse_file_kind(std::string_view text) {
  for (const auto& [value, name] : kKinds) {
    if (name == text) {
      return value;
    }
  }
  return std::nullopt;
}

Expected<MilterSocket> postfix_socket(std::string_view milter_socket,
                                      std::string_view queue_directory) {
  const std::size_t colon = milter_socket.find(':');
  const std::string_view family = milter_socket.substr(0, colon);
  const std::string_view rest = milter_socket.substr(colon + 1);
  if (family == "inet" || family == "inet6") {
    const std::size_t at = rest.find('@');
    const std::string_view host = rest.substr(at + 1);
    const bool six = host.find(':') != std::string_view::npos;
    const std::string address =
        fmt::format("inet:{}{}{}:{}", six ? "[" : "", host, six ? "]" : "", rest.substr(0, at));
    return MilterSocket{address, {address}};
  }
  const std::string below = fmt::format("{}/", queue_directory);
  if (!rest.starts_with(below)) {
    return fail(ErrorCode::not_allowed,
                fmt::format("milter.socket, {}, is not below the queue directory {}", milter_socket,
                            queue_directory));
  }
  const std::string_view relative = rest.substr(below.size());
  MilterSocket socket{fmt::format("unix:{}", relative), {}};
  for (const std::string_view type : {"unix:", "local:"}) {
    for (const std::string_view path : {relative, rest}) {
      socket.addresses.push_back(fmt::format("{}{}", type, path));
    }
  }
  return socket;
}

Expected<Plan> plan_postfix(const PostfixInstance& instance, const MilterSocket& socket) {
  const Expected<std::vector<Parameter>> parameters = parse_main_cf(instance.main_cf);
  if (!parameters) {
    return fail(parameters.error().code,
                fmt::format("{}/main.cf: {}", instance.directory, parameters.error().detail));
  }
  Plan plan;
  Attachment attachment{milter_value(socket.address), socket.addresses, true};
  if (const Parameter* filter = find_parameter(*parameters, "smtpd_command_filter");
      filter != nullptr && !filter->value.empty() && !is_our_command_filter(filter->value)) {
    attachment.command_filter = false;
    if (!instance.filter_path.empty()) {
      plan.changes.push_back({FileKind::command_filter, instance.filter_path, instance.filter,
                              with_our_rules(instance.filter)});
      plan.notes.push_back(
          fmt::format("Postfix takes one command filter, and there is one: our rules go before "
                      "those of {}.",
                      instance.filter_path));
    } else {
      plan.notes.push_back(fmt::format(
          "Postfix takes one command filter, and there is one of a kind that cannot hold "
          "our rules, which stays: {}. MTRK= is refused as before, while "
          "`mtqp send` is tracked. In a regexp: or pcre: file our rules can stand, too.",
          escape_for_people(filter->value, 60)));
    }
  }
  Expected<std::string> main_cf = attach_main_cf(instance.main_cf, attachment);
  if (!main_cf) {
    return fail(main_cf.error().code,
                fmt::format("{}/main.cf: {}", instance.directory, main_cf.error().detail));
  }
  const Expected<std::vector<Parameter>> attached = parse_main_cf(*main_cf);
  if (!attached) {
    return Unexpected(attached.error());
  }
  Expected<std::string> master_cf = attach_master_cf(instance.master_cf, socket.addresses,
                                                     names_with_ours(*attached, socket.addresses));
  const Expected<std::vector<SmtpdService>> services = parse_master_cf(instance.master_cf);
  if (!master_cf || !services) {
    const Error& error = master_cf ? services.error() : master_cf.error();
    return fail(error.code, fmt::format("{}/master.cf: {}", instance.directory, error.detail));
  }
  if (const Parameter* ids = find_parameter(*attached, "enable_long_queue_ids");
      ids != nullptr && ids->value == "no") {
    plan.notes.emplace_back(
        "enable_long_queue_ids = no stays. Short queue ids are used again and again, which "
        "makes more outcomes unknown.");
  }
  note_services(*services, instance.discard_keywords, plan.notes);
  plan.changes.push_back(
      {FileKind::main_cf, instance.directory + "/main.cf", instance.main_cf, std::move(*main_cf)});
  plan.changes.push_back({FileKind::master_cf, instance.directory + "/master.cf",
                          instance.master_cf, std::move(*master_cf)});
  return plan;
}

Expected<Plan> plan_postfix_undo(const PostfixInstance& instance,
                                 const std::vector<std::string>& addresses) {
  Plan plan;
  for (const auto& [kind, path, text] :
       {std::tuple{FileKind::master_cf, instance.directory + "/master.cf", instance.master_cf},
        std::tuple{FileKind::main_cf, instance.directory + "/main.cf", instance.main_cf},
        std::tuple{FileKind::command_filter, instance.filter_path, instance.filter}}) {
    Expected<std::string> after = without_our_words(kind, text, addresses);
    if (!after) {
      return fail(after.error().code, fmt::format("{}: {}", path, after.error().detail));
    }
    plan.changes.push_back({kind, path, text, std::move(*after)});
  }
  return plan;
}

std::string encode_saved_file(const SavedFile& saved) {
  return fmt::format("{}kind {}\npath {}\nbefore {}\nafter {}\n\n{}{}", kSavedHeader,
                     to_string(saved.kind), saved.path, saved.before.size(), saved.after.size(),
                     saved.before, saved.after);
}

Expected<SavedFile> decode_saved_file(std::string_view text) {
  const auto damaged = [](std::string_view what) {
    return fail(ErrorCode::corrupt, fmt::format("{} is wrong", what));
  };
  if (!text.starts_with(kSavedHeader)) {
    return damaged("its first line");
  }
  text.remove_prefix(kSavedHeader.size());
  std::array<std::string_view, 4> values;
  constexpr std::array<std::string_view, 4> kNames{"kind ", "path ", "before ", "after "};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::size_t feed = text.find('\n');
    if (feed == std::string_view::npos || !text.starts_with(kNames[i])) {
      return damaged(kNames[i]);
    }
    values[i] = text.substr(kNames[i].size(), feed - kNames[i].size());
    text.remove_prefix(feed + 1);
  }
  const std::optional<FileKind> kind = parse_file_kind(values[0]);
  const std::optional<std::size_t> before = parse_number<std::size_t>(values[2]);
  const std::optional<std::size_t> after = parse_number<std::size_t>(values[3]);
  if (!kind || !before || !after || !text.starts_with('\n') || *before > text.size() - 1 ||
      text.size() - 1 - *before != *after) {
    return damaged("a length");
  }
  text.remove_prefix(1);
  return SavedFile{*kind, std::string(values[1]), std::string(text.substr(0, *before)),
                   std::string(text.substr(*before))};
}

Expected<std::string> without_our_words(FileKind kind,
                                        std::string_view file,
                                        const std::vector<std::string>& addresses) {
  switch (kind) {
    case FileKind::main_cf:
      return detach_main_cf(file, addresses);
    case FileKind::master_cf:
      return detach_master_cf(file, addresses);
    case FileKind::command_filter:
      return without_our_rules(file);
    case FileKind::sendmail_mc:
      return detach_sendmail_mc(file);
    case FileKind::mtrk_conf:
      break;
  }
  return std::string(file);
}

Expected<std::string> undone(const SavedFile& saved,
                             std::string_view now,
                             const std::vector<std::string>& addresses) {
  if (now == saved.after) {
    return saved.before;
  }
  return without_our_words(saved.kind, now, addresses);
}

}  // namespace mtrk::setup
