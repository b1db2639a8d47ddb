// Mean field: by hand, beside plain loops with the exact filter, and its promises with the lattice.
#include "segmentum/crf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "crf/testing.h"

namespace segmentum {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

constexpr CrfOptions kExact{.filter = CrfOptions::Filter::exact};

std::vector<float> values_of(const DenseCrf& crf) {
  const Probabilities marginals = crf.marginals();
  return {marginals.values().begin(), marginals.values().end()};
}

// One pixel sees itself through the lattice with 9/10 of the weight (see filter_test), and is
// equally sure of both labels but for the unary: log odds 1, then 1 + 0.9 * 2 * (p - q).
TEST(DenseCrf, OfOnePixelByHand) {
  DenseCrf crf({}, 2);
  crf.set_unary(std::vector<float>{0, 1});
  crf.add_spatial({}, {.weight = 2, .normalisation = CrfNormalisation::none});
  crf.start();
  const double p = 1 / (1 + std::exp(-1.0));
  EXPECT_THAT(values_of(crf), ElementsAre(FloatNear(p, 1e-6), FloatNear(1 - p, 1e-6)));
  crf.step();
  const double next = 1 / (1 + std::exp(-1 - 1.8 * (2 * p - 1)));
  EXPECT_THAT(values_of(crf), ElementsAre(FloatNear(next, 1e-6), FloatNear(1 - next, 1e-6)));
}

// Two pixels one sigma apart, kernel exp(-1/2) between them and 1 to themselves, weight 1:
// log odds of pixel 0 after a step are its unary's, plus its own p - q, plus exp(-1/2) times the
// other's.
TEST(DenseCrf, OfTwoPixelsByHand) {
  DenseCrf crf({.height = 1, .width = 2}, 2, {}, kExact);
  crf.set_unary(std::vector<float>{0, 2, 1, 0});  // label 0 of both, label 1 of both
  crf.add_spatial({.sigma_xy_px = 1}, {.normalisation = CrfNormalisation::none});
  crf.start();
  const double a = std::tanh(0.5), b = std::tanh(-1.0);  // p - q for log odds 1 and -2
  const double k = std::exp(-0.5);
  crf.step();
  const auto p = [](double log_odds) { return static_cast<float>(1 / (1 + std::exp(-log_odds))); };
  EXPECT_THAT(values_of(crf),
              ElementsAre(FloatNear(p(1 + a + k * b), 1e-6), FloatNear(p(-2 + b + k * a), 1e-6),
                          FloatNear(p(-1 - a - k * b), 1e-6), FloatNear(p(2 - b - k * a), 1e-6)));
}

TEST(DenseCrf, FreeEnergyByHand) {
  DenseCrf crf({.height = 1, .width = 2}, 2, {}, kExact);
  crf.set_unary(std::vector<float>{0, 0, 0, 0});
  crf.add_spatial({.sigma_xy_px = 1}, {.weight = 3, .normalisation = CrfNormalisation::none});
  crf.start();
  // Entropy 2 log 2; a pair disagrees with probability 1/2. Half of each pixel with itself, and
  // the pair.
  const double expected = -2 * std::log(2.0) + 3 * 0.5 * (0.5 * 2 * 1 + std::exp(-0.5));
  EXPECT_NEAR(crf.free_energy(), expected, 1e-5);
  EXPECT_NEAR(crf.step().free_energy_before, expected, 1e-5);
}

TEST(DenseCrf, WithoutKernelsIsTheSoftmaxOfTheUnary) {
  DenseCrf crf({.height = 1, .width = 2}, 3);
  crf.set_unary_probabilities(std::vector<float>{0.2f, 1, 0.3f, 0, 0.5f, 0});
  const std::vector<CrfStep> steps = crf.infer(2);
  const float floor = 1e-5f / (1 + 2e-5f);  // nothing is beyond doubt
  EXPECT_THAT(values_of(crf),
              Pointwise(FloatNear(1e-6f), {0.2f, 1 - 2 * floor, 0.3f, floor, 0.5f, floor}));
  EXPECT_NEAR(steps[1].change, 0, 1e-7);
  EXPECT_THAT(crf.most_likely().labels(), ElementsAre(2, 0));
}

TEST(DenseCrf, GivesItsMarginalsAway) {
  DenseCrf crf({}, 2);
  crf.set_unary(std::vector<float>{0, 1});
  crf.infer(1);
  const Probabilities kept = crf.marginals();
  const Probabilities given = std::move(crf).marginals();
  EXPECT_TRUE(std::ranges::equal(kept.values(), given.values()));
}

/// A CRF with two kernels, in our form with the exact filter and in plain loops.
struct TwoForms {
  TwoForms(int labels, const CrfTerm& spatial, const CrfTerm& bilateral)
      : picture(blotchy_picture<std::uint8_t>(kHeight, kWidth, 3, 21)),
        probabilities(random_probabilities(labels, kHeight, kWidth, 22)),
        crf({.height = kHeight, .width = kWidth}, labels, {}, kExact),
        plain(labels, unary(), {{positions(2), spatial}, {colours(6, 15), bilateral}}) {
    crf.set_unary_probabilities(probabilities);
    crf.add_spatial({.sigma_xy_px = 2}, spatial);
    crf.add_bilateral(picture, {.sigma_xy_px = 6, .sigma_samples = {15}}, bilateral);
  }

