#include "base/json_problem.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace segmentum {
namespace {

using Json = nlohmann::json;

Json parsed(const char* text) {
  return Json::parse(text);
}

/// Of the library as it is: its messages may change with its version.
template <typename Call>
std::string problem_of(const Call& call) {
  try {
    call();
  } catch (const Json::exception& error) {
    return json_problem(error.what());
  }
  return "none";
}

TEST(JsonProblem, IsToldInWordsForPeople) {
  EXPECT_EQ(problem_of([] { parsed("{\"a\": "); }), "it ends too early, at line 1, column 7");
  EXPECT_EQ(problem_of([] { parsed("{\n  hello}"); }),
            "what stands at line 2, column 3 does not belong there");
  EXPECT_EQ(problem_of([] { parsed("[\"\xff\x01\n\"]"); }),
            "what stands at line 1, column 3 does not belong there");  // and not one raw byte
  const Json object = parsed(R"({"a": 1, "b": [2]})");
  EXPECT_EQ(problem_of([&] { static_cast<void>(object.at("seed")); }), "it has no \"seed\"");
  EXPECT_EQ(problem_of([&] { static_cast<void>(object.at("a").get<std::string>()); }),
            "the type string was expected where there is number");
  EXPECT_EQ(problem_of([&] { static_cast<void>(object.at("b").at(3)); }), "a list is too short");
  EXPECT_EQ(problem_of([&] { static_cast<void>(object.at("a").at("b")); }),
            "a list or {object} was expected where there is number");
}

TEST(JsonProblem, LeavesOtherWordsAsTheyAre) {
  EXPECT_EQ(json_problem("its format is not known"), "its format is not known");
  EXPECT_EQ(json_problem(""), "");
}

}  // namespace
}  // namespace segmentum
