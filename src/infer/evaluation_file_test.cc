#include "infer/evaluation_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

auto error_with(const char* text) {
  return testing::Throws<Error>(testing::Property(&Error::what, HasSubstr(text)));
}

ImageScores picture(const std::string& name, const PictureCounts& counts) {
  return {name, scores(counts)};
}

/// As `segmentum eval --json` writes it.
fs::path result_file(const std::string& name, const std::vector<ImageScores>& images,
                     const std::string& classes = R"([{"name": "sky"}, {"name": "road"}])") {
  const fs::path path = fs::path(testing::TempDir()) / ("evaluation_file_" + name);
  write_file(path,
             R"({"model": "m.segmentum", "data": "d", "split": "test", "scores": {"classes": )" +
                 classes + R"(}, "protocol": {"name": "voc"}, "images": )" +
                 image_counts_json(images) + "}");
  return path;
}

TEST(EvaluationFile, ReadsWhatWasWritten) {
  const PictureCounts first{{10, 12, 9}, {4, 2, 1}}, second{{0, 0, 0}, {7, 7, 7}};
  const EvaluationFile file =
      read_evaluation(result_file("a.json", {picture("one", first), picture("two", second)}));
  EXPECT_EQ(file.model, "m.segmentum");
  EXPECT_EQ(file.split, "test");
  EXPECT_THAT(file.classes, ElementsAre("sky", "road"));
  EXPECT_THAT(file.names, ElementsAre("one", "two"));
  EXPECT_THAT(file.counts, ElementsAre(first, second));
}

TEST(EvaluationFile, ErrorsNameTheFile) {
  const fs::path path = fs::path(testing::TempDir()) / "evaluation_file_bad.json";
  write_file(path, R"({"scores": {"classes": []}})");
  EXPECT_THAT(
      [&] { read_evaluation(path); },
      testing::AllOf(error_with("evaluation_file_bad.json: is no result"), error_with("images")));
  write_file(path, "no JSON");
  EXPECT_THAT([&] { read_evaluation(path); },
              error_with("is no result of `segmentum eval --json`"));
  EXPECT_THAT(
      [&] { read_evaluation(path); },
      error_with("(what stands at line 1, column 2 does not belong there); run that again"));
  for (const char* number : {"1e300", "-1", "0.5", "\"1\""}) {
    write_file(path, R"({"scores": {"classes": [{"name": "a"}]}, "images": [{"name": "p",
                         "counts": [[0, )" +
                         std::string(number) + ", 1, 1]]}]}");
    EXPECT_THAT([&] { read_evaluation(path); }, error_with("is no whole number")) << number;
  }
  const PictureCounts wrong{{2, 2, 3}, {0, 0, 0}};
  EXPECT_THAT([&] { read_evaluation(result_file("c.json", {picture("one", wrong)})); },
              error_with("counts 3 right pixels of 2 true and 2 predicted ones"));
}

// Picture "two" gets better by IoU 5/15 - 5/20 in b, "one" is the same; "three" and "four" are in
// one result only.
TEST(Compare, PairsPicturesByName) {
  const PictureCounts one{{10, 10, 10}}, two_a{{10, 15, 5}}, two_b{{10, 10, 5}};
  const char* sky = R"([{"name": "sky"}])";
  const EvaluationFile a = read_evaluation(result_file(
      "a1.json", {picture("one", one), picture("two", two_a), picture("three", one)}, sky));
  const EvaluationFile b = read_evaluation(result_file(
      "b1.json", {picture("two", two_b), picture("one", one), picture("four", one)}, sky));
  const Comparison comparison = compare(a, b, {.permutations = 50});
  ASSERT_EQ(comparison.pictures.size(), 2U);
  EXPECT_EQ(comparison.pictures[1].name, "two");
  EXPECT_DOUBLE_EQ(comparison.pictures[1].a, 0.25);
  EXPECT_DOUBLE_EQ(comparison.pictures[1].b, 5.0 / 15);
  EXPECT_THAT(comparison.left_out, ElementsAre("three", "four"));
  EXPECT_DOUBLE_EQ(comparison.test.mean_iou, 15.0 / 25 - 15.0 / 30);
}

TEST(Compare, RefusesWhatCannotBeCompared) {
  const PictureCounts counts{{1, 1, 1}, {1, 1, 1}}, others{{2, 1, 1}, {1, 1, 1}};
  const auto read = [](const char* name, const std::vector<ImageScores>& images,
                       const char* classes = R"([{"name": "sky"}, {"name": "road"}])") {
    return read_evaluation(result_file(name, images, classes));
  };
  const EvaluationFile a = read("a2.json", {picture("one", counts)});
  EXPECT_THAT([&] { compare(a, read("b2.json", {picture("two", counts)}), {}); },
              error_with("have no picture in common"));
  EXPECT_THAT(
      [&] {
        compare(a,
                read("b3.json", {picture("one", counts)}, R"([{"name": "sky"}, {"name": "tree"}])"),
                {});
      },
      error_with("class 1 is \"road\" in"));
  EXPECT_THAT([&] { compare(a, read("b4.json", {picture("one", others)}), {}); },
              error_with("they were scored against other labels"));
  EXPECT_THAT([&] { compare(a, read("b5.json", {}, R"([{"name": "sky"}])"), {}); },
              error_with("only scores of the same classes"));
}

}  // namespace
}  // namespace segmentum
