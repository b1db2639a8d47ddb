// What happened in a training, one JSON object a line, so that a curve can be drawn while it runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "metrics/confusion_matrix.h"
#include "segmentum/classes.h"

namespace segmentum {

/// The steps since the line before: means over them, except `step`, `epoch` and `lr`.
struct StepRecord {
  std::int64_t step = 0;  // steps done
  std::int64_t epoch = 0;
  double loss = 0;
  double lr = 0;
  double gradient_norm = 0;
  double images_per_second = 0;
  std::optional<double> step_images_per_second;  // without loader, as measured last
  double loader_wait_seconds = 0;                // in all these steps together
};

/// One validation.
struct ValidationRecord {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  Scores scores;
  bool best = false;
  double seconds = 0;
};

/// Appends lines to log.jsonl; a line is in the file when the call returns.
class RunLog {
 public:
  /// Keeps at most the first `keep_bytes` of the file, in whole lines: what came after the
  /// checkpoint that a training resumes from will be written again. Throws Error naming the file.
  RunLog(std::filesystem::path path, std::int64_t keep_bytes);

  void write(const StepRecord& record);
  void write(const ValidationRecord& record, const std::vector<ClassInfo>& classes);
  std::int64_t bytes() const { return bytes_; }

 private:
  void append(std::string line);

  std::filesystem::path path_;
  std::int64_t bytes_ = 0;
};

}  // namespace segmentum
