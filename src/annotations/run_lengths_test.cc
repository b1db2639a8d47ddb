#include "annotations/run_lengths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RunLengths, CountColumnsFromTheTop) {
  // .#.    columns: 0 0 | 1 1 | 0 1
  // .##
  const Region region{{0, 1, 2}, {1, 1, 3}};
  const RunLengths runs = encode_runs(region, 2, 3);
  EXPECT_THAT(runs.counts, ElementsAre(2, 2, 1, 1));
  EXPECT_EQ(decode_runs(runs), region);
}

TEST(RunLengths, BeginWithWhatIsOutsideEvenIfNothingIs) {
  EXPECT_THAT(encode_runs({{0, 0, 2}, {1, 0, 2}}, 2, 2).counts, ElementsAre(0, 4));
  EXPECT_THAT(encode_runs({}, 2, 2).counts, ElementsAre(4));
  EXPECT_THAT(decode_runs({2, 2, {4}}), IsEmpty());
  // Runs go on from the foot of a column to the head of the next.
  EXPECT_EQ(decode_runs({3, 2, {2, 2, 2}}), (Region{{0, 1, 2}, {2, 0, 1}}));
  // A count of 0 in the middle joins what is around it.
  EXPECT_EQ(decode_runs({1, 4, {1, 1, 0, 2}}), (Region{{0, 1, 4}}));
}

TEST(RunLengths, RefuseWhatDoesNotFit) {
  EXPECT_EQ(error_of([] {
              decode_runs({2, 3, {2, 2}});
            }),
            "its run lengths cover 4 pixels, but 3x2 (width x height) has 6");
  for (const std::vector<std::int64_t>& counts : {std::vector<std::int64_t>{7}, {-1, 7}, {6, 1}}) {
    EXPECT_EQ(error_of([&] {
                decode_runs({2, 3, counts});
              }),
              "its run lengths do not fit 3x2 pixels (width x height)");
  }
}

TEST(CountsText, ByHand) {
  // 5 fits five bits with a sign bit of 0: '0' + 5. 16 needs a second digit, since its own fifth
  // bit would be read as a sign: 16 + 32 -> '`', then 0 -> '0'.
  EXPECT_EQ(counts_text({5}), "5");
  EXPECT_EQ(counts_text({16}), "`0");
  EXPECT_EQ(counts_text({15, 31}), "?o0");
  // From the fourth on, less the one two before: 2 - 3 = -1, whose bits are all ones.
  EXPECT_EQ(counts_text({1, 3, 4, 2}), "134O");
  EXPECT_THAT(counts_of_text("134O"), ElementsAre(1, 3, 4, 2));
}

TEST(CountsText, RefusesWhatCocoNeverWrites) {
  EXPECT_EQ(error_of([] { counts_of_text("5!"); }),
            "its compressed counts hold a letter that COCO's never do");
  EXPECT_EQ(error_of([] { counts_of_text("`"); }),
            "its compressed counts end in the middle of a number");
  EXPECT_EQ(error_of([] { counts_of_text("oooooooooooooooo0"); }),
            "its compressed counts hold a number that is too long");
  EXPECT_EQ(error_of([] { counts_of_text("O"); }),
            "its compressed counts hold a count of no picture");
}

TEST(RunLengths, GiveBackAnyRegion) {
  std::mt19937 random(3);
  for (int i = 0; i < 100; ++i) {
    const int height = 1 + i % 17, width = 1 + i % 29;
    std::vector<Span> spans;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        if (random() % 3 == 0) spans.push_back({y, x, x + 1});
      }
    }
    const Region region = region_of(std::move(spans));
    const RunLengths runs = encode_runs(region, height, width);
    EXPECT_EQ(decode_runs(runs), region) << i;
    EXPECT_EQ(counts_of_text(counts_text(runs.counts)), runs.counts) << i;
  }
}

}  // namespace
}  // namespace segmentum