  static constexpr int kHeight = 9, kWidth = 13;
  Image picture;
  Probabilities probabilities;
  DenseCrf crf;
  PlainMeanField plain;

  /// The largest difference of any marginal.
  double difference() const {
    const Probabilities ours = crf.marginals();
    const int labels = ours.classes();
    double largest = 0;
    for (int i = 0; i < kHeight * kWidth; ++i) {
      for (int k = 0; k < labels; ++k) {
        const double theirs = plain.marginals()[i * labels + k];
        largest = std::max(
            largest, std::fabs(theirs - static_cast<double>(ours(k, i / kWidth, i % kWidth))));
      }
    }
    return largest;
  }

 private:
  std::vector<double> unary() const {
    std::vector<double> u;
    for (int i = 0; i < kHeight * kWidth; ++i) {
      for (int k = 0; k < probabilities.classes(); ++k) {
        const double p = static_cast<double>(probabilities(k, i / kWidth, i % kWidth));
        u.push_back(-std::log(std::max(p, 1e-5)));
      }
    }
    return u;
  }
  static std::vector<std::vector<double>> positions(double sigma) {
    std::vector<std::vector<double>> f;
    for (int i = 0; i < kHeight * kWidth; ++i) {
      const int x = i % kWidth, y = i / kWidth;
      f.push_back({x / sigma, y / sigma});
    }
    return f;
  }
  std::vector<std::vector<double>> colours(double sigma, double sigma_colour) const {
    std::vector<std::vector<double>> f = positions(sigma);
    for (int i = 0; i < kHeight * kWidth; ++i) {
      const std::uint8_t* rgb = picture.row<std::uint8_t>(i / kWidth) + i % kWidth * 3;
      for (int c = 0; c < 3; ++c) f[i].push_back(rgb[c] / sigma_colour);
    }
    return f;
  }
};

std::vector<float> random_costs(int labels, std::uint32_t seed) {
  RandomStream random(seed, 0, 0);
  std::vector<float> costs(static_cast<std::size_t>(labels) * labels);
  for (float& c : costs) c = static_cast<float>(random.uniform(-1, 2));
  return costs;
}

class MeanFieldForms : public testing::TestWithParam<CrfNormalisation> {};

TEST_P(MeanFieldForms, AgreeWithPlainLoops) {
  for (const int labels : {1, 2, 8, 21}) {
    for (const bool matrix : {false, true}) {
      const CrfTerm spatial{.weight = 0.7f, .normalisation = GetParam()};
      CrfTerm bilateral{.weight = 1.1f, .normalisation = GetParam()};
      if (matrix) bilateral.compatibility = random_costs(labels, 23);
      if (GetParam() == CrfNormalisation::none) bilateral.weight = 0.05f;
      TwoForms forms(labels, spatial, bilateral);
      forms.crf.start();
      for (int i = 0; i < 5; ++i) {
        const double energy = forms.plain.free_energy();
        const double rounding = 1e-5 * std::fabs(energy) + 1e-3;  // terms may cancel
        EXPECT_NEAR(forms.crf.free_energy(), energy, rounding);
        EXPECT_NEAR(forms.crf.step().free_energy_before, energy, rounding);
        forms.plain.step();
        // Single precision in sums over 117 pixels, and what a step makes of it.
        EXPECT_LT(forms.difference(), 2e-5) << labels << " labels, step " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Normalisations, MeanFieldForms,
                         testing::Values(CrfNormalisation::symmetric, CrfNormalisation::before,
                                         CrfNormalisation::after, CrfNormalisation::none));

TEST(DenseCrf, AMatrixOfOnesBesideZerosIsPotts) {
  const int labels = 5;
  CrfTerm term{.weight = 3};
  TwoForms potts(labels, term, term);
  for (int i = 0; i < labels * labels; ++i) {
    term.compatibility.push_back(i % (labels + 1) == 0 ? 0.0f : 1.0f);
  }
  TwoForms matrix(labels, term, term);
  const auto a = potts.crf.infer(4), b = matrix.crf.infer(4);
  EXPECT_THAT(values_of(potts.crf), Pointwise(FloatNear(1e-5f), values_of(matrix.crf)));
  EXPECT_NEAR(a[3].free_energy_before, b[3].free_energy_before, 1e-3);
}

DenseCrf usual_crf(const Image& picture, const Probabilities& p, const CrfOptions& options = {},
                   const CrfSettings& settings = {.bilateral_sigma_px = 20}) {
  return make_crf(picture, p, settings, options);
}

TEST(DenseCrf, BitsDoNotDependOnThreads) {
  const Image picture = blotchy_picture<std::uint8_t>(150, 200, 3, 31);
  const Probabilities p = random_probabilities(21, 150, 200, 32);
  std::vector<float> alone;
  std::vector<CrfStep> steps_alone;
  for (const int threads : {1, 2, 3}) {
    DenseCrf crf = usual_crf(picture, p, {.threads = threads});
    const std::vector<CrfStep> steps = crf.infer(3);
    const std::vector<float> values = values_of(crf);
    if (threads == 1) {
      alone = values;
      steps_alone = steps;
    }
    ASSERT_TRUE(values == alone) << threads;
    EXPECT_EQ(steps[2].free_energy_before, steps_alone[2].free_energy_before);
    EXPECT_EQ(steps[2].change, steps_alone[2].change);
  }
}

TEST(DenseCrf, LowersTheFreeEnergyAndSettles) {
  const Image picture = blotchy_picture<std::uint8_t>(60, 80, 3, 33);
  DenseCrf crf = usual_crf(picture, random_probabilities(4, 60, 80, 34));
  const std::vector<CrfStep> steps = crf.infer(12);
  // Parallel updates need not lower it every time; these do at first, by far more than rounding.
  EXPECT_LT(steps[1].free_energy_before, steps[0].free_energy_before);
  EXPECT_LT(steps[11].free_energy_before, steps[1].free_energy_before);
  EXPECT_GT(steps[0].change, 0.02);
  EXPECT_LT(steps[11].change, 0.2 * steps[0].change);
}

TEST(DenseCrf, FollowsThePicture) {
  // Two halves, dark and bright; a network that is right at 70 % of pixels.
  Image picture(40, 40, 1);
  LabelMap truth(40, 40);
  LabelMap labels(40, 40);
  RandomStream random(35, 0, 0);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) {
      truth(y, x) = x < 17 ? 0 : 1;
      picture.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(x < 17 ? 50 : 160);
      labels(y, x) = random.chance(0.7) ? truth(y, x) : 1 - truth(y, x);
    }
  }
  DenseCrf crf = make_crf(picture, labels, {.classes = 2}, {.bilateral_sigma_px = 20});
  crf.infer(5);
  EXPECT_TRUE(crf.most_likely() == truth);
}

TEST(DenseCrf, IgnoredPixelsTakeNoPart) {
  const int height = 20, width = 30, pixels = height * width;
  Image picture = blotchy_picture<float>(height, width, 2, 36, 1 / 255.0f);
  Probabilities p = random_probabilities(3, height, width, 37);
  std::vector<std::uint8_t> ignored(pixels, 0);
  for (int i = 0; i < pixels; i += 7) ignored[i] = 1;
  const auto marginals = [&] {
    DenseCrf crf({.height = height, .width = width}, 3, ignored);
    crf.set_unary_probabilities(p);
    crf.add_spatial({}, {.weight = 3});
    crf.add_bilateral(picture, {.sigma_xy_px = 10, .sigma_samples = {0.05f}}, {.weight = 5});
    crf.infer(3);
    EXPECT_EQ(crf.most_likely().labels()[7], kIgnoreLabel);
    return values_of(crf);
  };
  const std::vector<float> before = marginals();
  for (int i = 0; i < pixels; i += 7) {
    picture.row<float>(i / width)[i % width * 2] = NAN;
    p.row(1, i / width)[i % width] = NAN;
  }
  const std::vector<float> after = marginals();
  EXPECT_TRUE(before == after);
  for (int i = 0; i < 3; ++i) EXPECT_FLOAT_EQ(after[i * pixels + 14], 1.0f / 3);
}

TEST(DenseCrf, AllIgnoredIsNothing) {
  DenseCrf crf({.height = 2, .width = 2}, 2, std::vector<std::uint8_t>(4, 1));
  crf.set_unary(std::vector<float>(8, NAN));
  crf.add_spatial({}, {});
  crf.infer(2);
  EXPECT_THAT(values_of(crf), testing::Each(0.5f));
}

TEST(DenseCrf, ScribblesFillWhatIsAround) {
  Image picture(1, 30, 1);
  LabelMap labels(1, 30, kIgnoreLabel);
  for (int x = 0; x < 30; ++x) picture.row<std::uint8_t>(0)[x] = x < 12 ? 20 : 200;
  labels(0, 3) = 1;
  labels(0, 25) = 0;
  const CrfSettings settings{.bilateral_sigma_px = 30};
  DenseCrf filled = make_crf(picture, labels,
                             {.classes = 2, .confidence = 0.99f, .fill_ignored = true}, settings);
  filled.infer(10);
  for (int x = 0; x < 30; ++x) EXPECT_EQ(filled.most_likely()(0, x), x < 12 ? 1 : 0) << x;
  DenseCrf kept = make_crf(picture, labels, {.classes = 2, .confidence = 0.99f}, settings);
  kept.infer(10);
  EXPECT_EQ(kept.most_likely()(0, 4), kIgnoreLabel);
  EXPECT_EQ(kept.most_likely()(0, 3), 1);
}

TEST(DenseCrf, SixteenBitsAndFloatsAreThePictureOfEight) {
  const Image eight = blotchy_picture<std::uint8_t>(30, 40, 3, 38);
  const Image sixteen = blotchy_picture<std::uint16_t>(30, 40, 3, 38, 257);
  const Image real = blotchy_picture<float>(30, 40, 3, 38, 1 / 255.0f);
  const Probabilities p = random_probabilities(4, 30, 40, 39);
  const auto marginals = [&](const Image& picture) {
    const Probabilities q = apply_crf(picture, p, {.iterations = 3, .bilateral_sigma_px = 20});
    return std::vector<float>(q.values().begin(), q.values().end());
  };
  const std::vector<float> expected = marginals(eight);
  // Features that differ in their last bits may lie in another simplex.
  EXPECT_THAT(marginals(sixteen), Pointwise(FloatNear(2e-3f), expected));
  EXPECT_THAT(marginals(real), Pointwise(FloatNear(2e-3f), expected));
}

TEST(DenseCrf, OneSigmaPerChannelAndStridedRows) {
  const Image picture = blotchy_picture<std::uint8_t>(16, 20, 4, 40);
  const Probabilities p = random_probabilities(3, 16, 20, 41);
  const auto marginals = [&](ImageView view, std::vector<float> sigmas) {
    DenseCrf crf({.height = view.height, .width = view.width}, 3);
    crf.set_unary_probabilities(p);
    crf.add_bilateral(view, {.sigma_xy_px = 8, .sigma_samples = std::move(sigmas)}, {.weight = 4});
    crf.infer(2);
    return values_of(crf);
  };
  EXPECT_TRUE(marginals(picture, {13}) == marginals(picture, {13, 13, 13, 13}));
  EXPECT_FALSE(marginals(picture, {13}) == marginals(picture, {13, 13, 13, 2}));
  std::vector<std::uint8_t> padded(16 * 96, 77);
  for (int y = 0; y < 16; ++y) std::copy_n(picture.row<std::uint8_t>(y), 80, &padded[y * 96]);
  EXPECT_TRUE(marginals({padded.data(), 16, 20, 4, PixelType::u8, 96}, {13}) ==
              marginals(picture, {13}));
}

TEST(DenseCrf, FeaturesOfTheCallerAreTheBuiltInKernels) {
  const int height = 12, width = 17;
  const Image picture = blotchy_picture<std::uint8_t>(height, width, 3, 42);
  const Probabilities p = random_probabilities(3, height, width, 43);
  std::vector<float> features;
  for (int i = 0; i < height * width; ++i) {
    const std::uint8_t* rgb = picture.row<std::uint8_t>(i / width) + i % width * 3;
    for (const int position : {i % width, i / width}) {
      features.push_back(static_cast<float>(position) * (1 / 8.0f));
    }
    for (int c = 0; c < 3; ++c) features.push_back(static_cast<float>(rgb[c]) * (1 / 16.0f));
  }
  DenseCrf given({.height = height, .width = width}, 3);
  given.set_unary_probabilities(p);
  EXPECT_EQ(given.add_features(features, 5, {.weight = 4}), 0);
  given.infer(3);
  DenseCrf built({.height = height, .width = width}, 3);
  built.set_unary_probabilities(p);
  built.add_bilateral(picture, {.sigma_xy_px = 8, .sigma_samples = {16}}, {.weight = 4});
  built.infer(3);
  EXPECT_TRUE(values_of(given) == values_of(built));
}

TEST(DenseCrf, AWeightCanBeChangedLater) {
  const Image picture = blotchy_picture<std::uint8_t>(16, 20, 3, 44);
  const Probabilities p = random_probabilities(3, 16, 20, 45);
  DenseCrf crf = usual_crf(picture, p);
  crf.infer(2);
  EXPECT_EQ(crf.kernels(), 2);
  crf.set_weight(1, 4);
  crf.infer(3);
  DenseCrf other = usual_crf(picture, p, {}, {.bilateral_sigma_px = 20, .bilateral_weight = 4});
  other.infer(3);
  EXPECT_TRUE(values_of(crf) == values_of(other));
}

// A stack whose slices are too far apart to hear each other is so many pictures.
TEST(DenseCrf, StacksJoinSlices) {
  const int height = 10, width = 14;
  const Image a = blotchy_picture<std::uint16_t>(height, width, 1, 46, 200);
  const Image b = blotchy_picture<std::uint16_t>(height, width, 1, 47, 200);
  const std::vector<ImageView> slices{a, b, a};
  const Probabilities p = random_probabilities(2, 3 * height, width, 48);
  const auto marginals = [&](float sigma_z) {
    DenseCrf crf({.depth = 3, .height = height, .width = width}, 2, {}, kExact);
    crf.set_unary_probabilities(p);
    crf.add_spatial({.sigma_xy_px = 2, .sigma_z_px = sigma_z}, {.weight = 2});
    crf.add_bilateral(slices, {.sigma_xy_px = 8, .sigma_z_px = sigma_z, .sigma_samples = {3000}},
                      {.weight = 3});
    crf.infer(3);
    return crf.marginals();
  };
  const Probabilities apart = marginals(0.05f), joined = marginals(2);
  Probabilities middle(2, height, width);
  for (int k = 0; k < 2; ++k) {
    for (int y = 0; y < height; ++y) std::copy_n(p.row(k, height + y), width, middle.row(k, y));
  }
  DenseCrf flat({.height = height, .width = width}, 2, {}, kExact);
  flat.set_unary_probabilities(middle);
  flat.add_spatial({.sigma_xy_px = 2}, {.weight = 2});
  flat.add_bilateral(b, {.sigma_xy_px = 8, .sigma_samples = {3000}}, {.weight = 3});
  flat.infer(3);
  double difference = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      EXPECT_NEAR(apart(1, height + y, x), flat.marginals()(1, y, x), 1e-5);
      difference += std::fabs(static_cast<double>(joined(1, height + y, x)) -
                              static_cast<double>(apart(1, height + y, x)));
    }
  }
  EXPECT_GT(difference, 1.0);
}

