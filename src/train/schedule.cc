#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace segmentum {

double learning_rate_factor(const Schedule& schedule, std::int64_t step) {
  const std::int64_t warmup = schedule.warmup_steps;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  const auto length = static_cast<double>(std::max<std::int64_t>(1, schedule.total_steps - warmup));
  const double progress = std::min(1.0, static_cast<double>(step - warmup) / length);
  switch (schedule.kind) {
    case ScheduleKind::poly:
      return std::pow(1.0 - progress, schedule.power);
    case ScheduleKind::cosine:
      return 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    case ScheduleKind::constant:
      break;
  }
  return 1.0;
}

}  // namespace segmentum
