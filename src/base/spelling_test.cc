#include "base/spelling.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

TEST(Spelling, DistancesCountedByHand) {
  EXPECT_EQ(edit_distance("width", "width"), 0);
  EXPECT_EQ(edit_distance("widht", "width"), 1);  // neighbours swapped
  EXPECT_EQ(edit_distance("with", "width"), 1);   // one inserted
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("", "abc"), 3);
}

TEST(Spelling, SuggestsWhatIsNear) {
  EXPECT_EQ(did_you_mean("unte", {"fcn8s", "unet"}), "did you mean \"unet\"? ");
  EXPECT_EQ(did_you_mean("nothing", {"fcn8s", "unet"}), "");
  EXPECT_EQ(did_you_mean("unet", {}), "");
}

TEST(Spelling, WordsAreJoined) {
  EXPECT_EQ(joined({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(joined({}), "");
}

}  // namespace
}  // namespace segmentum
