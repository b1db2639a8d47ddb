#include "run_files.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "model_file/model.h"
#include "model_file/safetensors.h"
#include "program.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

void expect_whole(const fs::path& file, After after) {
  std::string name = file.filename();
  if (name == ".lock") return;
  if (after == After::kill && name.starts_with('.')) {
    name = name.substr(1, name.rfind(".tmp") - 1);
  }
  EXPECT_FALSE(name.starts_with('.')) << file;
  if (name == "checkpoint.safetensors") {
    EXPECT_NO_THROW(SafetensorsReader{file});
  } else if (name == "best.segmentum") {
    EXPECT_NO_THROW(load_model(file));
  } else if (name == "manifest.json") {
    EXPECT_NO_THROW(nlohmann::json::parse(read_file(file)).at("weights"));
  } else {
    const std::string text = read_file(file);
    EXPECT_TRUE(text.empty() || text.ends_with('\n') || name == "report.html") << file;
  }
}

}  // namespace

bool has_lines(const fs::path& log, int lines) {
  return fs::exists(log) && line_count(read_file(log)) >= lines;
}

void expect_whole_files(const fs::path& run, After after) {
  if (!fs::exists(run)) return;
  for (const auto& entry : fs::directory_iterator(run)) expect_whole(entry.path(), after);
}

void expect_same_weights(const fs::path& run, const fs::path& other) {
  EXPECT_TRUE(read_file(run / "best.segmentum") == read_file(other / "best.segmentum"));
  const auto weights = [](const fs::path& folder) {
    return nlohmann::json::parse(read_file(folder / "manifest.json")).at("weights");
  };
  EXPECT_FALSE(weights(run).is_null());
  EXPECT_EQ(weights(run), weights(other));
}

}  // namespace segmentum
