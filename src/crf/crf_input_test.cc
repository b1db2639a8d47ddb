// What a CRF refuses, and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "crf/testing.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr CrfSize kSmall{.height = 2, .width = 3};

DenseCrf small_crf() {
  DenseCrf crf(kSmall, 2);
  crf.set_unary(std::vector<float>(12, 0.5f));
  return crf;
}

TEST(CrfInput, SizesMustBePositive) {
  EXPECT_EQ(error_of([] { DenseCrf({.height = 0, .width = 3}, 2); }),
            "a CRF of 1x0x3 pixels; all sides must be positive");
  EXPECT_EQ(error_of([] { DenseCrf(kSmall, 0); }), "a CRF of 0 labels; 1 to 65535 are possible");
  EXPECT_THAT(error_of([] { DenseCrf(kSmall, 2, std::vector<std::uint8_t>(5)); }),
              HasSubstr("has 5 values for 6 pixels"));
}

TEST(CrfInput, UnariesMustFitAndBeFinite) {
  DenseCrf crf = small_crf();
  EXPECT_EQ(error_of([&] { crf.set_unary(std::vector<float>(11)); }),
            "11 unary energies for 6 pixels and 2 labels; 12 are needed, a plane for each label");
  std::vector<float> energies(12, 1.0f);
  for (const float bad : {NAN, kInfinity, -kInfinity}) {
    energies[10] = bad;
    EXPECT_THAT(error_of([&] { crf.set_unary(energies); }),
                HasSubstr("unary of label 1 at pixel (1, 1) is "));
  }
}

TEST(CrfInput, ProbabilitiesMustSumToOne) {
  DenseCrf crf = small_crf();
  std::vector<float> p(12, 0.5f);
  p[10] = 0.7f;
  EXPECT_EQ(error_of([&] { crf.set_unary_probabilities(p); }),
            "the probabilities at pixel (1, 1) sum to 1.2; they must sum to one (a softmax "
            "over the labels does)");
  for (const float bad : {NAN, kInfinity, -0.5f, 1.5f}) {
    p[10] = bad;
    EXPECT_THAT(error_of([&] { crf.set_unary_probabilities(p); }),
                HasSubstr("the probability of label 1 at pixel (1, 1) is "));
  }
  // What rounding leaves beyond 0 and 1 is no error; what is reported does not read as zero.
  p[4] = 1.0005f;
  p[10] = -0.0005f;
  EXPECT_EQ(error_of([&] { crf.set_unary_probabilities(p); }), "");
  p[10] = -0.002f;
  EXPECT_THAT(error_of([&] { crf.set_unary_probabilities(p); }),
              HasSubstr("the probability of label 1 at pixel (1, 1) is -0.002; it must"));
  p[4] = 0.5f;
  p[10] = 1.5f;
  EXPECT_THAT(error_of([&] { crf.set_unary_probabilities(Probabilities(2, 3, 2)); }),
              HasSubstr("2 classes, 2x3 pixels, for a CRF of 2 labels, 3x2"));
  DenseCrf stack({.depth = 2, .height = 1, .width = 3}, 2);
  EXPECT_THAT(error_of([&] { stack.set_unary_probabilities(p); }),
              HasSubstr("at pixel (0, 1) of slice 1 is 1.5"));
}

TEST(CrfInput, LabelsMustBeClassesWithSomeConfidence) {
  DenseCrf crf = small_crf();
  EXPECT_EQ(error_of([&] {
              crf.set_unary_labels(std::vector<std::uint16_t>{0, 1, 0, 1, 2, 0}, 0.7f);
            }),
            "the label at pixel (1, 1) is 2 of 2 classes, counted from 0");
  const std::vector<std::uint16_t> labels(6, 1);
  for (const float bad : {0.5f, 0.0f, 1.0f, 1.2f, NAN}) {
    EXPECT_THAT(error_of([&] { crf.set_unary_labels(labels, bad); }),
                HasSubstr("it must lie between 0.5, which knows nothing, and 1"));
  }
  EXPECT_EQ(error_of([&] { crf.set_unary_labels(std::vector<std::uint16_t>(5), 0.7f); }),
            "5 labels for 6 pixels; give one for each");
}

TEST(CrfInput, SigmasMustBePositive) {
  DenseCrf crf = small_crf();
  const Image picture(2, 3, 3);
  for (const float bad : {0.0f, -1.0f, NAN, kInfinity}) {
    EXPECT_THAT(error_of([&] { crf.add_spatial({.sigma_xy_px = bad}, {}); }),
                HasSubstr("sigma_xy_px is "));
    EXPECT_THAT(error_of([&] { crf.add_bilateral(picture, {.sigma_samples = {bad}}, {}); }),
                HasSubstr("sigma_samples is "));
  }
  EXPECT_THAT(error_of([&] {
                crf.add_bilateral(picture, {.sigma_samples = {1, 2}}, {});
              }),
              HasSubstr("2 values of sigma_samples for 3 channels"));
  EXPECT_THAT(error_of([&] { crf.add_spatial({.sigma_xy_px = 1e-9f}, {}); }),
              HasSubstr("sigmas from zero; it must be finite and at most 100000, which a larger"));
  EXPECT_THAT(error_of([&] { crf.add_spatial({.sigma_xy_px = 1e-42f}, {}); }),
              HasSubstr("sigmas from zero"));
}

