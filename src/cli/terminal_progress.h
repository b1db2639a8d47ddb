// Progress as a person sees it: a bar on a terminal, plain lines in a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "segmentum/progress.h"

namespace segmentum {

/// What the progress is shown on.
struct Screen {
  std::ostream* out = nullptr;
  bool terminal = false;  // can rewrite its last line
  std::function<int()> columns = [] { return 80; };
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;

  /// Standard output, or standard error; a terminal if it is one and can move its cursor.
  static Screen standard_output();
  static Screen standard_error();
};

/// On a terminal: one line, rewritten ten times a second at most: task, bar, rate, time left,
/// detail, cut to the terminal's width; it vanishes when the work is done. Elsewhere: a line every
/// ten seconds and one at the end of each stretch of work. Messages are lines of their own.
/// Of stretches inside of each other the innermost one is shown; the clocks of the others go on.
/// Asks to stop once `stop_signal` is noted.
class TerminalProgress final : public ProgressSink {
 public:
  explicit TerminalProgress(Screen screen) : screen_(std::move(screen)) {}
  ~TerminalProgress() override;
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void begin(const std::string& task, std::int64_t total, const std::string& unit) override;
  void update(std::int64_t done, const std::string& detail) override;
  void end() override;
  void message(const std::string& line) override;
  bool stop_requested() override;

 private:
  using Clock = std::chrono::steady_clock;

  struct Stretch {
    std::string task, unit, detail;
    std::int64_t total = 0;
    std::int64_t done = 0;
    Clock::time_point start;
  };

  double seconds(const Stretch& stretch) const;
  std::string left_text(const Stretch& stretch) const;
  std::string plain_line() const;
  std::string bar_line(int columns) const;
  void draw();
  void erase();

  Screen screen_;
  bool drawn_ = false;              // the bar stands on the terminal's last line
  std::vector<Stretch> stretches_;  // the innermost one last
  Clock::time_point shown_;         // when a bar or a plain line was last written
};

/// "0:07", "12:30", "1:02:03".
std::string clock_text(double seconds);

}  // namespace segmentum
