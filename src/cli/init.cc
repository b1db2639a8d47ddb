// segmentum init: looks at a folder and writes down what data set it is.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "data/check/check.h"
#include "data/inspect.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string data;
  std::string out;
  int seed = 0;
  bool force = false;
  std::string json;
};

void print_findings(const Inspection& inspection) {
  for (const std::string& note : inspection.notes) std::cout << "  " << note << '\n';
  const Dataset& dataset = inspection.dataset;
  if (!dataset.classes.empty()) {
    std::string names;
    for (const ClassInfo& info : dataset.classes) names += (names.empty() ? "" : ", ") + info.name;
    std::cout << fmt::format("  {}: {}\n", counted(dataset.class_count(), "class"), names);
  }
  for (const auto& [name, samples] : dataset.splits) {
    std::cout << fmt::format("  split {}: {}\n", name, counted(samples.size(), "picture"));
  }
}

void print_questions(const Inspection& inspection, const fs::path& file) {
  if (inspection.questions.empty() && inspection.obstacles.empty()) return;
  std::cout << "To be decided by you in " << file.string() << ":\n";
  for (const std::string& obstacle : inspection.obstacles) std::cout << "  ! " << obstacle << '\n';
  for (const std::string& question : inspection.questions) std::cout << "  ? " << question << '\n';
}

JsonObject json_of(const Inspection& inspection, const fs::path& file) {
  std::vector<std::string> classes;
  for (const ClassInfo& info : inspection.dataset.classes) classes.push_back(info.name);
  JsonObject splits;
  for (const auto& [name, samples] : inspection.dataset.splits) {
    splits.set(name, static_cast<std::int64_t>(samples.size()));
  }
  return JsonObject()
      .set("file", file.string())
      .set("classes", classes)
      .set("channels", inspection.dataset.channels)
      .set("splits", splits)
      .set("notes", inspection.notes)
      .set("questions", inspection.questions)
      .set("obstacles", inspection.obstacles);
}

/// Nobody may write here: not even root should, though root could.
bool is_read_only(const fs::path& folder) {
  constexpr fs::perms kWrite =
      fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  std::error_code unknown;
  return (fs::status(folder, unknown).permissions() & kWrite) == fs::perms::none;
}

/// Throws Error before the pictures are looked at if the file could not be written in the end.
void check_writable(const Request& request, const fs::path& file) {
  if (fs::is_directory(file)) {
    throw Error(fmt::format("--out is the folder {0}; expected a file, such as {0}/dataset.toml",
                            file.string()));
  }
  if (fs::exists(file) && !request.force) {
    throw Error::in_file(file.string(),
                         "is already there, perhaps with what you decided; --force writes it anew, "
                         "--out FILE writes another one");
  }
  if (request.out.empty() && fs::is_directory(request.data) && is_read_only(request.data)) {
    throw Error::in_file(request.data,
                         "is read-only; --out FILE.toml puts the description elsewhere, and the "
                         "other commands take that file as DATA");
  }
}

int init(const Request& request) {
  const fs::path file =
      request.out.empty() ? fs::path(request.data) / "dataset.toml" : fs::path(request.out);
  check_writable(request, file);
  Inspection inspection = inspect_folder(request.data, static_cast<std::uint64_t>(request.seed));
  check_inspection(inspection);
  write_file(file, dataset_toml(inspection, fs::absolute(file).parent_path()));
  std::cout << "Found in " << request.data << ":\n";
  print_findings(inspection);
  print_questions(inspection, file);
  std::cout << "Wrote " << file.string() << '\n';
  write_json(request.json, json_of(inspection, file));
  if (!inspection.obstacles.empty()) {
    throw Error::in_file(request.data, inspection.obstacles.front());
  }
  const std::string& described = request.out.empty() ? request.data : request.out;
  std::cout << fmt::format("Next: {0} check {1}, then {0} train {1}\n", program_invocation_name,
                           described);
  return 0;
}

}  // namespace

const Command kInitCommand{
    "init", "look at a folder of pictures and masks, write its dataset.toml",
    "  segmentum init pictures\n  segmentum init /mnt/read-only/pictures --out pictures.toml\n",
    [](Arguments& arguments) {
      auto request = std::make_shared<Request>();
      arguments.operand(request->data, "DATA", "folder of pictures and masks");
      arguments.option(request->out, "--out", "FILE",
                       "where to write the description (default: DATA/dataset.toml)");
      arguments.option(request->seed, "--seed", {0, 1e9},
                       "of the random split, where none is given (default: 0)");
      arguments.flag(request->force, "--force", "replace a description that is there");
      arguments.json(request->json);
      return Action([request] { return init(*request); });
    }};

}  // namespace segmentum
