#include "common/config/config.h"
#include "common/config/option_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace mtrk {
namespace {

std::string manual_page() {
  const auto root = std::filesystem::path(MTRK_TEST_DATA).parent_path().parent_path();
  std::ifstream in(root / "contrib/man/mtrk.conf.5", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ManualPageTest, EveryKeyIsDescribedInItsSectionWithItsDefault) {
  const std::string page = manual_page();
  const std::string defaults = print_config(Config{}, Show::defaults);
  std::string_view section = "-";
  std::size_t at = 0;
  for (const ConfigOption& option : config_options()) {
    if (option.section != section) {
      section = option.section;
      at = page.find(section.empty() ? "\n.Ss Before the first section\n"
                                     : "\n.Ss Section [" + std::string(section) + "]\n",
                     at);
      ASSERT_NE(at, std::string::npos) << section;
    }
    std::string line = defaults.substr(defaults.find(full_name(option) + " = "));
    line = line.substr(0, line.find('\n'));
    std::string value = line.substr(full_name(option).size() + 3);
    std::string item = "\n.It Ic " + std::string(option.key) + " No = Li ";
    at = page.find(item, at);
    ASSERT_NE(at, std::string::npos) << full_name(option);
    const std::size_t begin = at + item.size();
    std::string shown = page.substr(begin, page.find('\n', begin) - begin);
    // mdoc spells a double quote as \(dq.
    for (std::size_t q = 0; (q = shown.find("\\(dq", q)) != std::string::npos; ++q) {
      shown.replace(q, 4, "\"");
    }
    EXPECT_EQ(shown, value) << full_name(option);
  }
}

}  // namespace
}  // namespace mtrk
