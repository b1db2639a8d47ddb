#include "data/instances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "data/testing.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::uint16_t kIgnored = kIgnoreLabel;

LabelMap map_of(int height, int width, std::vector<std::uint16_t> values) {
  LabelMap map(height, width);
  std::ranges::copy(values, map.labels().begin());
  return map;
}

TEST(Instances, SharedSidesConnectCornersDoNot) {
  const LabelMap labels = map_of(3, 4,
                                 {1, 1, 0, 1,  //
                                  0, 0, 1, 0,  //
                                  2, 1, 1, kIgnored});
  EXPECT_THAT(connected_instances(labels).labels(), ElementsAre(1, 1, 0, 2,  //
                                                                0, 0, 3, 0,  //
                                                                4, 3, 3, kIgnored));
}

TEST(Instances, TooManyAreRefused) {
  LabelMap labels(400, 400);
  for (int y = 0; y < 400; ++y) {
    for (int x = 0; x < 400; ++x) labels(y, x) = (x + y) % 2;  // 80,000 single pixels
  }
  EXPECT_THAT([&] { connected_instances(labels); },
              ThrowsMessage<Error>(HasSubstr("more than 65534 objects")));
}

TEST(Instances, BoxesAndClassesFollowFromTheMaps) {
  //  instances  classes
  // 5 5 0 2     1 1 0 2
  // 0 5 0 i     0 2 0 i   (i: ignored)
  // 7 7 2 i     0 0 2 i
  const LabelMap instances = map_of(3, 4, {5, 5, 0, 2, 0, 5, 0, kIgnored, 7, 7, 2, kIgnored});
  const LabelMap labels = map_of(3, 4, {1, 1, 0, 2, 0, 2, 0, kIgnored, 0, 0, 2, kIgnored});
  const std::vector<Instance> found = list_instances(instances, labels);
  ASSERT_EQ(found.size(), 2u);  // 7 lies on background alone
  EXPECT_EQ(found[0].id, 2);
  EXPECT_EQ(found[0].label, 2);
  EXPECT_EQ(found[0].pixels, 2);
  EXPECT_EQ(found[0].box, (Box{2, 0, 4, 3}));
  EXPECT_EQ(found[1].id, 5);
  EXPECT_EQ(found[1].label, 1);  // two of three pixels
  EXPECT_EQ(found[1].box, (Box{0, 0, 2, 2}));
  EXPECT_THAT([&] { list_instances(instances, LabelMap(3, 3)); },
              ThrowsMessage<Error>(HasSubstr("is 4x3 but the labels are 3x3")));
}

TEST(Instances, MapsAreFoundByNameBesideTheMask) {
  const TemporaryFolder folder;
  folder.grey("SegmentationObject/a.png", {0});
  folder.grey("instances/sub/b.png", {0});
  folder.grey("c_label.png", {0});
  const auto beside = [&](const char* mask) { return instance_map_beside(folder.path(), mask); };
  EXPECT_EQ(beside("SegmentationClass/a.png"), "SegmentationObject/a.png");
  EXPECT_EQ(beside("masks/sub/b.png"), "instances/sub/b.png");
  EXPECT_EQ(beside("c_fg.png"), "c_label.png");
  EXPECT_EQ(beside("masks/z.png"), "");
}

TEST(Instances, RealDataHasThem) {
  if (!std::filesystem::exists(real_data("voc_style/nuts"))) GTEST_SKIP() << "no real data";
  const auto count = [](const char* name) {
    const Dataset dataset = open_dataset(real_data(name));
    const Sample& sample = dataset.split("val").front();
    EXPECT_FALSE(sample.instances.empty()) << name;
    const LabelledPicture picture = read_with_instances(dataset, sample);
    return list_instances(picture.instances, picture.labels).size();
  };
  EXPECT_EQ(count("voc_style/nuts"), 8u);
  EXPECT_GT(count("dsb2018_nuclei"), 0u);
  EXPECT_GE(count("cvppp_a1_leaves"), 11u);  // 11 to 20 leaves a plant
}

class InstanceFiles : public testing::Test {
 protected:
  LabelMap read(const LabelMap& labels) { return read_instances(dataset_, sample_, labels); }

  const TemporaryFolder folder_;
  Dataset dataset_{.root = folder_.path()};
  Sample sample_{.image = "a.png", .mask = "mask.png", .instances = "instances.png"};
};

TEST_F(InstanceFiles, ValuesAreNumberedAndFollowTheMask) {
  folder_.grey("instances.png", {0, 40, 40, 7, 9, 9});
  EXPECT_THAT(read(map_of(1, 6, {0, 1, 0, 1, kIgnored, 1})).labels(),
              ElementsAre(0, 1, 0, 2, kIgnored, 3));
}

TEST_F(InstanceFiles, ColoursAreObjectsToo) {
  folder_.colours("instances.png", {{0, 0, 0}, {255, 0, 0}, {0, 9, 0}, {255, 0, 0}});
  EXPECT_THAT(read(map_of(1, 4, {0, 1, 1, 1})).labels(), ElementsAre(0, 1, 2, 1));
}

TEST_F(InstanceFiles, WithoutAFileTheMaskDecides) {
  sample_.instances.clear();
  EXPECT_THAT(read(map_of(1, 5, {1, 1, 0, 1, 2})).labels(), ElementsAre(1, 1, 0, 2, 3));
}

// Nuclei that touch are one region of the mask but several objects of the map.
TEST(InstancesOfRealData, MapsKnowMoreThanMasks) {
  const auto folder = real_data("dsb2018_nuclei");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const Dataset dataset = open_dataset(folder);
  int touching = 0;
  for (const Sample& sample : std::span(dataset.split("train")).first(10)) {
    ASSERT_FALSE(sample.instances.empty());
    const LabelMap labels = read_labels(dataset, sample);
    const LabelMap instances = read_instances(dataset, sample, labels);
    const LabelMap regions = connected_instances(labels);
    for (std::size_t i = 0; i < labels.labels().size(); ++i) {
      ASSERT_EQ(instances.labels()[i] == 0, labels.labels()[i] == 0);
    }
    touching += std::ranges::max(instances.labels()) > std::ranges::max(regions.labels());
  }
  EXPECT_GT(touching, 0);
}

TEST_F(InstanceFiles, ErrorsNameTheFile) {
  folder_.grey("instances.png", {0, 1});
  EXPECT_THAT(
      [&] { read(LabelMap(3, 4)); },
      ThrowsMessage<Error>(HasSubstr("instances.png: is 2x1 but its picture a.png is 4x3")));
  sample_.instances = "none.png";
  EXPECT_THAT([&] { read(LabelMap(3, 4)); }, ThrowsMessage<Error>(HasSubstr("none.png")));
}

}  // namespace
}  // namespace segmentum
