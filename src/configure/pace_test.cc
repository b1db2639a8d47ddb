#include "configure/pace.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "models/registry.h"

namespace segmentum {
namespace {

TEST(MeasurePace, TimesForwardBackwardAndUpdate) {
  const ThreadsInScope one(1);
  const auto executor = make_cpu_executor();
  for (const int classes : {1, 3}) {  // one logit, and several
    const Graph graph =
        build_model("unet", {.classes = classes, .settings = {{"width", "2"}, {"depth", "1"}}});
    const Pace pace = measure_pace(graph, 16, {}, *executor);
    EXPECT_GT(pace.crop_seconds, 0);
    EXPECT_GT(pace.update_seconds, 0);
    EXPECT_TRUE(std::isfinite(pace.crop_seconds + pace.update_seconds));
  }
}

}  // namespace
}  // namespace segmentum
