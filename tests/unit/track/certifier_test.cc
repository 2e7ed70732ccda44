#include "common/track/certifier.h"

#include "common/base/ascii.h"
#include "common/track/digest.h"
#include "common/track/message_key.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

std::string hex(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

struct Vector {
  std::string secret;  // base64
  std::string_view digest;
  std::string_view certifier;
};

// Made with another implementation of SHA-1. The third, the longest secret, is octets 00..7f.
const Vector kVectors[] = {
    {"AAECAwQFBgcICQoLDA0ODw==", "56178b86a57fac22899a9964185c2cc96e7da589",
     "VheLhqV/rCKJmplkGFwsyW59pYk"},
    {"/////////////////////w==", "52e0e9d4f46c97ca5bcb0708d18633698d60fa5f",
     "UuDp1PRsl8pbywcI0YYzaY1g+l8"},
    {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+"
     "P0BBQkNERUZHSElKS0xNTk9QUVJT"
     "VFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=",
     "e6434bc401f98603d7eda504790c98c67385d535", "5kNLxAH5hgPX7aUEeQyYxnOF1TU"},
    {"YWJjZGVmZ2g=", "425af12a0743502b322e93a015bcf868e324d56a", "QlrxKgdDUCsyLpOgFbz4aOMk1Wo"},
    {"YWJjZGVmZ2gK", "e414af7161c9554089f4106d6f1797ef14a73666", "5BSvcWHJVUCJ9BBtbxeX7xSnNmY"},
};

TEST(CertifierTest, IsTheSha1OfTheSecret) {  // MTRK-3.1-05, MTRK-3.1-06
  for (const Vector& vector : kVectors) {
    const TrackingCertifier certifier =
        TrackingCertifier::of(*TrackingSecret::parse_base64(vector.secret));
    EXPECT_EQ(hex(as_text(certifier.octets())), vector.digest);
    EXPECT_EQ(certifier.to_base64(), vector.certifier);
    EXPECT_EQ(*TrackingCertifier::parse_base64(vector.certifier), certifier);
    EXPECT_EQ(*TrackingCertifier::parse_base64(std::string(vector.certifier) + "="), certifier);
    EXPECT_EQ(TrackingCertifier::from_octets(certifier.octets()), certifier);
  }
}

TEST(CertifierTest, AnySizeBut20OctetsIsMalformed) {  // MTRK-3.1-07, A-6, ABNF-02
  for (const std::string_view text :
       {"", "=", "ab!c", "VheLhqV/rCKJmplkGFwsyW59pY", "VheLhqV/rCKJmplkGFwsyW59pYkA",
        "VheLhqV/rCKJmplkGFwsyW59pYkAA", "VheLhqV/rCKJmplkGFwsyW59pY==",
        "VheLhqV/rCKJmplkGFwsyW59pYk==", "VheLhqV-rCKJmplkGFwsyW59pYk",
        "VheLhqV_rCKJmplkGFwsyW59pYk", "=heLhqV/rCKJmplkGFwsyW59pYk", "AAECAwQFBgcICQoLDA0ODw=="}) {
    EXPECT_FALSE(TrackingCertifier::parse_base64(text)) << text;
  }
}

TEST(DigestTest, Sha256OfKnownText) {
  EXPECT_EQ(hex(as_text(sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(as_text(sha256(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(as_text(sha1("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(MessageKeyTest, DependsOnSaltEnvelopeIdAndCertifier) {  // THR-O5
  const StoreSalt salt{1, 2, 3};
  const EnvelopeId id = *EnvelopeId::parse_xtext("a@h");
  const TrackingCertifier one = TrackingCertifier::from_octets({1});
  const TrackingCertifier two = TrackingCertifier::from_octets({2});
  const MessageKey key = MessageKey::make(salt, id, one);
  EXPECT_EQ(key, MessageKey::make(salt, id, one));
  EXPECT_EQ(key, MessageKey::make(salt, *EnvelopeId::parse_xtext("+61@h"), one));
  EXPECT_FALSE(key == MessageKey::make(StoreSalt{}, id, one));
  EXPECT_FALSE(key == MessageKey::make(salt, *EnvelopeId::parse_xtext("A@h"), one));
  EXPECT_FALSE(key == MessageKey::make(salt, id, two));
}

TEST(MessageKeyTest, HashesTheWrittenLayout) {
  const StoreSalt salt{0xaa};
  std::string input(as_text(salt));
  input += std::string("\0\0\0\3a@h", 7);
  const TrackingCertifier certifier = TrackingCertifier::from_octets({7});
  input += as_text(certifier.octets());
  const MessageKey key = MessageKey::make(salt, *EnvelopeId::parse_xtext("a@h"), certifier);
  EXPECT_EQ(key.octets(), sha256(input));
  EXPECT_EQ(key.short_text(), hex(as_text(key.octets())).substr(0, 8));
  EXPECT_EQ(key.tag(), parse_number<std::uint32_t>(key.short_text(), 16));
}

TEST(MessageKeyTest, TakesTheLongestEnvelopeId) {
  const EnvelopeId id = *EnvelopeId::parse_xtext(std::string(98, 'a') + "@h");
  const MessageKey key = MessageKey::make({}, id, TrackingCertifier::from_octets({}));
  EXPECT_EQ(key.short_text().size(), 8U);
}

}  // namespace
}  // namespace mtrk
