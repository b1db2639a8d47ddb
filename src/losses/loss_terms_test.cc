#include "losses/loss_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

TEST(LossTerms, ReadsSums) {
  EXPECT_EQ(parse_loss("cross_entropy"), (LossTerms{{LossKind::cross_entropy, 1}}));
  EXPECT_EQ(parse_loss("cross_entropy + 0.5*dice"),
            (LossTerms{{LossKind::cross_entropy, 1}, {LossKind::dice, 0.5}}));
  EXPECT_EQ(parse_loss("2*lovasz+1e-2*boundary"),
            (LossTerms{{LossKind::lovasz, 2}, {LossKind::boundary, 0.01}}));
}

TEST(LossTerms, WritesWhatItReads) {
  for (const char* text : {"cross_entropy", "focal", "tversky", "ohem", "top_k", "lovasz",
                           "cross_entropy+0.5*dice+0.01*boundary"}) {
    EXPECT_EQ(loss_text(parse_loss(text)), text);
  }
}

TEST(LossTerms, RefusesWhatIsNoLoss) {
  for (const char* text :
       {"", "dise", "dice+", "+dice", "0*dice", "-1*dice", "x*dice", "2*", "*dice", "nan*dice"}) {
    EXPECT_THAT([&] { parse_loss(text); },
                testing::Throws<Error>(testing::Property(
                    &Error::what, testing::HasSubstr("one of cross_entropy, focal, dice"))))
        << text;
  }
}

}  // namespace
}  // namespace segmentum
