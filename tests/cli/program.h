// The program as people meet it: a process with arguments, output and an exit status.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace segmentum {

struct Outcome {
  int status = -1;  // 128 + the signal where one ended it
  std::string out;
  std::string err;
  double cpu_seconds = 0;
  double peak_mb = 0;  // resident, 2^20 bytes each
};

/// A process that runs until it is waited for.
class Program {
 public:
  /// Starts `segmentum ARGUMENTS` with its output going to files.
  explicit Program(const std::vector<std::string>& arguments);
  ~Program();  // kills it if it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool is_running();
  void send(int signal) const;
  Outcome wait();

 private:
  void reap(int options);

  std::filesystem::path output_;
  pid_t pid_ = -1;
  bool ended_ = false;
  Outcome outcome_;
};

/// Runs it to its end.
Outcome run(const std::vector<std::string>& arguments);

/// The same on a terminal of this many columns; all output is in `out`.
Outcome run_on_terminal(const std::vector<std::string>& arguments, int columns);

/// Looks at `condition` every few milliseconds, for a minute at most.
bool wait_until(const std::function<bool()>& condition);

/// A folder of this test alone, empty at the start.
std::filesystem::path fresh_folder(const std::string& name);

int line_count(const std::string& text);

}  // namespace segmentum
