#include "model_file/crf_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/operators.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string complaint(const std::string& text) {
  try {
    crf_settings_from_json(text);
    return "none";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(CrfJson, WhatIsWrittenIsRead) {
  const CrfSettings settings{.iterations = 7,
                             .spatial_sigma_px = 1.25f,
                             .spatial_weight = 0,
                             .bilateral_sigma_px = 37.3f,
                             .bilateral_sigma_colour = 4.1f,
                             .bilateral_weight = 0.3f,
                             .normalisation = CrfNormalisation::after};
  EXPECT_EQ(crf_settings_from_json(crf_json(settings)), settings);
  EXPECT_EQ(crf_settings_from_json(crf_json({})), CrfSettings());
}

// The text is part of the model file's format: what is in it today must be read for ever.
TEST(CrfJson, TheTextOfVersion1) {
  const std::string text =
      R"({"version":1,"iterations":10,"spatial_sigma_px":3.0,"spatial_weight":3.0,)"
      R"("bilateral_sigma_px":80.0,"bilateral_sigma_colour":13.0,"bilateral_weight":10.0,)"
      R"("normalisation":"symmetric"})";
  EXPECT_EQ(crf_json({}), text);
  EXPECT_EQ(crf_settings_from_json(text), CrfSettings());
}

TEST(CrfJson, DamagedTexts) {
  const std::string sound = crf_json({});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = sound;
    return complaint(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_THAT(complaint("{"), HasSubstr("the CRF settings are damaged"));
  EXPECT_THAT(complaint("[]"), HasSubstr("damaged"));
  EXPECT_THAT(complaint(std::string(200000, '[')), HasSubstr("nested too deep"));
  EXPECT_THAT(with("\"version\":1", "\"version\":2"),
              HasSubstr("they are of version 2; this program reads version 1"));
  EXPECT_THAT(with("\"iterations\":10,", ""), HasSubstr("iterations"));
  EXPECT_THAT(with("symmetric", "both"), HasSubstr("there is no normalisation \"both\""));
  EXPECT_THAT(with(":80.0", ":-80.0"), HasSubstr("damaged"));
  EXPECT_THAT(with(":80.0", ":\"wide\""), HasSubstr("damaged"));
}

TEST(CrfJson, InWords) {
  EXPECT_EQ(crf_text({}),
            "10 iterations, spatial 3 px weight 3, bilateral 80 px 13 levels weight 10");
  EXPECT_EQ(crf_text({.iterations = 5,
                      .spatial_weight = 0,
                      .bilateral_weight = 0.25f,
                      .normalisation = CrfNormalisation::none}),
            "5 iterations, bilateral 80 px 13 levels weight 0.25, normalisation none");
  for (const char* name : {"symmetric", "before", "after", "none"}) {
    ASSERT_TRUE(normalisation_of(name));
    EXPECT_STREQ(normalisation_name(*normalisation_of(name)), name);
  }
  EXPECT_FALSE(normalisation_of("both"));
}

}  // namespace
}  // namespace segmentum
