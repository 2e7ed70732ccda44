// What `mtrkctl setup` makes of real files: tests/data/setup holds one in each way that
// administrators write them.
#include "common/base/small_file.h"
#include "common/config/config.h"
#include "milter/ctl/setup/command_filter.h"
#include "milter/ctl/setup/config_edit.h"
#include "milter/ctl/setup/diff.h"
#include "milter/ctl/setup/main_cf.h"
#include "milter/ctl/setup/master_cf.h"
#include "milter/ctl/setup/milter_list.h"
#include "milter/ctl/setup/plan.h"
#include "milter/ctl/setup/sendmail_mc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mtrk::setup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string data(const std::string& name) {
  const auto text = read_small_file(MTRK_TEST_DATA "/setup/" + name, 1 << 20);
  EXPECT_TRUE(text) << name;
  return text.value_or("");
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(MTRK_TEST_DATA "/setup/" + folder)) {
    names.push_back(folder + "/" + entry.path().filename().string());
  }
  EXPECT_THAT(names, Not(IsEmpty()));
  return names;
}

MilterSocket socket_of_debian() {
  return postfix_socket("unix:/var/spool/postfix/mtrk/milter.sock", "/var/spool/postfix").value();
}

Attachment attachment() {
  return {"{ unix:mtrk/milter.sock, default_action=accept }", socket_of_debian().addresses, true};
}

std::string attached(const std::string& file) {
  return attach_main_cf(file, attachment()).value();
}
std::string detached(const std::string& file) {
  return detach_main_cf(file, socket_of_debian().addresses).value();
}
std::string value_in(const std::string& file, std::string_view name) {
  const std::vector<Parameter> parameters = parse_main_cf(file).value();
  const Parameter* const found = find_parameter(parameters, name);
  return found == nullptr ? "(none)" : found->value;
}

std::string ends_of(const std::string& file) {  // with the line feed that attaching adds
  return file.empty() || file.ends_with('\n') ? file : file + "\n";
}

TEST(SetupMainCfTest, DetachingGivesBackWhatWasAttachedTo) {
  for (const std::string& name : names_in("main.cf")) {
    const std::string file = data(name);
    const std::string clean = detached(file);
    EXPECT_EQ(detached(attached(file)), ends_of(clean)) << name;
    if (name.find("by-hand") == std::string::npos) {
      EXPECT_EQ(clean, file) << name;
    }
  }
}

TEST(SetupMainCfTest, AttachingTwiceIsAttachingOnce) {
  for (const std::string& name : names_in("main.cf")) {
    const std::string once = attached(data(name));
    EXPECT_EQ(attached(once), once) << name;
    // The block stays where it is when the administrator writes below it.
    const std::string more = once + "relayhost = [192.0.2.1]\n";
    EXPECT_EQ(attached(more), more) << name;
    EXPECT_EQ(detached(more), ends_of(detached(data(name))) + "relayhost = [192.0.2.1]\n") << name;
  }
}

TEST(SetupMainCfTest, OurMilterIsTheLastOfTheList) {
  EXPECT_EQ(value_in(attached(data("main.cf/debian")), "smtpd_milters"), "$mtrk_milter");
  EXPECT_EQ(value_in(attached(data("main.cf/opendkim")), "smtpd_milters"),
            "inet:localhost:8891, $mtrk_milter");
  EXPECT_EQ(value_in(attached(data("main.cf/opendkim")), "non_smtpd_milters"),
            "inet:localhost:8891");
  EXPECT_EQ(value_in(attached(data("main.cf/rspamd-by-reference")), "smtpd_milters"),
            "$milters, $mtrk_milter");
  EXPECT_THAT(value_in(attached(data("main.cf/continued")), "smtpd_milters"),
              testing::EndsWith("connect_timeout = 5s }, $mtrk_milter"));
  EXPECT_EQ(value_in(attached(data("main.cf/empty-lists")), "smtpd_milters"), "$mtrk_milter");
}

TEST(SetupMainCfTest, WhatWasWrittenByHandIsReplaced) {
  const std::string file = attached(data("main.cf/by-hand"));
  EXPECT_EQ(value_in(file, "smtpd_milters"), "inet:localhost:8891, $mtrk_milter");
  EXPECT_THAT(value_in(file, "smtpd_command_filter"), StartsWith("regexp:{"));
  EXPECT_EQ(value_in(attached(data("main.cf/by-hand-first")), "smtpd_milters"),
            "inet:localhost:8891, $mtrk_milter");
}

