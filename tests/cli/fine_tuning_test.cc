// A training that starts from another one's weights.
#include <gmock/gmock.h>

#include "base/file.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST(FineTuning, FromAModelToAResumedRun) {
  const fs::path folder = fresh_folder("fine_tuning");
  const fs::path model = tiny_model(folder);
  const auto tune = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> words{"train",  folder / "data", "--out", folder / out, "--steps",
                                   "3",      "--threads",     "1",     "--set",      "crop=32",
                                   "batch=2"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  // Width and depth are those of the model.
  const Outcome tuned = tune("tuned", {"--init", model, "--freeze", "encoder"});
  EXPECT_EQ(tuned.status, 0) << tuned.err;
  EXPECT_THAT(tuned.out, AllOf(HasSubstr("best.segmentum: 56 of 56 tensors taken"),
                               HasSubstr("frozen: encoder (")));
  const std::string config = read_file(folder / "tuned" / "config.toml");
  EXPECT_THAT(config, AllOf(HasSubstr("init = \"" + model.string() + "\""),
                            HasSubstr("freeze = \"encoder\""), HasSubstr("\"width\" = \"2\"")));

  fs::remove(model);  // a run that has begun needs it no more
  EXPECT_EQ(tune("tuned", {"--init", model, "--freeze", "encoder", "--resume"}).status, 0);
  EXPECT_EQ(tune("tuned", {"--freeze", "decoder", "--resume"}).status, 2);
  const Outcome gone = tune("other", {"--init", model});
  EXPECT_EQ(gone.status, 1);
  EXPECT_EQ(line_count(gone.err), 1);
  EXPECT_THAT(gone.err, HasSubstr(model.string()));
}

}  // namespace
}  // namespace segmentum
