#include "base/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "segmentum/error.h"

namespace segmentum {
namespace {

TEST(ParallelFor, CallsForEachIndexOnce) {
  const ThreadsInScope three(3);
  std::vector<int> calls(10);
  parallel_for(10, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
  EXPECT_THAT(calls, testing::Each(1));
  parallel_for(0, [&](std::int64_t) { FAIL(); });
}

TEST(ParallelFor, ThrowsWhatTheLeastIndexThrew) {
  for (int count : {1, 2, 3}) {
    const ThreadsInScope scope(count);
    EXPECT_THAT(
        [] {
          parallel_for(12, [](std::int64_t i) {
            if (i % 5 == 4) throw Error("at " + std::to_string(i));  // 4 and 9
          });
        },
        testing::ThrowsMessage<Error>("at 4"));
  }
}

TEST(ThreadsInScope, EndsWithTheScope) {
  const int before = threads();
  {
    const ThreadsInScope five(5);
    EXPECT_EQ(threads(), 5);
    const ThreadsInScope unchanged(0);
    EXPECT_EQ(threads(), 5);
  }
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace segmentum
