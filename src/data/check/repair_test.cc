#include "data/check/repair.h"

#include "data/check/testing.h"
#include "data/label_values.h"
#include "image/resize.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The data set as `repair_dataset` writes it into a folder of its own.
class Repaired {
 public:
  explicit Repaired(const fs::path& data, bool link = false)
      : summary(repair_dataset(check_dataset(data), {.folder = folder / "fixed", .link = link})),
        dataset(open_dataset(folder / "fixed")) {}

  LabelMap labels(const std::string& split, int index) const {
    return read_labels(dataset, dataset.split(split)[static_cast<std::size_t>(index)]);
  }

  TemporaryFolder folder;
  RepairSummary summary;
  Dataset dataset;
};

LabelMap labels_of_source(const PatientData& data, std::size_t i) {
  LabelEncoding encoding;
  for (std::uint16_t k = 0; k < 8; ++k) encoding.to_class[k] = k;
  return decode_labels(data.mask(i), encoding);
}

double agreement(const LabelMap& a, const LabelMap& b) {
  EXPECT_EQ(a.height(), b.height());
  EXPECT_EQ(a.width(), b.width());
  int same = 0;
  for (std::size_t i = 0; i < a.labels().size(); ++i) same += a.labels()[i] == b.labels()[i];
  return static_cast<double>(same) / static_cast<double>(a.labels().size());
}

TEST(Repair, HealthyDataStayAsTheyAre) {
  const auto data = PatientData::scenes();
  const Repaired repaired(data.root());
  EXPECT_EQ(repaired.summary.written, 14);
  EXPECT_EQ(repaired.summary.changed_labels, 0);
  EXPECT_THAT(repaired.summary.left_out, testing::IsEmpty());
  EXPECT_EQ(repaired.dataset.split("train").size(), 10u);
  EXPECT_EQ(repaired.dataset.classes, scene_classes());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(repaired.labels("train", i), labels_of_source(data, i));
  EXPECT_EQ(read_file(repaired.dataset.root / repaired.dataset.split("train")[0].image),
            read_file(data / data.images[0]));
  EXPECT_THAT(findings_of(repaired.dataset.root), IsHealthy());
}

TEST(Repair, MasksReadInAnotherWayBecomeClassNumbers) {
  const auto data = PatientData::scenes();
  const LabelMap before = labels_of_source(data, 1);
  data.change_values(1, [](int value) { return (value * 510 + 7) / 14; });  // k * 255 / 7
  const LabelMap colours = labels_of_source(data, 2);
  data.paint(2, 3, scene_colour);
  const LabelMap alpha = labels_of_source(data, 3);
  data.paint(3, 2, [](int value) { return std::vector{0, value}; });
  const Repaired repaired(data.root());
  EXPECT_EQ(repaired.labels("train", 1), before);
  EXPECT_EQ(repaired.labels("train", 2), colours);
  EXPECT_EQ(repaired.labels("train", 3), alpha);
  EXPECT_EQ(repaired.summary.changed_labels, 3);
  EXPECT_THAT(read_file(repaired.dataset.root / "repairs.txt"),
              AllOf(HasSubstr("spread over 0..255"), HasSubstr("alpha channel")));
  EXPECT_THAT(findings_of(repaired.dataset.root), IsHealthy());
}

TEST(Repair, BlurredBordersTakeTheNearestSureLabel) {
  const auto data = PatientData::scenes();
  for (std::size_t i = 0; i < data.masks.size(); ++i) {
    data.change_values(i, [](int value) { return value == 2 ? 255 : 0; });
  }
  data.remove("classes.csv");
  const Image whole = data.mask(2).values;
  LabelEncoding encoding{.to_class = {{0, 0}, {255, 1}}};
  const LabelMap before = decode_labels({whole, {}}, encoding);
  data.write(data.masks[2], interpolated(whole));
  data.write(data.masks[3], encode_jpeg(data.mask(3).values, 80));
  const Repaired repaired(data.root());
  // A pixel on each side of a border may go either way.
  EXPECT_GT(agreement(repaired.labels("train", 2), before), 0.97);
  EXPECT_THAT(findings_of(repaired.dataset.root), IsHealthy());
}