TEST(SetupMainCfTest, TheLastOfTwoLinesCounts) {
  EXPECT_EQ(value_in(attached(data("main.cf/twice")), "smtpd_milters"),
            "inet:localhost:2, $mtrk_milter");
  EXPECT_EQ(value_in(attached(data("main.cf/twice")), "enable_long_queue_ids"), "no");
}

TEST(SetupMainCfTest, AnotherCommandFilterStays) {
  Attachment own = attachment();
  own.command_filter = false;
  EXPECT_EQ(
      value_in(attach_main_cf(data("main.cf/own-filter"), own).value(), "smtpd_command_filter"),
      "pcre:/etc/postfix/command_filter");
}

TEST(SetupMainCfTest, WhatTheAdministratorWroteIntoOurLinesStays) {
  std::string file = attached(data("main.cf/debian"));
  file.replace(file.find("smtpd_milters = $mtrk_milter"), 28,
               "smtpd_milters = inet:localhost:8891 $mtrk_milter");
  EXPECT_THAT(detached(file), HasSubstr("smtpd_milters = inet:localhost:8891\n"));
  EXPECT_THAT(detached(file), Not(HasSubstr("mtrk")));
}

TEST(SetupMainCfTest, ABlockWithoutItsEndLosesOnlyWhatIsOurs) {
  std::string file = attached(data("main.cf/debian"));
  file.erase(file.find("# End of message tracking.\n"));
  file += "relayhost = [192.0.2.1]\n";
  const std::string rest = detached(file);
  EXPECT_THAT(rest, HasSubstr("relayhost = [192.0.2.1]\n"));
  EXPECT_THAT(rest, Not(HasSubstr("mtrk")));
}

TEST(SetupMainCfTest, OddFilesAreNamedWithTheirLine) {
  const auto complaint = [](const std::string& file) {
    return attach_main_cf(file, attachment()).error().detail;
  };
  EXPECT_THAT(complaint("  continued\n"), HasSubstr("line 1: starts with white space"));
  EXPECT_THAT(complaint("a = b\nnonsense\n"), HasSubstr("line 2: \"nonsense\" is no"));
  EXPECT_THAT(complaint("a = b\r\n"), HasSubstr("line 1: ends with CR LF"));
  EXPECT_THAT(complaint(std::string("a = b\0\n", 7)), HasSubstr("NUL"));
  EXPECT_THAT(complaint("smtpd_milters = { a\n"), HasSubstr("line 1: the braces"));
  EXPECT_THAT(complaint(" = b\n"), HasSubstr("line 1"));
}

// --- master.cf -----------------------------------------------------------------------------------

TEST(SetupMasterCfTest, DetachingGivesBackWhatWasAttachedTo) {
  const std::vector<std::string> addresses = socket_of_debian().addresses;
  for (const std::string& name : names_in("master.cf")) {
    const std::string clean = detach_master_cf(data(name), addresses).value();
    const std::string once = attach_master_cf(data(name), addresses, {}).value();
    EXPECT_EQ(detach_master_cf(once, addresses).value(), clean) << name;
    EXPECT_EQ(attach_master_cf(once, addresses, {}).value(), once) << name;
  }
}

TEST(SetupMasterCfTest, ServicesWithTheirOwnListGetOursToo) {
  const std::string file =
      attach_master_cf(data("master.cf/own-lists"), socket_of_debian().addresses, {}).value();
  EXPECT_THAT(file, HasSubstr("-o smtpd_milters=inet:localhost:8891,$mtrk_milter\n"));
  EXPECT_THAT(file, HasSubstr("default_action=accept },$mtrk_milter }\n"));
  EXPECT_THAT(file, HasSubstr("-o smtpd_milters=$mua_milters,$mtrk_milter\n"));
  EXPECT_THAT(file, HasSubstr("-o smtpd_milters=\n")) << "a port where filters hand mail back";
}

TEST(SetupMasterCfTest, AListThatRefersToOursIsLeft) {
  const std::string file =
      attach_master_cf(data("master.cf/own-lists"), {}, {"mua_milters"}).value();
  EXPECT_THAT(file, HasSubstr("-o smtpd_milters=$mua_milters\n"));
}

TEST(SetupMasterCfTest, AServiceThatIsCutOffIsNamed) {
  EXPECT_THAT(parse_master_cf("smtp inet n - y\n").error().detail, HasSubstr("line 1"));
}

// --- the rules
// -------------------------------------------------------------------------------------

