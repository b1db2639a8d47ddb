#include "cli/stop_signal.h"

#include <unistd.h>

#include <csignal>
#include <cstring>

namespace segmentum {
namespace {

volatile std::sig_atomic_t noted = 0;

// Only what is safe in a signal handler.
void note(int signal) {
  constexpr int kSignalExit = 128;
  if (noted != 0) _exit(kSignalExit + signal);
  noted = signal;
  if (isatty(STDERR_FILENO) != 0) {
    const char* text = "\nstopping at the next safe point; once more stops at once\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text, std::strlen(text));
  }
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int stop_signal() {
  return noted;
}

}  // namespace segmentum
