#include "data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "data/picture_cache.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// `count` pictures of 12x10; picture i has the grey 10 * i and the label i % 2.
Dataset greys(const TemporaryFolder& folder, int count) {
  Dataset dataset;
  dataset.root = folder.path();
  dataset.classes = {{"even", {}}, {"odd", {}}};
  dataset.encoding.to_class = {{0, 0}, {1, 1}};
  dataset.channels = 1;
  for (int i = 0; i < count; ++i) {
    const std::string name = std::to_string(i) + ".png";
    Image image(10, 12, 1), mask(10, 12, 1);
    std::fill_n(image.data(), 120, static_cast<std::byte>(10 * i));
    std::fill_n(mask.data(), 120, static_cast<std::byte>(i % 2));
    folder.png("images/" + name, image);
    folder.png("masks/" + name, mask);
    dataset.splits["train"].push_back(
        {.name = std::to_string(i), .image = "images/" + name, .mask = "masks/" + name});
  }
  return dataset;
}

LoaderOptions small_batches() {
  LoaderOptions options{.batch_size = 3};
  options.augment.crop_height = 8;
  options.augment.crop_width = 6;
  options.preprocess = {.mean = {0}, .std = {1}};
  options.seed = 11;
  return options;
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_EQ(a.labels, b.labels);
  ASSERT_EQ(a.images.shape(), b.images.shape());
  EXPECT_TRUE(std::ranges::equal(a.images.values(), b.images.values()));
}

TEST(Loader, BatchesHoldPicturesWithTheirLabels) {
  const TemporaryFolder folder;
  Loader loader(greys(folder, 5), small_batches());
  EXPECT_EQ(loader.sample_count(), 5);
  const Batch batch = loader.next();
  EXPECT_EQ(batch.images.shape(), Shape({3, 1, 8, 6}));
  ASSERT_THAT(batch.labels, SizeIs(3 * 8 * 6));
  ASSERT_THAT(batch.samples, SizeIs(3));
  for (int n = 0; n < 3; ++n) {
    const int i = batch.samples[n];
    for (int p = 0; p < 48; ++p) {
      EXPECT_FLOAT_EQ(batch.images.values()[n * 48 + p], static_cast<float>(10 * i) / 255);
      const int label = batch.labels[n * 48 + p];
      EXPECT_TRUE(label == i % 2 || label == kIgnoreLabel) << label;
    }
  }
}

TEST(Loader, EveryEpochShowsEverySampleOnceAcrossTheBordersOfBatches) {
  const TemporaryFolder folder;
  Loader loader(greys(folder, 5), small_batches());
  std::vector<int> shown;
  for (int step = 0; step < 10; ++step) {
    for (const int i : loader.next().samples) shown.push_back(i);
  }
  for (int epoch = 0; epoch < 6; ++epoch) {
    const std::set<int> seen(shown.begin() + 5 * epoch, shown.begin() + 5 * epoch + 5);
    EXPECT_THAT(seen, SizeIs(5)) << "epoch " << epoch;
  }
  EXPECT_NE(epoch_order(5, 11, 0), epoch_order(5, 11, 1));
  EXPECT_EQ(std::vector<int>(shown.begin(), shown.begin() + 5), epoch_order(5, 11, 0));
}

TEST(Loader, BatchesDependOnSeedAndStepAlone) {
  const TemporaryFolder folder;
  const Dataset dataset = greys(folder, 7);
  LoaderOptions options = small_batches();
  options.augment.noise = 0.1;
  Loader one(dataset, options);
  LoaderOptions others = options;
  others.workers = 3;
  others.prefetch = 1;
  others.cache_bytes = 0;
  Loader three(dataset, others);
  others.first_step = 4;  // as after a resume
  Loader resumed(dataset, others);
  for (int step = 0; step < 8; ++step) {
    const Batch batch = one.next();
    expect_same(batch, three.next());
    if (step >= 4) expect_same(batch, resumed.next());
  }
  options.seed = 12;
  Loader other_seed(dataset, options);
  Loader again(dataset, small_batches());
  EXPECT_FALSE(std::ranges::equal(other_seed.next().images.values(), again.next().images.values()));
}

TEST(Loader, ErrorsOfWorkersNameTheFile) {
  const TemporaryFolder folder;
  const Dataset dataset = greys(folder, 3);
  folder.text("masks/1.png", "this is no picture");
  Loader loader(dataset, small_batches());
  for (int call = 0; call < 2; ++call) {
    EXPECT_THAT(error_of([&] { loader.next(); }), HasSubstr("masks/1.png"));
  }
}

TEST(Loader, PicturesOfSeveralSizesDoNotMakeABatchWithoutACrop) {
  const TemporaryFolder folder;
  Dataset dataset = greys(folder, 3);
  folder.grey("images/1.png", {1, 2});
  folder.grey("masks/1.png", {1, 1});
  LoaderOptions options = small_batches();
  options.augment.crop_height = options.augment.crop_width = 0;
  Loader loader(dataset, options);
  EXPECT_THAT(error_of([&] { loader.next(); }), HasSubstr("does not fit a batch of shape"));
}

TEST(Loader, SenselessOptionsAndUnlabelledSamplesAreNamed) {
  const TemporaryFolder folder;
  Dataset dataset = greys(folder, 2);
  LoaderOptions options = small_batches();
  options.batch_size = 0;
  EXPECT_THAT(error_of([&] { Loader loader(dataset, options); }),
              HasSubstr("loader `batch_size` is 0; expected at least 1"));
  dataset.splits["train"][1].mask.clear();
  EXPECT_THAT(error_of([&] { Loader loader(dataset, small_batches()); }),
              HasSubstr("1.png: has no mask but is in split \"train\""));
  dataset.splits["train"].clear();
  EXPECT_THAT(error_of([&] { Loader loader(dataset, small_batches()); }),
              HasSubstr("split \"train\" is empty"));
}

