#include "program.h"

#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "base/file.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

std::vector<char*> argv_of(const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(SEGMENTUM_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

void write_to(const fs::path& path, int descriptor) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(file, descriptor);
  close(file);
}

bool take(const Rights& rights) {
  if (rights.largest_file_bytes >= 0) {
    const auto bytes = static_cast<rlim_t>(rights.largest_file_bytes);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
  }
  constexpr unsigned kNobody = 65534;
  return !rights.is_nobody ||
         (setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const Rights& rights) {
  output_ = fs::temp_directory_path() / "segmentum-output-XXXXXX";
  std::string name = output_.string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  output_ = name;
  const std::vector<char*> argv = argv_of(arguments);
  pid_ = fork();
  if (pid_ != 0) return;
  write_to(output_ / "out", STDOUT_FILENO);
  write_to(output_ / "err", STDERR_FILENO);
  if (!take(rights)) _exit(126);
  execv(argv.front(), argv.data());
  _exit(127);
}

Program::~Program() {
  if (!ended_) {
    send(SIGKILL);
    reap(0);
  }
  fs::remove_all(output_);
}

void Program::reap(int options) {
  int wait_status = 0;
  rusage usage{};
  if (ended_ || wait4(pid_, &wait_status, options, &usage) != pid_) return;
  ended_ = true;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  outcome_ = {.status = status_of(wait_status),
              .out = read_file(output_ / "out"),
              .err = read_file(output_ / "err"),
              .cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime),
              .peak_mb = static_cast<double>(usage.ru_maxrss) / 1024};
}

bool Program::is_running() {
  reap(WNOHANG);
  return !ended_;
}

void Program::send(int signal) const {
  kill(pid_, signal);
}

Outcome Program::wait() {
  reap(0);
  return outcome_;
}

Outcome run(const std::vector<std::string>& arguments, const Rights& rights) {
  return Program(arguments, rights).wait();
}

Outcome run_on_terminal(const std::vector<std::string>& arguments, int columns) {
  const std::vector<char*> argv = argv_of(arguments);
  winsize size{.ws_row = 24, .ws_col = static_cast<unsigned short>(columns)};
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, &size);
  if (pid == 0) {
    setenv("TERM", "xterm", 1);
    execv(argv.front(), argv.data());
    _exit(127);
  }
  Outcome outcome;
  char buffer[4096];
  for (ssize_t n; (n = read(terminal, buffer, sizeof buffer)) > 0;) {
    outcome.out.append(buffer, static_cast<std::size_t>(n));
  }
  int wait_status = 0;
  waitpid(pid, &wait_status, 0);
  close(terminal);
  outcome.status = status_of(wait_status);
  return outcome;
}

bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

fs::path fresh_folder(const std::string& name) {
  const fs::path folder = fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "cli" / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

int line_count(const std::string& text) {
  return static_cast<int>(std::ranges::count(text, '\n'));
}

}  // namespace segmentum
