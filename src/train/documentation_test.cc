// Whatever can be set is told of in docs/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/file.h"
#include "models/registry.h"
#include "train/config.h"

namespace segmentum {
namespace {

/// The words in `code`, that is between backticks: letters, digits and what joins them in a name.
std::set<std::string> code_words(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  bool code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (code &&
        (std::isalnum(static_cast<unsigned char>(letter)) || letter == '_' || letter == '.')) {
      word += letter;
      continue;
    }
    words.insert(word);
    word.clear();
    if (letter == '`') code = !code;
    // No code goes on in another paragraph or row of a table.
    if (letter == '\n' && (text[i + 1] == '\n' || text[i + 1] == '|')) code = false;
  }
  return words;
}

std::set<std::string> documented() {
  std::set<std::string> words;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(SEGMENTUM_SOURCE_DIR) / "docs")) {
    if (entry.path().extension() == ".md") words.merge(code_words(read_file(entry.path())));
  }
  return words;
}

TEST(Documentation, CodeWords) {
  EXPECT_EQ(code_words("a `b.c=1` d `e_f, g`"),
            (std::set<std::string>{"", "1", "b.c", "e_f", "g"}));
}

TEST(Documentation, TellsOfEverySettingOfTraining) {
  const std::set<std::string> words = documented();
  for (const OptionDescription& option : train_options()) {
    // Those of one table, "All under `augment.`", are called by their last name there.
    const std::string last = option.key.substr(option.key.find_last_of('.') + 1);
    EXPECT_TRUE(words.contains(option.key) || words.contains(last)) << option.key;
  }
}

TEST(Documentation, TellsOfEveryNetworkAndItsSettings) {
  const std::set<std::string> words = documented();
  for (const ArchitectureInfo& info : architectures()) {
    EXPECT_TRUE(words.contains(info.name)) << info.name;
    for (const SettingInfo& setting : info.settings) {
      EXPECT_TRUE(words.contains("model." + setting.name) || words.contains(setting.name))
          << info.name << ": " << setting.name;
    }
  }
}

}  // namespace
}  // namespace segmentum