// Two objects at columns 4 and 7 of 12: w = 10 exp(-9 / 50) between them, where both distances add
// up to 3. The crop of 10 columns moves and turns over; its weights follow.
TEST(Loader, BorderWeightsFollowTheCrop) {
  const TemporaryFolder folder;
  Dataset dataset = greys(folder, 1);
  Image mask(10, 12, 1), instances(10, 12, 1);
  for (int y = 0; y < 10; ++y) {
    mask.row<std::uint8_t>(y)[4] = mask.row<std::uint8_t>(y)[7] = 1;
    instances.row<std::uint8_t>(y)[4] = 4;
    instances.row<std::uint8_t>(y)[7] = 9;
  }
  folder.png("masks/0.png", mask);
  folder.png("instances/0.png", instances);
  dataset.splits["train"][0].instances = "instances/0.png";
  LoaderOptions options = small_batches();
  options.augment.scale_min = options.augment.scale_max = 1;
  options.augment.crop_width = 10;
  options.border = {.weight = 10};
  Loader loader(dataset, options);
  const Batch batch = loader.next();
  ASSERT_THAT(batch.border_weights, SizeIs(3 * 8 * 10));
  int between = 0;
  for (int i = 0; i < 3 * 8 * 10; ++i) {
    if (batch.labels[i] == 1) {
      EXPECT_EQ(batch.border_weights[i], 0);
    }
    if (std::abs(batch.border_weights[i] - 10 * std::exp(-9 / 50.0)) > 1e-5) continue;
    ++between;
    EXPECT_TRUE(batch.labels[i - 1] == 1 || batch.labels[i + 1] == 1);
  }
  EXPECT_EQ(between, 3 * 8 * 2);
  EXPECT_THAT(Loader(dataset, small_batches()).next().border_weights, testing::IsEmpty());
}

// Without an instance map the objects of the mask count; one that covers all of it has no border.
TEST(Loader, BorderLinesPartObjectsThatTouch) {
  const TemporaryFolder folder;
  Dataset dataset = greys(folder, 1);
  Image mask(10, 12, 1), instances(10, 12, 1);
  for (int i = 0; i < 120; ++i) {
    mask.data()[i] = std::byte{1};
    instances.data()[i] = i % 12 < 6 ? std::byte{1} : std::byte{2};
  }
  folder.png("masks/0.png", mask);
  folder.png("instances/0.png", instances);
  LoaderOptions options = small_batches();
  options.augment = {
      .crop_height = 10, .crop_width = 12, .scale_min = 1, .scale_max = 1, .flip_horizontal = 0};
  options.batch_size = 1;
  options.border = {.line = true};
  EXPECT_THAT(Loader(dataset, options).next().labels, testing::Each(1));
  dataset.splits["train"][0].instances = "instances/0.png";
  const Batch batch = Loader(dataset, options).next();
  for (int i = 0; i < 120; ++i) EXPECT_EQ(batch.labels[i], i % 12 == 5 ? 0 : 1) << i;
  EXPECT_THAT(batch.border_weights, testing::IsEmpty());
}

TEST(Loader, CanBeWaitedForUntilItRests) {
  const TemporaryFolder folder;
  const Dataset dataset = greys(folder, 4);
  LoaderOptions options = small_batches();
  options.workers = 2;
  options.prefetch = 3;
  Loader waited_for(dataset, options), loader(dataset, options);
  for (int step = 0; step < 4; ++step) {
    waited_for.wait_until_full();
    waited_for.wait_until_full();  // nothing is taken, so it still is
    expect_same(waited_for.next(), loader.next());
  }
}

TEST(Loader, StopsWhileBatchesAreBeingMade) {
  const TemporaryFolder folder;
  const Dataset dataset = greys(folder, 4);
  LoaderOptions options = small_batches();
  options.workers = 4;
  for (int i = 0; i < 20; ++i) Loader loader(dataset, options);
}

TEST(PictureCache, KeepsWhatFits) {
  const TemporaryFolder folder;
  const Dataset dataset = greys(folder, 3);
  PictureCache cache(dataset, "train", 2 * 360,
                     false);  // 120 pixels of one byte, 120 labels of two
  const auto first = cache.get(0);
  EXPECT_EQ(cache.bytes(), 360u);
  EXPECT_EQ(cache.get(0), first);
  cache.get(1);
  const auto third = cache.get(2);
  EXPECT_EQ(cache.bytes(), 720u);
  EXPECT_NE(cache.get(2), third);
}

TEST(ForEachLabelled, VisitsInOrder) {
  const TemporaryFolder folder;
  const Dataset dataset = greys(folder, 4);
  std::vector<int> greys_seen;
  for_each_labelled(dataset, "train", [&](int index, const LabelledPicture& picture) {
    EXPECT_EQ(index, static_cast<int>(greys_seen.size()));
    greys_seen.push_back(picture.image.row<std::uint8_t>(0)[0]);
    EXPECT_EQ(picture.labels(0, 0), index % 2);
  });
  EXPECT_THAT(greys_seen, ElementsAre(0, 10, 20, 30));
}

}  // namespace
}  // namespace segmentum
