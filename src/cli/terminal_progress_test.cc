#include "cli/terminal_progress.h"

#include <gmock/gmock.h>

#include <sstream>

namespace segmentum {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kErase = "\r\x1b[K";

/// A screen whose clock the test turns.
struct Fixture {
  std::ostringstream out;
  std::chrono::steady_clock::time_point time{};
  TerminalProgress progress;

  explicit Fixture(bool terminal, int columns = 80)
      : progress({.out = &out,
                  .terminal = terminal,
                  .columns = [columns] { return columns; },
                  .now = [this] { return time; }}) {}
  void pass(double seconds) {
    time += std::chrono::milliseconds(static_cast<std::int64_t>(1000 * seconds));
  }
  /// What was written since the last call.
  std::string written() {
    std::string text = out.str();
    out.str("");
    return text;
  }
};

int columns_of(const std::string& text) {
  return static_cast<int>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

TEST(TerminalProgress, PlainLinesWhereNothingCanBeRewritten) {
  Fixture f(false);
  f.progress.begin("predict", 40, "picture");
  f.pass(5);
  f.progress.update(5, "a.png");
  EXPECT_EQ(f.written(), "");
  f.pass(5);
  f.progress.update(10, "b.png");
  // 10 in 10 s: one a second, so 30 s for the other 30.
  EXPECT_EQ(f.written(), "predict: 10 of 40 pictures in 0:10, 1.0 pictures/s, 0:30 left, b.png\n");
  f.progress.message("c.png: broken");
  EXPECT_EQ(f.written(), "c.png: broken\n");
  f.pass(10);
  f.progress.update(40, "d.png");
  f.progress.end();
  EXPECT_EQ(f.written(), "predict: 40 of 40 pictures in 0:20, 2.0 pictures/s\n");
}

TEST(TerminalProgress, OneOfOne) {
  Fixture f(false);
  f.progress.begin("validate", 1, "picture");
  f.pass(2);
  f.progress.update(1, "a.png");
  f.progress.end();
  EXPECT_EQ(f.written(), "validate: 1 of 1 picture in 0:02, 2.0 s/picture\n");
}

TEST(TerminalProgress, OneLineRewrittenOnATerminal) {
  Fixture f(true, 100);
  f.progress.begin("train", 4, "step");
  f.written();
  f.pass(4);
  f.progress.update(2, "loss 0.5");
  // Half of a bar of 40 columns; 2 s a step.
  std::string bar;
  for (int i = 0; i < 20; ++i) bar += "█";
  EXPECT_EQ(f.written(), kErase + ("train  " + bar) + std::string(20, ' ') +
                             "   50 %  2/4  2.0 s/step  0:04 left  loss 0.5");
  f.pass(0.05);
  f.progress.update(3, "loss 0.4");
  EXPECT_EQ(f.written(), "") << "no more than ten times a second";
  f.progress.end();
  EXPECT_EQ(f.written(), kErase);
}

TEST(TerminalProgress, AnInnerStretchLeavesTheOuterOneItsClock) {
  for (const bool terminal : {false, true}) {
    Fixture f(terminal, 60);
    f.progress.begin("train", 4, "step");
    f.pass(2);
    f.progress.update(1, "");
    f.progress.begin("validate", 3, "picture");
    f.pass(3);
    f.progress.update(3, "");
    f.written();
    f.progress.end();
    if (!terminal) {
      EXPECT_EQ(f.written(), "validate: 3 of 3 pictures in 0:03, 1.0 pictures/s\n");
    }
    f.pass(15);
    f.progress.update(2, "");
    // Two steps took 20 s with the validation between them, so the other two take 20 s as well.
    EXPECT_THAT(f.written(),
                terminal ? HasSubstr("50 %  2/4  10.0 s/step  0:20 left")
                         : HasSubstr("train: 2 of 4 steps in 0:20, 10.0 s/step, 0:20 left"));
    f.progress.end();
  }
}

TEST(TerminalProgress, MessagesStandOnLinesOfTheirOwn) {
  Fixture f(true);
  f.progress.begin("train", 4, "step");
  f.written();
  f.progress.message("epoch 1");
  EXPECT_THAT(f.written(),
              testing::StartsWith(std::string(kErase) + "epoch 1\n" + kErase + "train"));
  f.progress.end();
  f.written();
  f.progress.message("done");
  EXPECT_EQ(f.written(), "done\n");
}

TEST(TerminalProgress, NeverWiderThanTheTerminal) {
  for (int columns : {1, 10, 30, 50, 80, 200}) {
    Fixture f(true, columns);
    f.progress.begin("évaluer", 1000, "picture");
    f.pass(1);
    f.progress.update(3, "façade/" + std::string(60, 'x'));
    std::string last = f.written();
    last = last.substr(last.rfind(kErase) + 4);
    EXPECT_LT(columns_of(last), columns + (columns == 1)) << last;
  }
}

TEST(TerminalProgress, NamesCannotBreakTheLine) {
  Fixture f(true, 120);
  f.progress.begin("predict", 2, "picture");
  f.pass(1);
  f.progress.update(1, "two\nlines\x1b[2J");
  EXPECT_THAT(f.written(), HasSubstr("two?lines?[2J"));
}

TEST(TerminalProgress, ClearsTheBarWhereWorkEndsInAnError) {
  std::ostringstream out;
  {
    TerminalProgress progress({.out = &out, .terminal = true});
    progress.begin("train", 4, "step");
    out.str("");
  }
  EXPECT_EQ(out.str(), kErase);
}

TEST(TerminalProgress, Clock) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(7.4), "0:07");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(3723), "1:02:03");
}

}  // namespace
}  // namespace segmentum
