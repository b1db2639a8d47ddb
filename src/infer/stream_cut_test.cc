#include "infer/stream_cut.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

TEST(StreamCut, IsReadBackFromItsText) {
  const StreamCut tiles{{900, 1300, 256, 512}};
  const StreamCut bands{{900, 1300, 1024, 512}, 96};
  EXPECT_EQ(tiles.text(), "parts of 256x512");
  EXPECT_EQ(bands.text(), "parts of 1024x512 in bands of 96");
  EXPECT_EQ(StreamCut::parse(tiles.text(), 900, 1300), tiles);
  EXPECT_EQ(StreamCut::parse(bands.text(), 900, 1300), bands);
}

TEST(StreamCut, OfOtherTextIsNone) {
  for (const char* text : {"", "parts of", "parts of 256", "parts of 0x256", "parts of -1x256",
                           "parts of 256x256 in bands of -8", "parts of 256x256 in bands of",
                           "parts of 256x256, blended by 8", "PARTS of 256x256"}) {
    EXPECT_FALSE(StreamCut::parse(text, 900, 1300)) << text;
  }
}

}  // namespace
}  // namespace segmentum
