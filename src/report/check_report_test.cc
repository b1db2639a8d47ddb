#include "report/check_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "data/scenes.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

/// Six scenes, one of whose masks is no picture and one of which holds a value of no class.
class CheckReportTest : public testing::Test {
 protected:
  CheckReportTest()
      : folder_(fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "check_report" /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    write_scenes(folder_, {.train = 4, .val = 2, .test = 0}, 5, {.height = 48, .width = 64});
    fs::remove(folder_ / "test.txt");
  }
  ~CheckReportTest() override { fs::remove_all(folder_); }

  std::string report() const {
    return check_report_html(check_dataset(folder_), {"Check of scenes", "today"});
  }

  fs::path folder_;
};

TEST_F(CheckReportTest, HealthyDataShowTheirClasses) {
  EXPECT_THAT(report(), AllOf(HasSubstr("<h1>Check of scenes</h1>"), HasSubstr("Nothing is wrong."),
                              HasSubstr("pavement"), HasSubstr("Classes that occur together"),
                              HasSubstr("</html>"), Not(HasSubstr("<script"))));
}

TEST_F(CheckReportTest, FindingsShowTheirPictures) {
  const fs::path mask = fs::directory_iterator(folder_ / "valannot")->path();
  write_file(mask, "no picture");
  const std::string html = report();
  EXPECT_THAT(html, AllOf(HasSubstr("fault-error"), HasSubstr("unreadable-mask"),
                          HasSubstr("valannot/" + mask.filename().string()),
                          HasSubstr("data:image/jpeg;base64,")));
  write_check_report(folder_ / "report" / "report.html", check_dataset(folder_),
                     {"Check of scenes", "today"});
  EXPECT_EQ(read_file(folder_ / "report" / "report.html").size(), html.size());
}

TEST_F(CheckReportTest, NamesTheFirstFilesOnly) {
  write_scenes(folder_, {.train = 10, .val = 2, .test = 0}, 5, {.height = 48, .width = 64});
  for (const auto& entry : fs::directory_iterator(folder_ / "trainannot")) {
    write_file(entry.path(), "no picture");
  }
  EXPECT_THAT(report(), AllOf(HasSubstr("10 files"), HasSubstr("<li>and 2 more</li>")));
}

}  // namespace
}  // namespace segmentum
