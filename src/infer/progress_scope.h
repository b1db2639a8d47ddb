// Progress of a part that may fail, and what is left of it then.
#pragma once

#include <cstdint>
#include <string>

#include "segmentum/progress.h"

namespace segmentum {

/// Passes everything on to another sink, which may be none.
class ProgressScope final : public ProgressSink {
 public:
  explicit ProgressScope(ProgressSink* sink) : sink_(sink) {}

  /// Ends what was begun and not ended, where the work around the part goes on.
  void close() {
    for (; open_ > 0; --open_) sink_->end();
  }

  void begin(const std::string& task, std::int64_t total, const std::string& unit) override {
    if (!sink_) return;
    sink_->begin(task, total, unit);
    ++open_;
  }
  void update(std::int64_t done, const std::string& detail) override {
    if (sink_) sink_->update(done, detail);
  }
  void end() override {
    if (!sink_) return;
    sink_->end();
    --open_;
  }
  void message(const std::string& line) override {
    if (sink_) sink_->message(line);
  }
  bool stop_requested() override { return sink_ && sink_->stop_requested(); }

 private:
  ProgressSink* sink_;
  int open_ = 0;
};

}  // namespace segmentum
