// Rows of an output held to the whole output: labels bit for bit, probabilities to a softmax in
// double.
#include "engine/score_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

std::unique_ptr<Plan> run(Executor& executor, const EngineCase& c, ParameterStore& parameters,
                          OutputForm form) {
  auto plan = executor.plan(c.graph, parameters, c.inputs, {.outputs = form});
  RandomStream random(2, 0, 0);
  for (int i = 0; i < static_cast<int>(c.inputs.size()); ++i) {
    for (float& v : plan->input(i).values()) v = static_cast<float>(random.normal());
  }
  plan->forward();
  return plan;
}

/// Some stretches of a row, whole and in parts that begin anywhere.
std::vector<Interval> stretches(std::int64_t width) {
  std::vector<Interval> all{{0, width}, {width - 1, width}};
  if (width > 3) all.push_back({1, width - 1});
  if (width > 20) all.push_back({19, 20});
  return all;
}

void expect_labels(const ScoreRows& have, const ScoreRows& want) {
  const Shape s = want.shape();
  ASSERT_EQ(have.shape(), s);
  for (std::int64_t n = 0; n < s.n(); ++n) {
    for (std::int64_t y = 0; y < s.h(); ++y) {
      for (const Interval x : stretches(s.w())) {
        std::vector<std::uint16_t> a(static_cast<std::size_t>(x.size()), 7), b = a;
        have.labels(n, y, x, a.data());
        want.labels(n, y, x, b.data());
        ASSERT_EQ(a, b) << "row " << y << ", columns " << x.begin << ".." << x.end;
      }
    }
  }
}

/// Within 1e-6: an exponential is within 2 units in the last place, sums and scores within a few.
void expect_probabilities(const ScoreRows& have, ConstTensorView scores) {
  const Shape& s = scores.shape;
  const std::int64_t classes = have.classes();
  for (std::int64_t y = 0; y < s.h(); ++y) {
    for (const Interval x : stretches(s.w())) {
      const std::int64_t width = x.size();
      std::vector<float> values(static_cast<std::size_t>(classes * width), -1);
      have.probabilities(0, y, x, values.data(), width);
      for (std::int64_t i = 0; i < width; ++i) {
        double sum = s.c() == 1 ? 1 : 0;  // a sigmoid is a softmax beside a score of 0
        for (std::int64_t k = 0; k < s.c(); ++k) {
          sum += std::exp(static_cast<double>(scores(0, k, y, x.begin + i)));
        }
        for (std::int64_t k = 0; k < classes; ++k) {
          const std::int64_t channel = k - (classes - s.c());
          const double e =
              channel < 0 ? 1 : std::exp(static_cast<double>(scores(0, channel, y, x.begin + i)));
          ASSERT_NEAR(values[static_cast<std::size_t>(k * width + i)], e / sum, 1e-6)
              << "class " << k << " at " << y << "," << x.begin + i;
        }
      }
    }
  }
}

class CpuRows : public testing::TestWithParam<EngineCase> {};

