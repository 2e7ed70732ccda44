#include "common/base/time.h"
#include "common/config/byte_size.h"
#include "common/config/config.h"
#include "common/config/option_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace mtrk {

namespace {

std::string to_toml(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (octet < 0x20 || octet == 0x7f) {
      out += fmt::format("\\u{:04X}", octet);
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string to_toml(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const std::string& text : list) {
    out += out.size() > 1 ? ", " : "";
    out += to_toml(text);
  }
  return out += ']';
}

std::string to_toml(const std::vector<CertificateFiles>& list) {
  std::string out = "[";
  for (const CertificateFiles& files : list) {
    out += out.size() > 1 ? ", " : "";
    out += fmt::format("{{certificate = {}, key = {}}}", to_toml(files.certificate),
                       to_toml(files.key));
  }
  return out += ']';
}

std::string to_toml(const std::vector<GateDestination>& list) {
  std::string out = "[";
  for (const GateDestination& one : list) {
    out += out.size() > 1 ? ", " : "";
    out += fmt::format("{{domain = {}, nexthop = {}", to_toml(one.domain), to_toml(one.nexthop));
    out += one.tls.empty() ? "}" : fmt::format(", tls = {}}}", to_toml(one.tls));
  }
  return out += ']';
}

std::string to_toml(bool value) {
  return value ? "true" : "false";
}

std::string to_toml(unsigned value) {
  return std::to_string(value);
}

std::string to_toml(std::uint64_t octets) {
  return to_toml(format_byte_size(octets));
}

std::string to_toml(Milliseconds duration) {
  return to_toml(format_duration(duration));
}

template <typename T, std::size_t N>
std::string word_of(T value, const ConfigWord<T> (&words)[N]) {
  const auto* found =
      std::find_if(words, words + N, [&](const auto& entry) { return entry.value == value; });
  return found == words + N ? std::string() : to_toml(std::string(found->word));
}

std::string to_toml(Mta mta) {
  return word_of(mta, kMtaWords);
}

std::string to_toml(Forwarding forwarding) {
  return word_of(forwarding, kForwardingWords);
}

std::string value_of(const ConfigOption& option, Config& config) {
  return std::visit([&](auto member) { return to_toml(member(config)); }, option.member);
}

void put_comment(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.append("# ").append(text.substr(0, end)) += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void put_options(std::string& out, std::string_view section, Config& config) {
  for (const ConfigOption& option : config_options()) {
    if (option.section == section) {
      out += '\n';
      put_comment(out, option.help);
      put_comment(out, fmt::format("Example: {} = {}", option.key, option.example));
      out += fmt::format("#{} = {}\n", option.key, value_of(option, config));
    }
  }
}

}  // namespace

std::string print_default_config() {
  Config defaults;
  std::string out =
      "# /etc/mtrk/mtrk.conf: one file for mtrk-milter, mtqpd and mtrkctl; see mtrk.conf(5).\n"
      "# TOML: strings need quotes. Every key stands here with its default behind a \"#\": take "
      "the\n"
      "# \"#\" away and change the value. Test with: mtqpd --check-config. Settings that differ "
      "from\n"
      "# the defaults: mtrkctl config.\n";
  put_options(out, "", defaults);
  for (const ConfigSection& section : config_sections()) {
    out += "\n\n";
    put_comment(out, section.help);
    out += fmt::format("[{}]\n", section.name);
    put_options(out, section.name, defaults);
  }
  return out;
}

std::string print_config(const Config& config, Show show) {
  Config defaults;
  Config shown = show == Show::defaults ? defaults : config;
  std::string out;
  for (const ConfigOption& option : config_options()) {
    const std::string value = value_of(option, shown);
    if (show != Show::changed || value != value_of(option, defaults)) {
      out += fmt::format("{} = {}\n", full_name(option), value);
    }
  }
  return out;
}

}  // namespace mtrk
