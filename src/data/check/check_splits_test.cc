#include "data/check/check.h"

#include "data/check/testing.h"
#include "image/resize.h"

namespace segmentum {
namespace {

// ---- splits -------------------------------------------------------------------------------------

TEST(CheckSplits, EmptySplits) {
  const auto data = PatientData::scenes();
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"});
  data.write("val.txt", "# nothing yet\n");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::empty_split, Severity::warning, 0));
}

TEST(CheckSplits, TheSameFileInTwoSplits) {
  const auto data = PatientData::scenes();
  auto pairs = data.pairs("train");
  pairs.push_back(data.pairs("val")[1]);
  data.write_list("train", pairs);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::same_file, Severity::error, 1));
}

/// A picture of "val" (index 11) put into "train" under another name.
PatientData with_copy(const std::string& name, const std::string& content) {
  auto data = PatientData::scenes();
  auto pairs = data.pairs("train");
  data.write(name, content);
  pairs.emplace_back(name, data.masks[11]);
  data.write_list("train", pairs);
  return data;
}

TEST(CheckSplits, TheSamePictureInTwoSplits) {
  const Image picture = PatientData::scenes().picture(11);
  const auto mirrored = [&] { return oriented(PatientData::scenes().picture(11), 2); };
  const std::pair<const char*, std::string> copies[] = {
      {"train/copy.png", encode_png(picture)},
      {"train/copy.jpg", encode_jpeg(picture, 60)},
      {"train/mirrored.png", encode_png(mirrored())}};
  for (const auto& [name, content] : copies) {
    const auto data = with_copy(name, content);
    EXPECT_THAT(findings_of(data.root()),
                Has(Fault::duplicate_across_splits, Severity::error, name));
  }
  const auto resized = PatientData::scenes();
  const Image larger = resize(picture, 60, 80);
  resized.write(resized.images[3], larger);
  LabelMap labels(60, 80, 1);
  write_label_png(resized / resized.masks[3], labels, Palette::voc(8));
  EXPECT_THAT(findings_of(resized.root()),
              Has(Fault::duplicate_across_splits, Severity::error, resized.images[3].string()));
}

TEST(CheckSplits, TheSamePictureTwiceInASplit) {
  const auto data = PatientData::scenes();
  data.write(data.images[4], encode_png(data.picture(2)));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::duplicate_in_split, Severity::warning, "but with other labels"));
}

TEST(CheckSplits, GroupsInBothSplitsAreANote) {
  const auto data = PatientData::scenes();
  std::vector<std::pair<fs::path, fs::path>> train, val;
  for (std::size_t i = 0; i < data.images.size(); ++i) {
    const std::string name =
        "tram" + std::string(1, static_cast<char>('a' + i % 4)) + "_" + std::to_string(i) + ".png";
    data.write("images/" + name, read_file(data / data.images[i]));
    data.write("masks/" + name, read_file(data / data.masks[i]));
    (i < 10 ? train : val).emplace_back("images/" + name, "masks/" + name);
  }
  data.write_list("train", train);
  data.write_list("val", val);
  const auto findings = findings_of(data.root());
  EXPECT_THAT(findings, IsHealthy());
  EXPECT_THAT(findings, Has(Fault::shared_groups, Severity::note, "trama (train, val)"));
}

TEST(CheckSplits, PatientsInBothSplitsAreAWarning) {
  const auto data = PatientData::scenes();
  std::vector<std::pair<fs::path, fs::path>> train, val;
  for (std::size_t i = 0; i < data.images.size(); ++i) {
    const std::string name =
        "patient0" + std::to_string(i / 2) + (i % 2 == 0 ? "_L.png" : "_R.png");
    data.write("images/" + name, read_file(data / data.images[i]));
    data.write("masks/" + name, read_file(data / data.masks[i]));
    (i < 9 ? train : val).emplace_back("images/" + name, "masks/" + name);
  }
  data.write_list("train", train);
  data.write_list("val", val);
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::shared_groups, Severity::warning,
                  "1 of 7 groups by the word \"patient\" lie in several splits: patient04 (train, "
                  "val)"));
  EXPECT_THAT(findings_before_training(data.root()),
              Has(Fault::shared_groups, Severity::warning, "patient04"));
}

// ---- the fast form ------------------------------------------------------------------------------

TEST(QuickCheck, SaysNothingOfHealthyData) {
  const auto data = PatientData::scenes();
  EXPECT_THAT(quick_check(open_dataset(data.root()), {.splits = {"train", "no such"}}).findings,
              testing::IsEmpty());
}

TEST(QuickCheck, FindsWhatOneMaskShows) {
  const auto data = PatientData::scenes();
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"});
  data.change_all_values([](int value) { return value + 1; });
  EXPECT_THAT(findings_before_training(data.root()),
              HasOnly(Fault::one_based, Severity::error, 14));
  EXPECT_THAT(findings_before_training(data.root(), 1),  // a first handful only
              HasOnly(Fault::one_based, Severity::error, 8));
}

TEST(QuickCheck, FindsFilesInTwoSplits) {
  const auto data = PatientData::scenes();
  data.write_list("val", data.pairs("train"));
  EXPECT_THAT(findings_before_training(data.root()),
              HasOnly(Fault::same_file, Severity::error, 10));
}

}  // namespace
}  // namespace segmentum
