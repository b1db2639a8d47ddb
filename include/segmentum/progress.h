// How long work tells its caller how far it is; the library itself never prints.
#pragma once

#include <cstdint>
#include <string>

namespace segmentum {

/// Receives the progress of long work. All calls come from the thread that called the library.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  /// A stretch of work with `total` units ("step", "picture") begins. It may lie inside of another.
  virtual void begin(const std::string& task, std::int64_t total, const std::string& unit) = 0;
  /// `done` units are finished; `detail` is a short text such as "loss 0.412".
  virtual void update(std::int64_t done, const std::string& detail) = 0;
  /// The stretch of work that began last is over.
  virtual void end() = 0;
  /// One line for the person, outside of any stretch of work or between two updates.
  virtual void message(const std::string& line) = 0;
  /// Asked between units of work; true stops at the next safe point with `Interrupted`.
  virtual bool stop_requested() { return false; }
};

}  // namespace segmentum
