#include "common/config/config_reader.h"

#include "common/base/ascii.h"
#include "common/config/byte_size.h"
#include "common/config/text_checks.h"

#include <fmt/format.h>

#include <algorithm>

namespace mtrk {

namespace {

const ConfigOption* find_option(std::string_view section, std::string_view key) {
  const auto options = config_options();
  const auto found = std::find_if(options.begin(), options.end(), [&](const ConfigOption& option) {
    return option.section == section && option.key == key;
  });
  return found == options.end() ? nullptr : &*found;
}

// Returns whether there is such a section. "gate" is one, too, although it only contains sections.
bool is_section(std::string_view name) {
  const auto sections = config_sections();
  return std::any_of(sections.begin(), sections.end(), [&](const ConfigSection& section) {
    return section.name == name ||
           (section.name.size() > name.size() && section.name.starts_with(name) &&
            section.name[name.size()] == '.');
  });
}

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

}  // namespace

void ConfigReader::read(const toml::table& root) {
  read_section(root, "");
  check_relations(root);
}

void ConfigReader::read_section(const toml::table& table, const std::string& section) {
  for (const auto& [key, node] : table) {
    const std::string name =
        section.empty() ? std::string(key.str()) : fmt::format("{}.{}", section, key.str());
    if (const ConfigOption* option = find_option(section, key.str()); option != nullptr) {
      read_option(*option, node);
    } else if (const toml::table* inner = node.as_table(); inner != nullptr) {
      if (is_section(name)) {
        read_section(*inner, name);
      } else {
        report(key.source(), fmt::format("unknown section [{}]{}", escape_for_people(name, 80),
                                         hint_for_section(name)));
      }
    } else if (is_section(name)) {
      report(key.source(), fmt::format("{} is a section, written [{}]", in_quotes(name), name));
    } else {
      report(key.source(),
             fmt::format("unknown key {}{}{}", in_quotes(key.str()),
                         section.empty() ? std::string() : fmt::format(" in [{}]", section),
                         hint_for_key(section, key.str())));
    }
  }
}

void ConfigReader::read_option(const ConfigOption& option, const toml::node& node) {
  std::visit([&](auto member) { assign(option, node, member(config_)); }, option.member);
}

void ConfigReader::check_relations(const toml::table& root) {
  const auto where = [&](std::string_view path, std::string_view other) {
    const toml::node* node = root.at_path(path).node();
    return (node != nullptr ? node : root.at_path(other).node())->source();
  };
  if (!problems_.empty()) {
    return;  // the values may be defaults in place of wrong ones
  }
  if (config_.retention.default_ > config_.retention.maximum) {
    report(where("retention.default", "retention.maximum"),
           fmt::format("retention.default ({}) is above retention.maximum ({})",
                       format_duration(config_.retention.default_),
                       format_duration(config_.retention.maximum)));
  }
  if (config_.tls.certificate.empty() != config_.tls.key.empty()) {
    report(where("tls.certificate", "tls.key"),
           "tls.certificate and tls.key: both are needed, or none");
  } else if (config_.tls.certificate.empty() && config_.tls.certificates.empty() &&
             !config_.mtqpd.listen_tls.empty()) {
    report(where("mtqpd.listen_tls", ""), "mtqpd.listen_tls: needs tls.certificate and tls.key");
  }
  if (config_.milter.leave_fold && config_.gate.outbound.listen.empty()) {
    report(where("milter.leave_fold", ""),
           "milter.leave_fold: only where mail leaves through mtrk-gate (gate.outbound.listen is "
           "empty): next hops would see the fold");
  }
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, std::string& value) {
  const auto* text = node.as_string();
  if (text == nullptr) {
    wrong_type(option, node, "a string in quotes");
  } else if (text_is_good(option, node, text->get())) {
    value = text->get();
  }
}

void ConfigReader::assign(const ConfigOption& option,
                          const toml::node& node,
                          std::vector<std::string>& value) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return wrong_type(option, node, "a list of strings");
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *list) {
    const auto* text = element.as_string();
    if (text == nullptr) {
      wrong_type(option, element, "a string in quotes");
    } else if (text_is_good(option, element, text->get())) {
      texts.push_back(text->get());
    }
  }
  value = std::move(texts);
}

void ConfigReader::assign(const ConfigOption& option,
                          const toml::node& node,
                          std::vector<CertificateFiles>& value) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return wrong_type(option, node, "a list of tables");
  }
  value.clear();
  for (const toml::node& element : *list) {
    CertificateFiles& files = value.emplace_back();
    const Field fields[] = {{"certificate", &files.certificate, check_absolute_path},
                            {"key", &files.key, check_absolute_path}};
    read_fields(option, element, fields);
    const toml::table* table = element.as_table();
    if (table != nullptr && (!table->contains("certificate") || !table->contains("key"))) {
      complain(option, element, "certificate and key: both are needed");
    }
  }
}

void ConfigReader::assign(const ConfigOption& option,
                          const toml::node& node,
                          std::vector<GateDestination>& value) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return wrong_type(option, node, "a list of tables");
  }
  value.clear();
  for (const toml::node& element : *list) {
    GateDestination& one = value.emplace_back();
    const Field fields[] = {{"domain", &one.domain, check_destination},
                            {"nexthop", &one.nexthop, check_destination_nexthop},
                            {"tls", &one.tls, check_tls_use}};
    read_fields(option, element, fields);
    const toml::table* table = element.as_table();
    if (table != nullptr && !table->contains("domain")) {
      complain(option, element, "the domain is missing");
    }
  }
}