TEST(SetupCommandFilterTest, AllRulesStandInMainCf) {
  const std::string value = inline_command_filter();
  const std::string_view table = command_filter_file();
  std::size_t rules = 0;
  for (std::size_t at = 0; (at = table.find("\n/^", at)) != std::string_view::npos; ++at) {
    ++rules;
  }
  std::size_t in_value = 0;
  for (std::size_t at = 0; (at = value.find("{ /^", at)) != std::string::npos; ++at) {
    ++in_value;
  }
  EXPECT_EQ(rules, 17U);
  EXPECT_EQ(in_value, rules);
  EXPECT_TRUE(is_our_command_filter(value));
}

TEST(SetupCommandFilterTest, OurRulesGoBeforeTheirs) {
  const std::string theirs = "# ours\n/^HELP/ NOOP\n";
  const std::string both = with_our_rules(theirs);
  EXPECT_THAT(both, testing::EndsWith(theirs));
  EXPECT_EQ(with_our_rules(both), both);
  EXPECT_EQ(without_our_rules(both), theirs);
  EXPECT_EQ(rules_file("pcre:/etc/postfix/f"), "/etc/postfix/f");
  EXPECT_FALSE(rules_file("hash:/etc/postfix/f"));
  EXPECT_FALSE(rules_file("regexp:{ {/a/ b} }"));
  EXPECT_FALSE(rules_file("pcre:/etc/postfix/a regexp:/etc/postfix/b"));
}

// --- the plan
// --------------------------------------------------------------------------------------

TEST(SetupPlanTest, WhatCannotBeTrackedIsSaid) {
  PostfixInstance instance{"/etc/postfix",
                           "silent-discard, dsn",
                           data("main.cf/own-filter"),
                           data("master.cf/own-lists"),
                           {},
                           {}};
  const Plan plan = plan_postfix(instance, socket_of_debian()).value();
  const std::string notes = testing::PrintToString(plan.notes);
  EXPECT_THAT(notes, HasSubstr("DSN is switched off in main.cf"));
  EXPECT_THAT(notes, HasSubstr("DSN is switched off for the service 127.0.0.1:10025"));
  EXPECT_THAT(notes, HasSubstr("one of a kind that cannot hold"));
}

TEST(SetupPlanTest, TheMilterIsHarmlessWhateverItDoes) {
  PostfixInstance instance{"/etc/postfix",           "", data("main.cf/opendkim"),
                           data("master.cf/debian"), {}, {}};
  const Plan plan = plan_postfix(instance, socket_of_debian()).value();
  EXPECT_EQ(value_in(plan.changes.at(0).after, "mtrk_milter"),
            "{ unix:mtrk/milter.sock, connect_timeout=2s, command_timeout=2s, content_timeout=4s, "
            "protocol=6, default_action=accept }");
  EXPECT_EQ(plan.changes.at(1).after, plan.changes.at(1).before) << "master.cf needs nothing";
}

TEST(SetupPlanTest, TwiceIsOnceInMasterCfToo) {
  PostfixInstance instance{
      "/etc/postfix", "", data("main.cf/opendkim"), data("master.cf/own-lists"), {}, {}};
  const Plan plan = plan_postfix(instance, socket_of_debian()).value();
  instance.main_cf = plan.changes.at(0).after;
  instance.master_cf = plan.changes.at(1).after;
  EXPECT_THAT(instance.master_cf, HasSubstr("8891,$mtrk_milter"));
  const Plan again = plan_postfix(instance, socket_of_debian()).value();
  for (const FileChange& change : again.changes) {
    EXPECT_EQ(change.before, change.after) << change.path;
  }
}

TEST(SetupPlanTest, TheSocketIsNamedAsTheChrootSeesIt) {
  EXPECT_EQ(socket_of_debian().address, "unix:mtrk/milter.sock");
  EXPECT_EQ(postfix_socket("inet:8892@127.0.0.1", "/q").value().address, "inet:127.0.0.1:8892");
  EXPECT_EQ(postfix_socket("inet6:8892@::1", "/q").value().address, "inet:[::1]:8892");
  EXPECT_FALSE(postfix_socket("unix:/run/mtrk/milter.sock", "/var/spool/postfix"));
}

TEST(SetupPlanTest, WhatWasSavedIsReadAgain) {
  const SavedFile saved{FileKind::master_cf, "/etc/postfix/master.cf", "a\nb",
                        std::string("c\0d", 3)};
  const SavedFile read = decode_saved_file(encode_saved_file(saved)).value();
  EXPECT_EQ(read.kind, saved.kind);
  EXPECT_EQ(read.path, saved.path);
  EXPECT_EQ(read.before, saved.before);
  EXPECT_EQ(read.after, saved.after);
  const std::string text = encode_saved_file(saved);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(decode_saved_file(text.substr(0, cut))) << cut;
  }
}

