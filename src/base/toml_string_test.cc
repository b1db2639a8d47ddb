#include "base/toml_string.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

TEST(TomlString, EscapesWhatTomlForbids) {
  EXPECT_EQ(toml_string("a \"b\" \\ c"), R"("a \"b\" \\ c")");
  EXPECT_EQ(toml_string("tab\there\x7f"), R"("tab\u0009here\u007f")");
  EXPECT_EQ(toml_string("grün"), "\"grün\"");
  EXPECT_EQ(toml_string(""), "\"\"");
}

}  // namespace
}  // namespace segmentum