TEST(Repair, InterpolatedLabelsTakeTheLabelBesideThem) {
  const auto data = PatientData::scenes();
  const LabelMap before = labels_of_source(data, 9);
  data.write(data.masks[9], interpolated(data.mask(9).values));
  const double damaged = agreement(labels_of_source(data, 9), before);
  const Repaired repaired(data.root());
  EXPECT_GT(agreement(repaired.labels("train", 9), before), damaged + 0.02);
}

TEST(Repair, SizesAndTurnedPictures) {
  const auto data = PatientData::scenes();
  const LabelMap before = labels_of_source(data, 0);
  const LabelMap half = resize_nearest(before, 24, 32);
  write_label_png(data / data.masks[0], half, Palette::voc(8));
  write_label_png(data / data.masks[1], LabelMap(10, 40, 1), Palette::voc(8));
  const Repaired repaired(data.root());
  EXPECT_EQ(repaired.labels("train", 0), resize_nearest(half, 48, 64));
  ASSERT_EQ(repaired.summary.left_out.size(), 1u);
  EXPECT_THAT(repaired.summary.left_out[0],
              AllOf(HasSubstr(data.images[1].string()), HasSubstr("another shape")));
}

TEST(Repair, DamagedAndRepeatedSamplesAreLeftOut) {
  const auto data = PatientData::scenes();
  auto train = data.pairs("train");
  train.push_back(data.pairs("val")[0]);
  data.write_list("train", train);
  data.write(data.images[4], "no picture");
  data.write(data.images[6], encode_png(data.picture(12)));
  const Repaired repaired(data.root());
  EXPECT_EQ(repaired.dataset.split("train").size(), 8u);
  EXPECT_EQ(repaired.dataset.split("val").size(), 4u);
  EXPECT_THAT(findings_of(repaired.dataset.root), IsHealthy());
}

TEST(Repair, PicturesCanBeLinked) {
  const auto data = PatientData::scenes();
  const Repaired repaired(data.root(), true);
  const fs::path image = repaired.dataset.root / repaired.dataset.split("val")[0].image;
  EXPECT_TRUE(fs::is_symlink(image));
  EXPECT_EQ(fs::canonical(image), fs::canonical(data / data.images[10]));
}

TEST(Repair, NeverWritesOverAnything) {
  const auto data = PatientData::scenes();
  const CheckResult result = check_dataset(data.root());
  const TemporaryFolder folder;
  folder.text("mine.txt", "mine");
  const auto error_at = [&](const fs::path& path) {
    return error_of([&] { repair_dataset(result, {.folder = path}); });
  };
  EXPECT_THAT(error_at(folder.path()), HasSubstr("is not empty"));
  EXPECT_THAT(error_at(folder / "mine.txt"), HasSubstr("is a file"));
  EXPECT_THAT(error_at(data / "fixed"), HasSubstr("lies in the folder of the data"));
  EXPECT_THAT(error_at(data.root().parent_path()), HasSubstr("or around it"));
  EXPECT_FALSE(fs::exists(data / "fixed"));
}

TEST(Repair, LeavesNothingBehindWhenItStops) {
  class StopAtOnce : public ProgressSink {
    void begin(const std::string&, std::int64_t, const std::string&) override {}
    void update(std::int64_t, const std::string&) override {}
    void end() override {}
    void message(const std::string&) override {}
    bool stop_requested() override { return true; }
  } stop;
  const auto data = PatientData::scenes();
  const TemporaryFolder folder;
  EXPECT_THROW(
      repair_dataset(check_dataset(data.root()), {.folder = folder / "fixed", .progress = &stop}),
      Interrupted);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Repair, NeedsClasses) {
  const TemporaryFolder data, other;
  data.grey("a.png", {1, 2});
  EXPECT_THAT(
      error_of([&] { repair_dataset(check_dataset(data.path()), {.folder = other / "fixed"}); }),
      HasSubstr("is not known"));
}

}  // namespace
}  // namespace segmentum
