#pragma once

#include "common/config/option_table.h"

#include <toml++/toml.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// A ConfigReader turns a parsed TOML document into a Config by means of the option table. It is
// private to common/config.
namespace mtrk {

struct ConfigProblem {
  toml::source_position at;
  std::string message;
};

class ConfigReader {
 public:
  ConfigReader(Config& config, std::vector<ConfigProblem>& problems)
      : config_(config), problems_(problems) {}

  void read(const toml::table& root);

 private:
  void read_section(const toml::table& table, const std::string& section);
  void read_option(const ConfigOption& option, const toml::node& node);
  void check_relations(const toml::table& root);

  void assign(const ConfigOption& option, const toml::node& node, std::string& value);
  void assign(const ConfigOption& option, const toml::node& node, std::vector<std::string>& value);
  void assign(const ConfigOption& option,
              const toml::node& node,
              std::vector<CertificateFiles>& value);
  void assign(const ConfigOption& option,
              const toml::node& node,
              std::vector<GateDestination>& value);
  void assign(const ConfigOption& option, const toml::node& node, bool& value);
  void assign(const ConfigOption& option, const toml::node& node, unsigned& value);
  void assign(const ConfigOption& option, const toml::node& node, std::uint64_t& value);
  void assign(const ConfigOption& option, const toml::node& node, Seconds& value);
  void assign(const ConfigOption& option, const toml::node& node, Milliseconds& value);
  void assign(const ConfigOption& option, const toml::node& node, Mta& value);
  void assign(const ConfigOption& option, const toml::node& node, Forwarding& value);

  // A Field is a key of a table within a list.
  struct Field {
    std::string_view key;
    std::string* value;
    TextCheck check;
  };
  // Reads one table of a list. `fields` are the keys that it may have.
  void read_fields(const ConfigOption& option,
                   const toml::node& node,
                   std::span<const Field> fields);
  template <typename T, std::size_t N>
  void assign_word(const ConfigOption& option,
                   const toml::node& node,
                   const ConfigWord<T> (&words)[N],
                   T& value);
  [[nodiscard]] bool text_is_good(const ConfigOption& option,
                                  const toml::node& node,
                                  const std::string& text) {
    return text_is_good(option, node, text, option.check);
  }
  [[nodiscard]] bool text_is_good(const ConfigOption& option,
                                  const toml::node& node,
                                  const std::string& text,
                                  TextCheck check);
  void wrong_type(const ConfigOption& option, const toml::node& node, std::string_view expected);
  void complain(const ConfigOption& option, const toml::node& node, std::string_view what);
  void report(const toml::source_region& where, std::string message);

  Config& config_;
  std::vector<ConfigProblem>& problems_;
};

// Returns a hint like "; did you mean \"socket\"?", or the section to which a key of that name
// belongs, or an empty string. `section` is spelled as in ConfigOption.
[[nodiscard]] std::string hint_for_key(std::string_view section, std::string_view key);
[[nodiscard]] std::string hint_for_section(std::string_view section);

}  // namespace mtrk