TEST(SetupPlanTest, UndoingIsExactWhereNobodyChangedTheFile) {
  const std::string before = "smtpd_milters=inet:localhost:1";  // without a line feed
  const SavedFile saved{FileKind::main_cf, "/etc/postfix/main.cf", before, attached(before)};
  const std::vector<std::string> addresses = socket_of_debian().addresses;
  EXPECT_EQ(undone(saved, saved.after, addresses).value(), before);
  EXPECT_EQ(undone(saved, saved.after + "relayhost =\n", addresses).value(),
            before + "\nrelayhost =\n");
}

// --- sendmail.mc, mtrk.conf, the difference
// ----------------------------------------------------------

TEST(SetupSendmailMcTest, OurFilterIsTheLastBeforeTheMailers) {
  const std::string file = data("sendmail.mc/debian");
  const std::string once = attach_sendmail_mc(file, "/run/mtrk/milter.sock").value();
  EXPECT_LT(once.find("INPUT_MAIL_FILTER(`opendkim'"), once.find("INPUT_MAIL_FILTER(`mtrk'"));
  EXPECT_THAT(once, HasSubstr("# End of message tracking.\nMAILER_DEFINITIONS\n"));
  EXPECT_THAT(once, HasSubstr("define(`confLOG_LEVEL', `11')dnl\n"));
  EXPECT_EQ(attach_sendmail_mc(once, "/run/mtrk/milter.sock").value(), once);
  EXPECT_EQ(detach_sendmail_mc(once), file);
  EXPECT_FALSE(has_filter_by_hand(once));
  EXPECT_TRUE(has_filter_by_hand(file + "include(`/etc/mail/mtrk.m4')dnl\n"));
  EXPECT_FALSE(has_filter_by_hand(file + "dnl include(`/etc/mail/mtrk.m4')dnl\n"));
}

TEST(SetupSendmailMcTest, AHigherLogLevelStays) {
  const std::string file = "define(`confLOG_LEVEL', `15')dnl\nMAILER(`smtp')dnl\n";
  EXPECT_THAT(attach_sendmail_mc(file, "/run/mtrk/milter.sock").value(),
              Not(HasSubstr("confLOG_LEVEL', `11'")));
}

TEST(SetupSendmailMcTest, AFileWithoutMailersIsRefused) {
  EXPECT_FALSE(attach_sendmail_mc("OSTYPE(`debian')dnl\n", "/run/mtrk/milter.sock"));
}

TEST(SetupConfigTest, AKeyIsReplacedOrPutBelowItsDefault) {
  const std::string sample = print_default_config();
  for (const std::string& file :
       {sample, data("mtrk.conf/short"), std::string(), std::string("[log]")}) {
    std::string edited =
        with_config_key(file, "milter", "socket", "\"unix:/run/mtrk/milter.sock\"");
    edited = with_config_key(edited, "log", "mta", "\"sendmail\"");
    const Expected<Config> config = parse_config(edited, "mtrk.conf");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->milter.socket, "unix:/run/mtrk/milter.sock");
    EXPECT_EQ(config->log.mta, Mta::sendmail);
    EXPECT_EQ(with_config_key(edited, "log", "mta", "\"sendmail\""), edited);
  }
  EXPECT_THAT(with_config_key(sample, "log", "mta", "\"sendmail\""),
              HasSubstr("#mta = \"postfix\"\nmta = \"sendmail\"\n"));
}

TEST(SetupDiffTest, LooksLikeThatOfDiff) {
  EXPECT_EQ(unified_diff("f", "same\n", "same\n"), "");
  EXPECT_EQ(unified_diff("f", "1\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n"),
            "--- f\n+++ f\n@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+five\n");
  EXPECT_EQ(unified_diff("f", "", "a\n"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("f", "a", "a\n"),
            "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
  EXPECT_EQ(unified_diff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "one\n2\n3\n4\n5\n6\n7\n8\nnine\n"),
            "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+one\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n "
            "8\n-9\n+nine\n");
}

TEST(SetupDiffTest, SentencesFitTheirColumns) {
  EXPECT_EQ(fold_text("Note: aa bb cc", 8, 2), "Note: aa\n  bb cc");
  EXPECT_EQ(fold_text("toolongword a", 5, 1), "toolongword\n a");
  EXPECT_EQ(fold_text("", 5, 1), "");
}

}  // namespace
}  // namespace mtrk::setup
