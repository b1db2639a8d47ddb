#include "infer/crf_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/file.h"
#include "base/random.h"
#include "image/codec.h"
#include "infer/make_segmenter.h"
#include "infer/testing.h"
#include "metrics/confusion_matrix.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kHeight = 20, kWidth = 24;

/// A dark and a bright part with some noise, their exact labels, and probabilities whose border is
/// `off` pixels wrong.
CachedPicture two_parts(std::uint32_t seed, int off) {
  RandomStream random(4, 0, seed);
  CachedPicture made{.name = "picture " + std::to_string(seed),
                     .picture = Image(kHeight, kWidth, 1),
                     .truth = LabelMap(kHeight, kWidth),
                     .probabilities = Probabilities(2, kHeight, kWidth)};
  const int edge = 8 + static_cast<int>(random.below(8));
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      made.picture.row<std::uint8_t>(y)[x] =
          static_cast<std::uint8_t>((x < edge ? 60 : 160) + random.below(12));
      made.truth(y, x) = x < edge ? 0 : 1;
      const float right = x < edge + off ? 0.25f : 0.75f;
      made.probabilities.row(1, y)[x] = right;
      made.probabilities.row(0, y)[x] = 1 - right;
    }
  }
  return made;
}

void fill(ProbabilityCache& cache, int off) {
  for (std::uint32_t seed = 0; seed < 3; ++seed) cache.add(two_parts(seed, off));
}

/// The numbers of a search that takes little time.
CrfSearchOptions small_search() {
  CrfSearchOptions options{.grid = {}, .refinements = 12};
  for (const float weight : {0.01f, 3.0f}) {
    options.grid.push_back({.iterations = 3,
                            .spatial_weight = 1,
                            .bilateral_sigma_px = 20,
                            .bilateral_sigma_colour = 10,
                            .bilateral_weight = weight});
  }
  return options;
}

