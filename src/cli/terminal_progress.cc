#include "cli/terminal_progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "base/counted.h"
#include "cli/stop_signal.h"

namespace segmentum {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr int kNarrowestBar = 8;
constexpr int kWidestBar = 40;
constexpr const char* kEraseLine = "\r\x1b[K";

Screen standard_screen(std::ostream& out, int descriptor) {
  Screen screen;
  screen.out = &out;
  const char* kind = std::getenv("TERM");
  screen.terminal = isatty(descriptor) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
  screen.columns = [descriptor] {
    winsize size{};
    const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? static_cast<int>(size.ws_col) : 80;
  };
  return screen;
}

/// Columns that UTF-8 text takes, if no character is wide.
int width_of(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// The first `columns` characters.
std::string cut_to(const std::string& text, int columns) {
  std::size_t end = 0;
  for (int taken = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && ++taken > columns) break;
  }
  return text.substr(0, end);
}

/// Names of files may hold anything; a bar must stay on its line.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

/// Full blocks and one of eight partial ones.
std::string bar(double part, int columns) {
  constexpr const char* kPartial[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(part, 0.0, 1.0) * 8 * columns);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kPartial[eighths % 8];
  return text + std::string(static_cast<std::size_t>(columns - width_of(text)), ' ');
}

std::string rate_text(double rate, const std::string& unit) {
  if (rate >= 1 || rate <= 0) return fmt::format("{:.{}f} {}s/s", rate, rate < 10 ? 1 : 0, unit);
  return fmt::format("{:.1f} s/{}", 1 / rate, unit);
}

}  // namespace

Screen Screen::standard_output() {
  return standard_screen(std::cout, STDOUT_FILENO);
}

Screen Screen::standard_error() {
  return standard_screen(std::cerr, STDERR_FILENO);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

TerminalProgress::~TerminalProgress() {
  erase();
}

void TerminalProgress::begin(const std::string& task, std::int64_t total, const std::string& unit) {
  shown_ = screen_.now();
  stretches_.push_back({.task = printable(task), .unit = unit, .total = total, .start = shown_});
  if (screen_.terminal) draw();
}

void TerminalProgress::update(std::int64_t done, const std::string& detail) {
  if (stretches_.empty()) return;
  Stretch& stretch = stretches_.back();
  stretch.done = done;
  stretch.detail = printable(detail);
  const auto waited = screen_.now() - shown_;
  if (screen_.terminal) {
    if (waited >= kRedraw) draw();
  } else if (waited >= kPlainInterval && done < stretch.total) {
    *screen_.out << plain_line() << std::endl;
    shown_ = screen_.now();
  }
}

void TerminalProgress::end() {
  erase();
  if (stretches_.empty()) return;
  if (!screen_.terminal) *screen_.out << plain_line() << std::endl;
  stretches_.pop_back();
  if (!stretches_.empty() && screen_.terminal) draw();
}

void TerminalProgress::message(const std::string& line) {
  erase();
  *screen_.out << line << std::endl;
  if (!stretches_.empty() && screen_.terminal) draw();
}

bool TerminalProgress::stop_requested() {
  return stop_signal() != 0;
}

double TerminalProgress::seconds(const Stretch& stretch) const {
  return std::chrono::duration<double>(screen_.now() - stretch.start).count();
}

/// If the rest goes as fast as what is done.
std::string TerminalProgress::left_text(const Stretch& stretch) const {
  const auto done = static_cast<double>(stretch.done);
  return clock_text(seconds(stretch) / done * (static_cast<double>(stretch.total) - done)) +
         " left";
}

std::string TerminalProgress::plain_line() const {
  const Stretch& stretch = stretches_.back();
  const double passed = seconds(stretch);
  const bool whole = stretch.done >= stretch.total;
  std::string line = fmt::format("{}: {} of {} in {}", stretch.task, stretch.done,
                                 counted(stretch.total, stretch.unit), clock_text(passed));
  if (stretch.done > 0 && passed > 0) {
    line += ", " + rate_text(static_cast<double>(stretch.done) / passed, stretch.unit);
    if (!whole) line += ", " + left_text(stretch);
  }
  return stretch.detail.empty() || whole ? line : line + ", " + stretch.detail;
}

std::string TerminalProgress::bar_line(int columns) const {
  const Stretch& stretch = stretches_.back();
  const double passed = seconds(stretch);
  const auto done = static_cast<double>(stretch.done);
  const double part = stretch.total > 0 ? done / static_cast<double>(stretch.total) : 0;
  std::string numbers = fmt::format("{:3.0f} %  {}/{}", 100 * part, stretch.done, stretch.total);
  if (stretch.done > 0 && passed > 0) {
    numbers += "  " + rate_text(done / passed, stretch.unit) + "  " + left_text(stretch);
  }
  // What matters least goes first where there is no room: the detail, then most of the bar.
  const int fixed = width_of(stretch.task) + 2 + 2 + width_of(numbers);
  int room = columns - 1 - fixed;
  std::string detail;
  if (!stretch.detail.empty() && room >= kNarrowestBar + 2 + width_of(stretch.detail)) {
    detail = "  " + stretch.detail;
    room -= width_of(detail);
  }
  const int bar_columns = std::clamp(room, kNarrowestBar, kWidestBar);
  return cut_to(fmt::format("{}  {}  {}{}", stretch.task, bar(part, bar_columns), numbers, detail),
                columns - 1);
}

void TerminalProgress::draw() {
  *screen_.out << kEraseLine << bar_line(screen_.columns()) << std::flush;
  drawn_ = true;
  shown_ = screen_.now();
}

void TerminalProgress::erase() {
  if (drawn_) *screen_.out << kEraseLine << std::flush;
  drawn_ = false;
}

}  // namespace segmentum
