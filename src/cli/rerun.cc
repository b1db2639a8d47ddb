// segmentum rerun: a training once more from its manifest, to see whether it gives the same bits.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "cli/arguments.h"
#include "cli/build_facts.h"
#include "cli/json_object.h"
#include "cli/seed_folders.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/inspect.h"
#include "engine/executor.h"
#include "train/data_hashes.h"
#include "train/data_identity.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string run;
  std::string out;
  std::string data;
  bool resume = false;
  std::string json;
};

RunManifest readable_manifest(const fs::path& file) {
  try {
    return read_manifest(file);
  } catch (const Error& error) {
    throw Error(
        fmt::format("{}; a rerun needs it: put a copy in its place, or `segmentum train DATA "
                    "--out {} --resume` writes another, of what that call trains",
                    error.what(), file.parent_path().string()));
  }
}

/// The manifest of a run that can be repeated. Throws Error saying why one cannot.
RunManifest manifest_of(const fs::path& run) {
  const fs::path file = run / "manifest.json";
  if (!fs::exists(file)) {
    const std::string several = several_trainings(run);
    throw Error::in_file(run.string(), several.empty()
                                           ? "holds no manifest.json; the folder of a run was "
                                             "expected, as `segmentum train` leaves it"
                                           : several);
  }
  RunManifest manifest = readable_manifest(file);
  if (!manifest.weights) {
    throw Error::in_file(
        file.string(),
        fmt::format("the training has not ended, so there is nothing to compare with; "
                    "`segmentum train {} --out {} --resume` ends it",
                    manifest.data.string(), run.string()));
  }
  if (!manifest.changed.empty()) {
    throw Error::in_file(file.string(),
                         fmt::format("data changed while this run was trained ({}), so it cannot "
                                     "be repeated; train anew",
                                     few_names(manifest.changed)));
  }
  return manifest;
}

TrainConfig settings_in(const RunManifest& manifest, const fs::path& file) {
  try {
    return config_of(manifest);
  } catch (const Error& error) {
    throw Error::in_file(file.string(),
                         fmt::format("its settings cannot be repeated: {}", error.what()));
  }
}

/// Throws Error naming the first thing that is not as it was.
void require_unchanged(const RunManifest& manifest, const TrainConfig& config,
                       const Dataset& dataset, const fs::path& run, ProgressSink& progress) {
  const std::vector<std::string> splits{config.train_split, config.val_split};
  const std::string difference =
      first_difference(manifest.data_identity, data_identity(dataset, splits));
  if (!difference.empty()) {
    throw Error::in_file(dataset.root.string(),
                         fmt::format("the data are not those of {}: {}; a rerun needs them as they "
                                     "were",
                                     run.string(), difference));
  }
  const fs::path list = run / "data.sha256";
  if (sha256_of(list) != manifest.data_sha256) {
    throw Error::in_file(list.string(), "is not the list that manifest.json beside it is about");
  }
  const std::vector<std::string> changed =
      different_files(read_hashes(list), hash_data(dataset, splits, progress));
  if (!changed.empty()) {
    throw Error::in_file(
        (dataset.root / changed.front()).string(),
        fmt::format("has other content than when {} was trained{}; a rerun needs the data as they "
                    "were (`sha256sum --check --quiet {}` in {} lists all)",
                    run.string(),
                    changed.size() > 1 ? fmt::format(", and {} more", changed.size() - 1) : "",
                    fs::absolute(list).string(), dataset.root.string()));
  }
  if (!config.init.empty() && sha256_of(config.init) != manifest.init_sha256) {
    throw Error::in_file(config.init, "is not the model that " + run.string() + " began with");
  }
}

/// What of program and machine is not as it was at one of the calls that trained the run.
std::string different_program(const RunManifest& manifest) {
  const auto facts = build_facts();
  const std::map<std::string, std::string> now(facts.begin(), facts.end());
  for (const RunCall& call : manifest.calls) {
    std::string text = difference(call.program, now);
    if (!text.empty()) return text;
  }
  return "";
}

fs::path out_of(const Request& request) {
  if (!request.out.empty()) return request.out;
  fs::path run = fs::path(request.run).lexically_normal();
  if (!run.has_filename()) run = run.parent_path();
  return run += "-again";
}

int rerun(const Request& request) {
  const fs::path run = request.run, out = out_of(request);
  std::error_code code;
  if (fs::equivalent(run, out, code)) {
    throw UsageError(fmt::format("--out is {} itself; name another folder", run.string()));
  }
  const RunManifest manifest = manifest_of(run);
  const TrainConfig config = settings_in(manifest, run / "manifest.json");
  const std::string data = request.data.empty() ? manifest.data.string() : request.data;
  TerminalProgress progress(Screen::standard_output());
  catch_stop_signals();
  const Dataset dataset = open_dataset(data, progress);
  require_unchanged(manifest, config, dataset, run, progress);
  const std::string other = different_program(manifest);
  if (!other.empty()) {
    progress.message("other bits are to be expected, because program or machine differ: " + other);
  }
  const auto executor = make_cpu_executor();
  try {
    train(dataset, config, out, request.resume, *executor, progress, run_facts(data));
  } catch (const Interrupted&) {
    std::cout << "Stopped after a checkpoint: the same command with --resume goes on from it.\n";
    throw;
  }
  const WeightHashes weights = *read_manifest(out / "manifest.json").weights;
  const bool same = weights == *manifest.weights;
  write_json(request.json, JsonObject()
                               .set("run", run.string())
                               .set("out", out.string())
                               .set("same_bits", same)
                               .set("last_weights", weights.last)
                               .set("best_weights", weights.best));
  if (!same) {
    throw Error::in_file(
        out.string(),
        fmt::format("its weights are others than those of {}{}", run.string(),
                    other.empty() ? ", though data, settings, program and machine are the same"
                                  : "; what differs: " + other));
  }
  std::cout << fmt::format(
      "The same bits: {} and {} have the same weights after the last step "
      "(sha256 {}) and in best.segmentum (sha256 {})\n",
      out.string(), run.string(), weights.last.substr(0, 16), weights.best.substr(0, 16));
  return 0;
}

constexpr const char* kHowItWorks = R"(
What a training follows from stands in RUN/manifest.json: settings, seed, threads and steps (also
of a run of --minutes), SHA-256 of every file of the data (in RUN/data.sha256), and the program,
libraries and CPU. First the data are compared, file by file; if one changed, nothing is trained.
Data that were moved are named by --data.

The same bits are to be expected from the same program on the same kind of CPU. Whatever of that
differs is told first.

Exit status: 0 the same bits; 1 others, or it cannot be repeated, one line says why; 2 wrong usage;
130 after Ctrl-C.
)";

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->run, "RUN", "the folder of a training that has ended");
  arguments.option(request->out, "--out", "DIR", "folder of the new run (default: RUN-again)");
  arguments.option(request->data, "--data", "DATA", "where the data are now, if they were moved");
  arguments.flag(request->resume, "--resume", "go on with a rerun that was broken off");
  arguments.json(request->json);
  arguments.help_footer([] { return std::string(kHowItWorks); });
  return [request] { return rerun(*request); };
}

}  // namespace

const Command kRerunCommand{"rerun", "train once more from a run's manifest: the same bits?",
                            "  segmentum rerun runs/first\n"
                            "  segmentum rerun runs/first --out runs/proof --data /mnt/pictures\n",
                            declare, true};

}  // namespace segmentum
