#include "base/base64.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// The examples of RFC 4648.
TEST(Base64, GivesTheBytesBack) {
  EXPECT_EQ(base64_decoded(""), "");
  EXPECT_EQ(base64_decoded("Zg=="), "f");
  EXPECT_EQ(base64_decoded("Zm8="), "fo");
  EXPECT_EQ(base64_decoded("Zm9vYmFy"), "foobar");
  EXPECT_EQ(base64_decoded("Zm9v\r\nYmFy\n"), "foobar");
  EXPECT_EQ(base64_decoded("AP8="), std::string("\0\xff", 2));
}

TEST(Base64, RefusesOtherText) {
  EXPECT_THAT([] { base64_decoded("Zm9*"); }, ThrowsMessage<Error>(HasSubstr("is no base64")));
  EXPECT_THAT([] { base64_decoded("Zg==Zg=="); }, ThrowsMessage<Error>(HasSubstr("is no base64")));
  EXPECT_THAT([] { base64_decoded("Zm9vY"); }, ThrowsMessage<Error>(HasSubstr("ends too early")));
}

}  // namespace
}  // namespace segmentum
