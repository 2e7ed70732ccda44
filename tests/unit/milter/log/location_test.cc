#include "milter/log/location.h"

#include "tests/support/journal_files.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace mtrk {
namespace {

TEST(LogLocationTest, NamesAPlaceAndKnowsItsName) {
  for (const std::string name : {"file:/var/log/mail.log", "journal", "journal:/srv/journal"}) {
    const std::optional<LogPlace> place = parse_log_place(name);
    ASSERT_TRUE(place) << name;
    EXPECT_EQ(place->name(), name);
    Config config;
    config.log.source = name;
    EXPECT_EQ(log_complaint(config), "");
    EXPECT_EQ(locate_log(config), std::vector<LogPlace>{*place});
  }
}

TEST(LogLocationTest, RefusesWhatIsNoPlace) {
  Config config;
  EXPECT_EQ(log_complaint(config), "");  // auto
  for (const char* const source : {"file:", "file:mail.log", "/var/log/mail.log", "",
                                   "journal:", "journal:x", "journald", "syslog:/x"}) {
    config.log.source = source;
    EXPECT_NE(log_complaint(config), "") << source;
  }
}

// postconf(1) as it may be, first in PATH.
class FakePostconf {
 public:
  explicit FakePostconf(const std::string& script) : path_(::getenv("PATH")) {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    std::ofstream(program()) << "#!/bin/sh\n" << script;
    ::chmod(program().c_str(), 0755);
    ::setenv("PATH", (folder_ + ":" + path_).c_str(), 1);
  }
  ~FakePostconf() {
    ::setenv("PATH", path_.c_str(), 1);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  FakePostconf(const FakePostconf&) = delete;
  FakePostconf& operator=(const FakePostconf&) = delete;

 private:
  [[nodiscard]] std::string program() const { return folder_ + "/postconf"; }

  std::string path_;
  std::string folder_ = "/tmp/mtrk-postconf-XXXXXX";
};

TEST(LogLocationTest, AutoFollowsTheFilePostfixLogsTo) {
  const Config config;
  {
    const FakePostconf postconf("[ \"$*\" = '-h maillog_file' ] && echo /srv/log/postfix.log");
    EXPECT_EQ(locate_log(config),
              (std::vector<LogPlace>{{LogPlace::Kind::file, "/srv/log/postfix.log"}}));
  }
  for (const char* const script : {"echo", "echo /srv/log/postfix.log; exit 1", "exec sleep 60"}) {
    const FakePostconf postconf(script);
    for (const LogPlace& place : locate_log(config)) {
      EXPECT_NE(place.path, "/srv/log/postfix.log") << script;
    }
  }
}

TEST(LogLocationTest, WarnsOfALogThatIsAmbiguous) {  // THR-G2
  Config config;
  {
    const FakePostconf postconf(
        "[ \"$*\" = '-h info_log_address_format' ] && echo internal || echo");
    EXPECT_NE(log_warning(config), "");
    config.log.mta = Mta::sendmail;
    EXPECT_EQ(log_warning(config), "");
    config.log.mta = Mta::postfix;
  }
  for (const char* const script :
       {"echo external", "echo unknown parameter >&2", "echo internal; exit 1"}) {
    const FakePostconf postconf(script);
    EXPECT_EQ(log_warning(config), "") << script;
  }
}

TEST(LogLocationTest, AccountsAreNamesOrNumbers) {
  Config::Log log;
  log.accounts = {"root", "4711", "there-is-no-such-account"};
  EXPECT_EQ(journal_accounts(log), (JournalAccounts{"0", "4711"}));
  log.accounts.clear();
  EXPECT_TRUE(journal_accounts(log).contains("0"));
}

TEST(LogLocationTest, AutoKnowsAJournalThatHoldsEntriesOfTheMta) {
  test::JournalFiles journal;
  Config::Log log;
  log.accounts = {"0", "101"};
  const LogPlace place{LogPlace::Kind::journal, journal.path()};
  EXPECT_FALSE(newest_in_journal(place, log));
  EXPECT_FALSE(newest_in_journal({LogPlace::Kind::journal, journal.path() + "/nowhere"}, log));

  journal.add(test::entry("postfix/qmgr", "AAAAAA: removed").with("_UID", "1000"));
  journal.write("a.journal");
  EXPECT_FALSE(newest_in_journal(place, log));  // somebody's who calls himself qmgr

  journal.add(test::entry("postfix/qmgr", "AAAAAA: removed").at(1'795'000'000'000'007));
  journal.add(test::entry("CRON", "(root) CMD (true)").with("_COMM", "cron").with("_UID", "0"));
  journal.add(test::entry("postfix/smtp", "forged").with("_UID", "1000"));
  journal.write("a.journal");
  EXPECT_EQ(newest_in_journal(place, log), LogTime(Microseconds(1'795'000'000'000'007)));
  log.mta = Mta::sendmail;
  EXPECT_FALSE(newest_in_journal(place, log));
}

}  // namespace
}  // namespace mtrk