void ConfigReader::read_fields(const ConfigOption& option,
                               const toml::node& node,
                               std::span<const Field> fields) {
  std::string known;
  for (const Field& field : fields) {
    known.append(known.empty() ? "" : ", ").append(field.key);
  }
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return wrong_type(option, node, "a table with " + known);
  }
  for (const auto& [key, inner] : *table) {
    const std::string_view name = key.str();
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& one) { return one.key == name; });
    const auto* text = inner.as_string();
    if (field == fields.end()) {
      report(key.source(), fmt::format("unknown key {} in [[{}]]; there are {}",
                                       in_quotes(key.str()), full_name(option), known));
    } else if (text == nullptr) {
      wrong_type(option, inner, "a string in quotes");
    } else if (text_is_good(option, inner, text->get(), field->check)) {
      *field->value = text->get();
    }
  }
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, bool& value) {
  if (const auto* boolean = node.as_boolean(); boolean != nullptr) {
    value = boolean->get();
  } else {
    wrong_type(option, node, "true or false without quotes");
  }
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, unsigned& value) {
  const auto* number = node.as_integer();
  if (number == nullptr) {
    return wrong_type(option, node, "a whole number without quotes");
  }
  const std::int64_t count = number->get();
  const ValueRange& range = option.range;
  if (count < 0 || static_cast<std::uint64_t>(count) < range.least ||
      static_cast<std::uint64_t>(count) > range.most) {
    return complain(option, node,
                    fmt::format("{} is not from {} to {}", count, range.least, range.most));
  }
  value = static_cast<unsigned>(count);
}

void ConfigReader::assign(const ConfigOption& option,
                          const toml::node& node,
                          std::uint64_t& value) {
  std::string text;
  if (const auto* number = node.as_integer(); number != nullptr) {
    text = std::to_string(number->get());
  } else if (const auto* string = node.as_string(); string != nullptr) {
    text = string->get();
  } else {
    return wrong_type(option, node, "a size in quotes");
  }
  const Expected<std::uint64_t> octets = parse_byte_size(text);
  if (!octets) {
    return complain(option, node, octets.error().detail);
  }
  if (*octets < option.range.least || *octets > option.range.most) {
    return complain(
        option, node,
        fmt::format("{} is not from {} to {}", in_quotes(text),
                    format_byte_size(option.range.least), format_byte_size(option.range.most)));
  }
  value = *octets;
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, Milliseconds& value) {
  const auto* text = node.as_string();
  if (text == nullptr) {
    return wrong_type(option, node, "a duration in quotes");
  }
  const Expected<Milliseconds> duration = parse_duration(text->get());
  if (!duration) {
    return complain(option, node, duration.error().detail);
  }
  const auto count = static_cast<std::uint64_t>(duration->count());
  if (count < option.range.least || count > option.range.most) {
    const auto format = [](std::uint64_t end) {
      return format_duration(Milliseconds(static_cast<std::int64_t>(end)));
    };
    return complain(option, node,
                    fmt::format("{} is not from {} to {}", in_quotes(text->get()),
                                format(option.range.least), format(option.range.most)));
  }
  value = *duration;
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, Seconds& value) {
  Milliseconds exact = value;
  assign(option, node, exact);
  const auto whole = std::chrono::floor<Seconds>(exact);
  if (whole != exact) {
    return complain(option, node, "whole seconds only");
  }
  value = whole;
}

template <typename T, std::size_t N>
void ConfigReader::assign_word(const ConfigOption& option,
                               const toml::node& node,
                               const ConfigWord<T> (&words)[N],
                               T& value) {
  std::string allowed;
  const auto* text = node.as_string();
  for (const ConfigWord<T>& word : words) {
    if (text != nullptr && text->get() == word.word) {
      value = word.value;
      return;
    }
    allowed += allowed.empty() ? "" : ", ";
    allowed += in_quotes(word.word);
  }
  if (text == nullptr) {
    return wrong_type(option, node, "one of " + allowed);
  }
  complain(option, node, fmt::format("{} is not one of {}", in_quotes(text->get()), allowed));
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, Mta& value) {
  assign_word(option, node, kMtaWords, value);
}

void ConfigReader::assign(const ConfigOption& option, const toml::node& node, Forwarding& value) {
  assign_word(option, node, kForwardingWords, value);
}

bool ConfigReader::text_is_good(const ConfigOption& option,
                                const toml::node& node,
                                const std::string& text,
                                TextCheck check) {
  // In the place where the string is used, a NUL would cut it off, and a line break would begin a
  // line.
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  const std::string wrong = control            ? "control characters are not allowed"
                            : check != nullptr ? check(text)
                                               : std::string();
  if (!wrong.empty()) {
    complain(option, node, wrong);
  }
  return wrong.empty();
}

void ConfigReader::wrong_type(const ConfigOption& option,
                              const toml::node& node,
                              std::string_view expected) {
  complain(option, node,
           fmt::format("expected {}, not {}; for example {} = {}", expected, name_of(node.type()),
                       option.key, option.example));
}

void ConfigReader::complain(const ConfigOption& option,
                            const toml::node& node,
                            std::string_view what) {
  report(node.source(), fmt::format("{}: {}", full_name(option), what));
}

void ConfigReader::report(const toml::source_region& where, std::string message) {
  problems_.push_back({where.begin, std::move(message)});
}

}  // namespace mtrk