std::string complaint(const std::function<void()>& call) {
  try {
    call();
    return "none";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(CrfSearch, DeepLabsGrid) {
  const std::vector<CrfSettings> grid = deeplab_grid();
  EXPECT_EQ(grid.size(), 8u * 4 * 4);
  std::set<std::tuple<float, float, float>> distinct;
  for (const CrfSettings& one : grid) {
    EXPECT_EQ(one.spatial_weight, 3);
    EXPECT_EQ(one.spatial_sigma_px, 3);
    EXPECT_EQ(one.iterations, 10);
    distinct.emplace(one.bilateral_weight, one.bilateral_sigma_px, one.bilateral_sigma_colour);
  }
  EXPECT_EQ(distinct.size(), grid.size());
  EXPECT_EQ(std::get<1>(*distinct.rbegin()), 100);
}

TEST(CrfSearch, ByMeanIouThenByBorders) {
  EXPECT_TRUE(better({.mean_iou = 0.6}, {.mean_iou = 0.5, .boundary_f = 1}));
  EXPECT_TRUE(better({.mean_iou = 0.5, .boundary_f = 0.1}, {.mean_iou = 0.5}));
  EXPECT_FALSE(better({.mean_iou = 0.5}, {.mean_iou = 0.5}));
}

TEST(CrfSearch, FindsSettingsThatMoveBordersWhereTheyBelong) {
  ProbabilityCache cache(1 << 20);
  fill(cache, 2);
  const CrfSearchOptions options = small_search();
  const CrfSearch search = search_crf(cache, options);
  EXPECT_TRUE(search.improves());
  EXPECT_GT(search.trials.size(), options.grid.size());
  EXPECT_LE(search.trials.size(), options.grid.size() + 12);
  EXPECT_EQ(search.trials[0].settings, options.grid[0]);
  std::set<std::string> distinct;
  for (const CrfTrial& trial : search.trials) {
    EXPECT_FALSE(better(trial.scores, search.best().scores));
    const CrfSettings& s = trial.settings;
    distinct.insert(std::to_string(s.bilateral_weight) + " " +
                    std::to_string(s.bilateral_sigma_px) + " " +
                    std::to_string(s.bilateral_sigma_colour) + " " +
                    std::to_string(s.spatial_weight) + " " + std::to_string(s.spatial_sigma_px));
  }
  EXPECT_EQ(distinct.size(), search.trials.size());  // none is tried twice
}

TEST(CrfSearch, SaysSoWhereNothingHelps) {
  ProbabilityCache cache(1 << 20);
  fill(cache, 0);
  const CrfSearch search = search_crf(cache, small_search());
  EXPECT_EQ(search.before.mean_iou, 1);
  EXPECT_FALSE(search.improves());
}

// Sharing lattices, and reading pictures back from a file, change no number.
TEST(CrfSearch, ScoresAreThoseOfEachSettingByItself) {
  ProbabilityCache in_memory(1 << 20), in_file(0);
  fill(in_memory, 2);
  fill(in_file, 2);
  const CrfSearchOptions options = small_search();
  const CrfSearch a = search_crf(in_memory, options), b = search_crf(in_file, options);
  ASSERT_EQ(a.trials.size(), b.trials.size());
  for (std::size_t i = 0; i < a.trials.size(); ++i) {
    EXPECT_EQ(a.trials[i].settings, b.trials[i].settings);
    EXPECT_EQ(a.trials[i].scores.mean_iou, b.trials[i].scores.mean_iou);
    ConfusionMatrix alone(2);
    for_each_labelling(in_memory, a.trials[i].settings,
                       [&](const CachedPicture& picture, const LabelMap& labels) {
                         alone.add(labels, picture.truth);
                       });
    EXPECT_EQ(scores(alone).mean_iou, a.trials[i].scores.mean_iou);
  }
}

TEST(CrfSearch, NothingToSearch) {
  ProbabilityCache cache(0);
  EXPECT_THAT(complaint([&] { search_crf(cache, {}); }), HasSubstr("needs pictures and settings"));
  fill(cache, 1);
  EXPECT_THROW(search_crf(cache, {.grid = {}}), Error);
}

TEST(CrfSearch, AnErrorNamesThePicture) {
  ProbabilityCache cache(1 << 20);
  CachedPicture broken = two_parts(7, 1);
  broken.probabilities.row(0, 3)[5] = 0.9f;
  cache.add(std::move(broken));
  EXPECT_THAT(complaint([&] { search_crf(cache, small_search()); }), HasSubstr("picture 7: "));
}

TEST(CrfSearch, StopsWhenAsked) {
  class Stop : public ProgressSink {
   public:
    void begin(const std::string&, std::int64_t, const std::string&) override {}
    void update(std::int64_t n, const std::string&) override { done = n; }
    void end() override {}
    void message(const std::string&) override {}
    bool stop_requested() override { return done == 2; }
    std::int64_t done = 0;
  } progress;
  ProbabilityCache cache(1 << 20);
  fill(cache, 1);
  EXPECT_THROW(search_crf(cache, small_search(), &progress), Interrupted);
}

/// A data set of small pictures for `tiny_model`, which knows three classes.
class GatherProbabilities : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    dataset_.root = fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "crf_search" / test->name();
    fs::remove_all(dataset_.root);
    fs::create_directories(dataset_.root);
    dataset_.classes = {{"sky", {}}, {"road", {}}, {"tree", {}}};
    dataset_.encoding.to_class = {{0, 0}, {1, 1}, {2, 2}};
    for (int i = 0; i < 6; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      write_png(dataset_.root / (name + ".png"), noise_picture(7, 9, static_cast<unsigned>(i)));
      write_png(dataset_.root / (name + "_mask.png"), Image(7, 9, 1));
      dataset_.splits["val"].push_back({name, name + ".png", name + "_mask.png", "", ""});
    }
  }

  Dataset dataset_;
};

TEST_F(GatherProbabilities, SpreadsOverTheSplitAndSkipsWhatFails) {
  write_file(dataset_.root / "c.png", "no picture");
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  ProbabilityCache all(1 << 20);
  const std::vector<std::string> failures =
      gather_probabilities(segmenter, dataset_, "val", 0, all);
  EXPECT_THAT(failures, testing::ElementsAre(HasSubstr("c.png")));
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all.at(2).name, "d");
  const Probabilities expected = segmenter.probabilities(noise_picture(7, 9, 3));
  EXPECT_THAT(all.at(2).probabilities.values(), testing::ElementsAreArray(expected.values()));

  ProbabilityCache some(1 << 20);
  EXPECT_TRUE(gather_probabilities(segmenter, dataset_, "val", 3, some).size() == 1);  // a, c, e
  EXPECT_EQ(some.at(1).name, "e");
}

TEST_F(GatherProbabilities, ErrorsSayWhatWouldWork) {
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  ProbabilityCache cache(1 << 20);
  const auto says = [&](const std::string& split) {
    return complaint([&] { gather_probabilities(segmenter, dataset_, split, 0, cache); });
  };
  EXPECT_THAT(says("test"), HasSubstr("has no split \"test\""));
  for (Sample& sample : dataset_.splits["val"]) sample.image = "absent.png";
  EXPECT_THAT(says("val"), HasSubstr("none of 6 pictures could be segmented"));
  for (Sample& sample : dataset_.splits["val"]) sample.mask.clear();
  EXPECT_THAT(says("val"), HasSubstr("has no picture with a mask; a search needs masks"));
  dataset_.classes.pop_back();
  EXPECT_THAT(says("val"), HasSubstr("tells 3 classes apart, the data set has 2"));
}

}  // namespace
}  // namespace segmentum
