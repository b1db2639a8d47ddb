// The program as people meet it: a process with arguments, output and an exit status.
#pragma once

#include <sys/types.h>

#include <cstdint>
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

/// What a process may do.
struct Rights {
  bool is_nobody = false;                // the user "nobody"; needs to be root
  std::int64_t largest_file_bytes = -1;  // of those that it writes; negative: any
};

/// A process that runs until it is waited for.
class Program {
 public:
  /// Starts `segmentum ARGUMENTS` with its output going to files.
  explicit Program(const std::vector<std::string>& arguments, const Rights& rights = {});
  ~Program();  // kills it if it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool is_running();
  void send(int signal) const;
  pid_t id() const { return pid_; }
  Outcome wait();

 private:
  void reap(int options);

  std::filesystem::path output_;
  pid_t pid_ = -1;
  bool ended_ = false;
  Outcome outcome_;
};

/// Runs it to its end.
Outcome run(const std::vector<std::string>& arguments, const Rights& rights = {});

/// The same on a terminal of this many columns; all output is in `out`.
Outcome run_on_terminal(const std::vector<std::string>& arguments, int columns);

/// Looks at `condition` every few milliseconds, for a minute at most.
bool wait_until(const std::function<bool()>& condition);

/// A folder of this test alone, empty at the start.
std::filesystem::path fresh_folder(const std::string& name);

int line_count(const std::string& text);

}  // namespace segmentum
