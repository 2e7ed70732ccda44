#include "common/smtp/command.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace mtrk::smtp {
namespace {

TEST(CommandTest, VerbsAreFoundInAnyCase) {
  EXPECT_EQ(verb_of("mail from:<a@b>"), Verb::mail);
  EXPECT_EQ(verb_of("MAIL"), Verb::mail);
  EXPECT_EQ(verb_of("Data"), Verb::data);
  EXPECT_EQ(verb_of("bdat 10 LAST"), Verb::bdat);
  EXPECT_EQ(verb_of("STARTTLS"), Verb::starttls);
  EXPECT_EQ(verb_of("MAILS FROM:<a@b>"), Verb::other);
  EXPECT_EQ(verb_of("MTRK"), Verb::other);  // MTRK-2-10: no new verbs
  EXPECT_EQ(verb_of(""), Verb::other);
}

// Whatever stands in front of a verb, or right behind it, does not get past us with it.
TEST(CommandTest, OnlyABlankOrATabStandsBesideAVerb) {
  for (const std::string verb :
       {"XCLIENT", "xforward", "STARTTLS", "AUTH", "BDAT", "MAIL", "X-LINK2STATE", "NOOP"}) {
    EXPECT_TRUE(has_plain_verb(verb));
    EXPECT_TRUE(has_plain_verb(verb + " x"));
    EXPECT_TRUE(has_plain_verb(verb + "\tx"));
    for (int octet = 0; octet < 256; ++octet) {
      const char c = static_cast<char>(octet);
      EXPECT_EQ(has_plain_verb(c + verb), octet < 128 && std::isalpha(octet) != 0) << octet;
      const bool blank = c == ' ' || c == '\t';
      const bool part = octet < 128 && (std::isalnum(octet) != 0 || c == '-');
      EXPECT_EQ(has_plain_verb(verb + c + " x"), blank || part) << octet;
      EXPECT_EQ(has_plain_verb(verb.substr(0, 2) + c + verb.substr(2)), blank || part) << octet;
    }
  }
  EXPECT_FALSE(has_plain_verb(""));
  EXPECT_FALSE(has_plain_verb("\xc2\xa0NOOP"));
}

// A server that skips what isspace(3) names reads the same verb as we do.
TEST(CommandTest, AServerThatIsLenientAboutBlanksReadsTheSameVerb) {
  const std::string blanks = " \t\v\f";
  for (const char before : blanks) {
    for (const char behind : blanks) {
      for (const std::string& line :
           {std::string("XCLIENT") + behind + "ADDR=1", before + std::string("XCLIENT ADDR=1"),
            std::string("X") + before + "CLIENT" + behind}) {
        const std::size_t begin = line.find_first_not_of(blanks);
        const std::string server = line.substr(begin, line.find_first_of(blanks, begin) - begin);
        EXPECT_TRUE(!has_plain_verb(line) || verb_of(line) == verb_of(server)) << line;
      }
    }
  }
}

TEST(CommandTest, ParametersKeepTheirOctets) {
  const std::string_view line = "MAIL FROM: <a@b>  SIZE=10\tENVID=x=y SMTPUTF8";
  const auto command = parse_path_command(line);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->path, "a@b");
  ASSERT_EQ(command->parameters.size(), 3U);
  EXPECT_EQ(command->parameters[1].keyword, "ENVID");
  EXPECT_EQ(command->parameters[1].value, "x=y");
  EXPECT_EQ(command->parameters[2].value, "");
  EXPECT_EQ(line.substr(command->parameters[0].begin,
                        command->parameters[0].end - command->parameters[0].begin),
            "  SIZE=10");
  EXPECT_EQ(command->count("envid"), 1U);
  EXPECT_EQ(command->find("size")->value, "10");
}

TEST(CommandTest, APathMayHoldWhatLooksLikeParameters) {
  const auto quoted = parse_path_command(R"(MAIL FROM:<"x> MTRK=a \" y"@b> RET=HDRS)");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->path, R"("x> MTRK=a \" y"@b)");
  EXPECT_EQ(quoted->parameters.size(), 1U);
  const auto bare = parse_path_command("MAIL FROM:a@b ENVID=x");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->path, "a@b");
  EXPECT_EQ(bare->parameters.size(), 1U);
  const auto null = parse_path_command("MAIL FROM:<>");
  ASSERT_TRUE(null);
  EXPECT_EQ(null->path, "");
}

TEST(CommandTest, WhatIsNoPathIsAnError) {
  for (const std::string_view line :
       {"MAIL", "MAIL FROM", "MAIL FROM:", "MAIL FROM:  ", "MAIL FROM:<a@b", R"(MAIL FROM:<"a@b>)",
        "MAIL FROM:<a@b>SIZE=1", R"(MAIL FROM:<"a\)"}) {
    EXPECT_FALSE(parse_path_command(line)) << line;
  }
}

TEST(CommandTest, Bdat) {
  EXPECT_EQ(parse_bdat("BDAT 10")->octets, 10U);
  EXPECT_FALSE(parse_bdat("BDAT 10")->last);
  EXPECT_TRUE(parse_bdat("bdat 0 last")->last);
  for (const std::string_view line : {"BDAT", "BDAT ", "BDAT x", "BDAT -1", "BDAT 10 LASTX",
                                      "BDAT 10 LAST 1", "BDAT 0x10", "BDAT 1000000000000000000"}) {
    EXPECT_FALSE(parse_bdat(line)) << line;
  }
}

}  // namespace
}  // namespace mtrk::smtp
