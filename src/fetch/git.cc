#include "fetch/git.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Both ends of a pipe, closed in the end.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0)
      throw Error(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reading_end() const { return ends_[0]; }
  int writing_end() const { return ends_[1]; }
  bool is_open() const { return ends_[0] >= 0; }
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Ours, but for what would name another repository or change git's words.
std::vector<std::string> clean_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const bool keeps = !text.starts_with("GIT_") || text.starts_with("GIT_SSL") ||
                       text.starts_with("GIT_SSH") || text.starts_with("GIT_CONFIG");
    if (keeps && !text.starts_with("LC_ALL=")) variables.emplace_back(text);
  }
  variables.emplace_back("GIT_TERMINAL_PROMPT=0");
  variables.emplace_back("LC_ALL=C");
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(std::vector<std::string> words, const Pipe& out, const Pipe& err) {
  std::vector<std::string> environment = clean_environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.writing_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.writing_end(), STDERR_FILENO);
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, "git", &actions, nullptr, pointers(words).data(),
                                    pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT)
    throw Error("there is no git; install it (apt-get install git) and run this again");
  if (failed != 0) throw Error(fmt::format("git does not start: {}", std::strerror(failed)));
  return child;
}

/// Reads what is there; closes the pipe at its end.
void drain(Pipe& pipe, std::string& text) {
  std::array<char, 4096> bytes;
  const ssize_t count = ::read(pipe.reading_end(), bytes.data(), bytes.size());
  if (count > 0) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  } else if (count == 0 || errno != EINTR) {
    pipe.close_end(0);
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// The line that says why: git's last one, without "fatal: ".
std::string reason_of(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  const std::size_t fatal = text.rfind("fatal: ");
  const std::size_t line = fatal != std::string::npos ? fatal + 7 : text.rfind('\n') + 1;
  text.erase(0, line);
  return text.substr(0, text.find('\n'));
}

}  // namespace

Git::Git(std::filesystem::path folder, ProgressSink* progress)
    : folder_(std::move(folder)), progress_(progress) {}

Git::Outcome Git::start(const std::vector<std::string>& words) const {
  std::vector<std::string> command{"git", "-C", folder_.string()};
  command.insert(command.end(), words.begin(), words.end());
  Pipe out, err;
  const pid_t child = spawn(std::move(command), out, err);
  out.close_end(1);
  err.close_end(1);
  Outcome outcome;
  bool stopped = false;
  while (out.is_open() || err.is_open()) {
    std::array<pollfd, 2> waits{{{out.reading_end(), POLLIN, 0}, {err.reading_end(), POLLIN, 0}}};
    constexpr int kPatienceMs = 200;
    ::poll(waits.data(), waits.size(), kPatienceMs);
    if (waits[0].revents != 0 && out.is_open()) drain(out, outcome.out);
    if (waits[1].revents != 0 && err.is_open()) drain(err, outcome.err);
    if (!stopped && progress_ != nullptr && progress_->stop_requested()) {
      stopped = true;
      ::kill(child, SIGTERM);  // it takes its lock files away
    }
  }
  outcome.status = wait_for(child);
  if (stopped) throw Interrupted();
  return outcome;
}

std::string Git::run(const std::vector<std::string>& words) const {
  Outcome outcome = start(words);
  if (outcome.status == 0) return std::move(outcome.out);
  throw Error(fmt::format("git {} failed: {}", words.front(), reason_of(outcome.err)));
}

bool Git::succeeds(const std::vector<std::string>& words) const {
  return start(words).status == 0;
}

}  // namespace segmentum