TEST(CrfInput, PicturesMustFit) {
  DenseCrf crf = small_crf();
  EXPECT_EQ(error_of([&] { crf.add_bilateral(Image(3, 2, 3), {}, {}); }),
            "the picture is 2x3 pixels but the CRF's labels are 3x2; give a picture of the labels' "
            "size");
  EXPECT_EQ(error_of([&] { crf.add_bilateral(ImageView{}, {}, {}); }),
            "the CRF's picture is empty");
  DenseCrf stack({.depth = 2, .height = 2, .width = 3}, 2);
  const Image grey(2, 3, 1), colour(2, 3, 3);
  EXPECT_THAT(error_of([&] { stack.add_bilateral(grey, {}, {}); }),
              HasSubstr("has 2 slices, and got 1 picture; give one"));
  const std::vector<ImageView> mixed{grey, colour};
  EXPECT_THAT(error_of([&] { stack.add_bilateral(mixed, {}, {}); }),
              HasSubstr("differ in channels or type"));
  const Image bad = make_image<float>(2, 3, 1, {0, 1, NAN, 3, 4, 5});
  EXPECT_THAT(error_of([&] { crf.add_bilateral(bad, {}, {}); }), HasSubstr("is nan sigmas"));
}

TEST(CrfInput, TermsMustBeModerate) {
  DenseCrf crf = small_crf();
  for (const float bad : {NAN, kInfinity, -1e20f}) {
    EXPECT_THAT(error_of([&] { crf.add_spatial({}, {.weight = bad}); }),
                HasSubstr("a kernel's weight is "));
    EXPECT_THAT(error_of([&] {
                  crf.add_spatial({}, {.compatibility = {0, 1, bad, 0}});
                }),
                HasSubstr("a label compatibility is "));
  }
  EXPECT_EQ(error_of([&] {
              crf.add_spatial({}, {.compatibility = {0, 1}});
            }),
            "a compatibility matrix of 2 numbers for 2 labels; it needs 4");
  EXPECT_EQ(crf.add_spatial({}, {}), 0);  // what was refused is not there
  EXPECT_EQ(error_of([&] { crf.set_weight(1, 2); }), "kernel 1 of 1, counted from 0");
}

TEST(CrfInput, FeaturesMustFit) {
  DenseCrf crf = small_crf();
  EXPECT_EQ(error_of([&] { crf.add_features(std::vector<float>(11), 2, {}); }),
            "11 feature values do not make 2 for each of 6 pixels");
  EXPECT_THAT(error_of([&] { crf.add_features(std::vector<float>(366), 61, {}); }),
              HasSubstr("a kernel of 61 features; at most 60"));
  EXPECT_EQ(error_of([&] { crf.add_features(std::vector<float>(360), 60, {}); }), "");
}

TEST(CrfInput, StepsNeedAUnaryAndMarginalsAStart) {
  DenseCrf crf(kSmall, 2);
  EXPECT_THAT(error_of([&] { crf.step(); }), HasSubstr("no unary term"));
  crf.set_unary(std::vector<float>(12));
  EXPECT_THAT(error_of([&] { crf.marginals(); }), HasSubstr("call start() or infer()"));
  EXPECT_THAT(error_of([&] { crf.infer(-1); }), HasSubstr("-1 iterations"));
  crf.start();
  std::vector<float> few(11);
  EXPECT_THAT(error_of([&] { crf.copy_marginals(few); }), HasSubstr("12 are needed"));
}

TEST(CrfSettings, AreCheckedByName) {
  EXPECT_EQ(error_of([] { check(CrfSettings{}); }), "");
  EXPECT_EQ(error_of([] { check(CrfSettings{.iterations = -1}); }),
            "crf iterations are -1; 0 to 1000 are possible");
  EXPECT_EQ(error_of([] { check(CrfSettings{.spatial_sigma_px = 0}); }),
            "crf spatial_sigma_px is 0; it must be positive");
  EXPECT_THAT(error_of([] { check(CrfSettings{.bilateral_sigma_colour = NAN}); }),
              HasSubstr("bilateral_sigma_colour is nan"));
  EXPECT_THAT(error_of([] { check(CrfSettings{.bilateral_weight = -3}); }),
              HasSubstr("bilateral_weight is -3"));
  EXPECT_EQ(error_of([] { check(CrfSettings{.spatial_weight = 0, .bilateral_weight = 0}); }), "");
}

TEST(CrfSettings, PictureAndProbabilitiesMustBeOfOneSize) {
  const Probabilities p = random_probabilities(2, 4, 5, 1);
  EXPECT_EQ(error_of([&] { apply_crf(Image(5, 4, 3), p); }),
            "the picture is 4x5 pixels but its probabilities are 5x4; both must be of one size");
  EXPECT_THAT(error_of([&] { make_crf(Image(5, 4, 3), LabelMap(4, 5), {}, {}); }),
              HasSubstr("its labels are 5x4"));
  const Probabilities one = random_probabilities(1, 1, 1, 2);
  EXPECT_FLOAT_EQ(apply_crf(Image(1, 1, 3), one)(0, 0, 0), 1);  // one label, one pixel
}

}  // namespace
}  // namespace segmentum