TEST(DenseCrf, ManyLabels) {
  const Image picture = blotchy_picture<std::uint8_t>(20, 25, 3, 49);
  const Probabilities p = random_probabilities(300, 20, 25, 50);
  const Probabilities q = apply_crf(picture, p, {.iterations = 3, .bilateral_sigma_px = 20});
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 25; ++x) {
      double sum = 0;
      for (int k = 0; k < 300; ++k) sum += static_cast<double>(q(k, y, x));
      ASSERT_NEAR(sum, 1, 1e-4);
    }
  }
}

TEST(DenseCrf, AConstantPictureIsSmoothed) {
  const Image picture(30, 30, 3);
  Probabilities p(2, 30, 30);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 30; ++x) {
      const float one = x == 10 && y == 20 ? 0.8f : 0.3f;
      p.row(0, y)[x] = 1 - one;
      p.row(1, y)[x] = one;
    }
  }
  const Probabilities q = apply_crf(picture, p);
  for (const float v : q.values().subspan(900)) EXPECT_LT(v, 0.1f);
}

class Recorder : public ProgressSink {
 public:
  void begin(const std::string& task, std::int64_t total, const std::string& unit) override {
    begun = task + " " + std::to_string(total) + " " + unit;
  }
  void update(std::int64_t done, const std::string& detail) override {
    last = std::to_string(done) + " " + detail.substr(0, 12);
  }
  void end() override { ended = true; }
  void message(const std::string&) override {}
  bool stop_requested() override { return stop; }

  std::string begun, last;
  bool ended = false, stop = false;
};

TEST(DenseCrf, TellsItsProgressAndStops) {
  const Image picture = blotchy_picture<std::uint8_t>(8, 9, 3, 51);
  const Probabilities p = random_probabilities(2, 8, 9, 52);
  Recorder recorder;
  apply_crf(picture, p, {}, {}, &recorder);
  EXPECT_EQ(recorder.begun, "mean field 10 step");
  EXPECT_EQ(recorder.last, "10 free energy ");
  EXPECT_TRUE(recorder.ended);
  recorder.stop = true;
  EXPECT_THROW(apply_crf(picture, p, {}, {}, &recorder), Interrupted);
}

}  // namespace
}  // namespace segmentum