TEST_P(CpuRows, AreThoseOfTheWholeOutput) {
  const EngineCase& c = GetParam();
  const auto executor = make_cpu_executor();
  ParameterStore parameters = random_parameters(c.graph, 1);
  const auto whole = run(*executor, c, parameters, OutputForm::whole);
  const auto rows = run(*executor, c, parameters, OutputForm::rows);
  for (const Output& output : c.graph.outputs) {
    expect_labels(rows->rows(output.name), PlainScoreRows(whole->output(output.name)));
    expect_labels(whole->rows(output.name), PlainScoreRows(whole->output(output.name)));
    expect_probabilities(rows->rows(output.name), whole->output(output.name));
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CpuRows, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

/// A head, magnified to the picture's size and then cut where it is larger.
struct Drawn {
  int classes, stride;
  op::Resize resize;
  std::int64_t h, w;
};

EngineCase network(const Drawn& d) {
  GraphBuilder g("drawn");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId head =
      g.conv("head", image, {.channels = d.classes, .kernel = 3, .stride = d.stride, .padding = 1});
  const ValueId large = d.resize.scale > 0 ? g.resize("up", head, d.resize)
                                           : g.resize_like("up", head, image, d.resize);
  g.output("logits", d.resize.scale > 0 ? g.crop_like("crop", large, image) : large);
  return {"drawn", std::move(g).build(), {{2, 3, d.h, d.w}}};
}

class DrawnRows : public testing::TestWithParam<Drawn> {};

// Every ratio, small and odd sizes, one class to more than two blocks of them.
TEST_P(DrawnRows, AreThoseOfTheWholeOutputInLessMemory) {
  const EngineCase c = network(GetParam());
  const auto executor = make_cpu_executor();
  ParameterStore parameters = random_parameters(c.graph, 1);
  const auto whole = run(*executor, c, parameters, OutputForm::whole);
  const auto rows = run(*executor, c, parameters, OutputForm::rows);
  expect_labels(rows->rows("logits"), PlainScoreRows(whole->output("logits")));
  expect_probabilities(rows->rows("logits"), whole->output("logits"));
  EXPECT_LT(rows->memory_bytes(), whole->memory_bytes());
  for (const StepTime& step : rows->profile()) {
    EXPECT_TRUE(step.node != "up" && step.node != "crop") << step.kernel;
  }
}

constexpr op::Resize kLike{}, kAligned{.align_corners = true},
    kNearest{.mode = Interpolation::nearest};
INSTANTIATE_TEST_SUITE_P(
    Heads, DrawnRows,
    testing::Values(Drawn{21, 8, kLike, 65, 71}, Drawn{11, 2, kLike, 17, 300},
                    Drawn{1, 4, kLike, 33, 18}, Drawn{2, 2, kAligned, 37, 41},
                    Drawn{40, 8, kAligned, 9, 520}, Drawn{5, 4, kNearest, 31, 47},
                    Drawn{3, 16, kLike, 5, 3}, Drawn{7, 4, {.scale = 4}, 30, 43},
                    Drawn{19, 8, {.scale = 8}, 50, 277},
                    Drawn{4, 2, {.mode = Interpolation::nearest, .scale = 2}, 7, 9}));

// Fewer results than there are source pixels: those of a vector lie far apart.
TEST(DrawnRowsMadeSmall, AreThoseOfTheWholeOutput) {
  GraphBuilder g("small");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId head = g.conv("head", image, {.channels = 6, .kernel = 3, .padding = 1});
  const ValueId pooled = g.max_pool("pool", image, {.kernel = 3, .stride = 3});
  g.output("logits", g.resize_like("down", head, pooled));
  const EngineCase c{"small", std::move(g).build(), {{1, 3, 40, 301}}};
  const auto executor = make_cpu_executor();
  ParameterStore parameters = random_parameters(c.graph, 1);
  const auto whole = run(*executor, c, parameters, OutputForm::whole);
  const auto rows = run(*executor, c, parameters, OutputForm::rows);
  expect_labels(rows->rows("logits"), PlainScoreRows(whole->output("logits")));
}

// Two pixels to four: 1 and 3 become 1, 1.5, 2.5 and 3, against a constant 2.
TEST(DrawnRowsByHand, ArgmaxOfAMagnifiedStep) {
  GraphBuilder g("step");
  const ValueId scores = g.input("scores", {.channels = 2});
  g.output("logits", g.resize("up", scores, {.scale = 2}));
  const Graph graph = std::move(g).build();
  ParameterStore none;
  const Shape input{1, 2, 1, 2};
  for (const auto& executor : {make_reference_executor(), make_cpu_executor()}) {
    const auto plan = executor->plan(graph, none, {&input, 1}, {.outputs = OutputForm::rows});
    std::ranges::copy(std::vector<float>{1, 3, 2, 2}, plan->input().values().begin());
    plan->forward();
    std::vector<std::uint16_t> labels(4);
    plan->rows("logits").labels(0, 1, {0, 4}, labels.data());
    EXPECT_THAT(labels, testing::ElementsAre(1, 1, 0, 0)) << executor->name();
    std::vector<float> p(8);
    plan->rows("logits").probabilities(0, 0, {0, 4}, p.data(), 4);
    EXPECT_NEAR(p[0], 1 / (1 + std::exp(1.0)), 1e-6);   // scores 1 and 2
    EXPECT_NEAR(p[2], 1 / (1 + std::exp(-0.5)), 1e-6);  // scores 2.5 and 2
  }
}

TEST(DrawnRows, AreNoWholeOutput) {
  const EngineCase c = network({3, 4, kLike, 9, 9});
  ParameterStore parameters = random_parameters(c.graph, 1);
  const auto plan = run(*make_cpu_executor(), c, parameters, OutputForm::rows);
  try {
    plan->output("logits");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("to be read by rows"));
  }
  EXPECT_THROW(plan->rows("other"), Error);
}

}  // namespace
}  // namespace segmentum
