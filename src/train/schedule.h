// How the learning rate moves over a training: a pure function of the step, so a resumed run needs
// no state for it.
#pragma once

#include <cstdint>

namespace segmentum {

enum class ScheduleKind { poly, cosine, constant };

/// Linear warm-up over `warmup_steps`, then with p = (step - warmup) / (total - warmup):
/// poly (1 - p)^power (Chen et al., DeepLab, 2017), cosine (1 + cos(pi p)) / 2 (Loshchilov and
/// Hutter, ICLR 2017), or constant.
struct Schedule {
  ScheduleKind kind = ScheduleKind::poly;
  double power = 0.9;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;
};

/// The factor in (0, 1] on the base learning rate at `step`, 0-based; 0 from `total_steps` on
/// unless constant.
double learning_rate_factor(const Schedule& schedule, std::int64_t step);

}  // namespace segmentum
