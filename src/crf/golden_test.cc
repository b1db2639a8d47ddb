// Beside the standard implementation.
#include "crf/golden.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

void compare(const CrfGolden& golden) {
  DenseCrf crf({.height = golden.picture.height(), .width = golden.picture.width()},
               golden.classes);
  crf.set_unary(golden.unary);
  add_kernels(crf, golden.picture, golden.settings);
  crf.start();
  for (int step = 1; step <= 10; ++step) {
    crf.step();
    if (step != 1 && step != 5 && step != 10) continue;
    EXPECT_EQ(different_labels(crf.most_likely(), golden.labels(step)), 0)
        << golden.name << " after " << step;
    if (step == 5) continue;
    const double difference = largest_difference(crf.marginals().values(), golden.marginals(step));
    std::cout << golden.name << ", " << step << " iterations: marginals within " << difference
              << "\n";
    // Two ways of single precision; mean field amplifies where two labels are equally likely.
    EXPECT_LE(difference, step == 1 ? 3e-6 : 1e-4) << golden.name << " after " << step;
  }
}

TEST(DenseCrf, AgreesWithTheStandardImplementation) {
  const std::vector<CrfGolden> goldens = CrfGolden::all();
  if (goldens.empty()) GTEST_SKIP() << CrfGolden::folder() << " is absent";
  for (const CrfGolden& golden : goldens) compare(golden);
}

}  // namespace
}  // namespace segmentum
