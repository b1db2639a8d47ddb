// The program: a table of commands.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/stop_signal.h"
#include "cli/thread_waiting.h"
#include "models/settings.h"

namespace segmentum {
namespace {

constexpr std::array kCommands{&kInitCommand,      &kCheckCommand,
                               &kConvertCommand,   &kFetchCommand,
                               &kTrainCommand,     &kRerunCommand,
                               &kEvalCommand,      &kCompareCommand,
                               &kPredictCommand,   &kCrfCommand,
                               &kCrfSearchCommand, &kImportCommand,
                               &kExportCommand,    &kConvertClassifierCommand,
                               &kDescribeCommand,  &kBenchCommand,
                               &kModelsCommand,    &kCeilingCommand,
                               &kDemoCommand,      &kVersionCommand};

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr int kInterrupted = 128;  // plus the signal

std::string help() {
  std::string text =
      "Segmentum: labelled pictures in, a trained network out; pictures in, label maps out.\n\n"
      "Usage: segmentum COMMAND [ARGUMENT...]\n\nCommands:\n";
  for (const Command* command : kCommands) {
    text += fmt::format("  {:<20}{}\n", command->name, command->summary);
  }
  return text +
         "\nExample:\n"
         "  segmentum init pictures\n"
         "  segmentum check pictures\n"
         "  segmentum train pictures --out runs/first\n"
         "  segmentum eval runs/first/best.segmentum pictures --report scores\n"
         "  segmentum predict runs/first/best.segmentum new/*.jpg --out masks --overlay\n\n"
         "segmentum COMMAND --help explains a command. Try segmentum demo first.\n"
         "Every command takes --picture-limit MB: pictures that would take more memory when "
         "decoded\n"
         "are refused from their header (default: 4096).\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\n";
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> known;
  for (const Command* command : kCommands) {
    if (command->name == name) return *command;
    known.emplace_back(command->name);
  }
  throw UsageError(fmt::format("there is no command \"{}\"; {}there are {}", name,
                               did_you_mean(name, known), joined(known)));
}

int run_command(const Command& command, std::span<const char* const> words) {
  Arguments arguments(command);
  const Action action = command.declare(arguments);
  if (!arguments.parse(words)) {
    std::cout << arguments.help();
    return 0;
  }
  return action();
}

int run(std::span<const char* const> words) {
  if (words.empty()) {
    std::cerr << help();
    return kWrongUsage;
  }
  const std::string verb = words.front();
  if (verb == "--version" || verb == "-V") return run_command(kVersionCommand, {});
  const bool asks_help = verb == "help" || verb == "--help" || verb == "-h";
  if (!asks_help) return run_command(find_command(verb), words.subspan(1));
  if (words.size() == 1) {
    std::cout << help();
    return 0;
  }
  constexpr std::array kHelp{"--help"};
  return run_command(find_command(words[1]), kHelp);
}

bool computes(const std::string& verb) {
  return std::ranges::any_of(kCommands, [&](const Command* command) {
    return command->name == verb && command->computes;
  });
}

/// Errors are one line, whatever names of files hold.
int fail(std::string what, int status) {
  std::ranges::replace(what, '\n', ' ');
  std::cerr << "segmentum: " << what << std::endl;
  return status;
}

}  // namespace
}  // namespace segmentum

int main(int argc, char** argv) {
  using namespace segmentum;
  if (argc > 1 && computes(argv[1])) let_waiting_threads_sleep(argv);
  std::ios::sync_with_stdio(false);
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond `ulimit -f` is an error with a name
  try {
    const int status = run({argv + 1, static_cast<std::size_t>(std::max(argc - 1, 0))});
    if (!std::cout.flush()) return fail("cannot write to standard output", kFailed);
    return status;
  } catch (const UsageError& error) {
    return fail(error.what(), kWrongUsage);
  } catch (const Interrupted& error) {
    return fail(error.what(), kInterrupted + stop_signal());
  } catch (const std::bad_alloc&) {
    return fail("out of memory; smaller pictures, tiles or batches need less", kFailed);
  } catch (const std::exception& error) {
    return fail(error.what(), kFailed);
  }
}
