#include "interop/onnx/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "interop/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string joined(const WireWriter& writer) {
  std::string all;
  for (const std::string_view piece : writer.pieces()) all += piece;
  EXPECT_EQ(all.size(), writer.size());
  return all;
}

// 150 in field 1 is the example of the format's own description: 08 96 01.
TEST(Wire, NumbersAreVarints) {
  WireWriter writer;
  writer.whole(1, 150);
  EXPECT_EQ(joined(writer), "\x08\x96\x01");
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{127}, std::int64_t{128},
                                    std::int64_t{1} << 62, std::int64_t{-1}, INT64_MIN}) {
    WireWriter one;
    one.whole(3, number);
    const std::string bytes = joined(one);
    WireReader reader(bytes);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.field(), 3);
    EXPECT_EQ(reader.whole(), number);
    EXPECT_FALSE(reader.next());
  }
}

// "testing" in field 2, likewise: 12 07 74 65 73 74 69 6e 67.
TEST(Wire, TextsAndMessagesHaveALength) {
  WireWriter writer;
  writer.text(2, "testing");
  EXPECT_EQ(joined(writer), "\x12\x07testing");
  WireWriter outer;
  outer.message(3, std::move(writer));
  outer.real(4, 1.5f);
  const std::string bytes = joined(outer);
  WireReader reader(bytes);
  ASSERT_TRUE(reader.next());
  WireReader inner(reader.bytes());
  ASSERT_TRUE(inner.next());
  EXPECT_EQ(inner.bytes(), "testing");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.real(), 1.5f);
}

TEST(Wire, LargeBytesAreNotCopied) {
  const std::string large(1000, 'x');
  WireWriter inner;
  inner.whole(1, 1);
  inner.view(2, large);
  inner.whole(3, 1);
  WireWriter outer;
  outer.message(9, std::move(inner));
  const auto pieces = outer.pieces();
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[1].data(), large.data());
}

TEST(Wire, PackedOrOneByOne) {
  std::vector<std::int64_t> numbers;
  for (WireReader reader("\x0a\x03\x01\x96\x01\x08\x05"); reader.next();) reader.append_to(numbers);
  EXPECT_THAT(numbers, ElementsAre(1, 150, 5));
  std::vector<float> reals;
  const std::string bytes = "\x0a\x08" + raw(1.0f) + raw(2.0f) + "\x0d" + raw(3.0f);
  for (WireReader reader(bytes); reader.next();) reader.append_to(reals);
  EXPECT_THAT(reals, ElementsAre(1, 2, 3));
}

std::string reading(std::string_view bytes) {
  return complaint([&] {
    for (WireReader reader(bytes); reader.next();) reader.bytes();
  });
}

TEST(Wire, DamageIsToldInOneLine) {
  EXPECT_THAT(reading("\x12\x07test"), HasSubstr("7 bytes is announced, 4 are left"));
  EXPECT_THAT(reading("\x12"), HasSubstr("a number has no end"));
  EXPECT_THAT(reading(std::string(11, '\xff')), HasSubstr("a number has no end"));
  EXPECT_THAT(reading("\x08\x01"), HasSubstr("field 1 is of another type"));
  EXPECT_THAT(reading("\x0b\x0c"), HasSubstr("field 1 is of no known type"));  // groups
  EXPECT_THAT(reading(std::string("\x00\x01", 2)), HasSubstr("is damaged"));
  EXPECT_EQ(reading(""), "none");
}

}  // namespace
}  // namespace segmentum
