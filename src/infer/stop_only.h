// Progress within a unit of larger work: only the wish to stop is passed on.
#pragma once

#include "segmentum/progress.h"

namespace segmentum {

class StopOnly final : public ProgressSink {
 public:
  /// Null: nobody asks.
  explicit StopOnly(ProgressSink* outer) : outer_(outer) {}

  void begin(const std::string&, std::int64_t, const std::string&) override {}
  void update(std::int64_t, const std::string&) override {}
  void end() override {}
  void message(const std::string& line) override {
    if (outer_) outer_->message(line);
  }
  bool stop_requested() override { return outer_ && outer_->stop_requested(); }

 private:
  ProgressSink* outer_;
};

}  // namespace segmentum
