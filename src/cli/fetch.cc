// segmentum fetch: a public data set by git, after its licence and size were seen.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "base/counted.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "fetch/fetch.h"

namespace segmentum {
namespace {

struct Request {
  std::string name, out, from, commit;
  bool yes = false;
  int seed = 0;
  std::string json;
};

void print_all() {
  std::cout << "Public data sets:\n";
  for (const PublicDataset& dataset : public_datasets()) {
    std::cout << fmt::format("  {:<10}about {:>3} MB  {}\n", dataset.name, dataset.megabytes,
                             dataset.title);
  }
  std::cout << "Get one with: " << program_invocation_name << " fetch NAME --out DIR\n";
}

void print_terms(const PublicDataset& dataset, const std::string& out) {
  std::cout << fmt::format(
      "{}\n  from     {}\n           commit {}\n  into     {}\n  size     about {} MB "
      "to download, without history\n",
      dataset.title, dataset.url, dataset.commit, out, dataset.megabytes);
  const char* title = "licence";
  for (const std::string& line : dataset.licence) {
    std::cout << fmt::format("  {:<9}{}\n", title, line);
    title = "";
  }
  std::cout.flush();
}

/// Whether the person wants it. Throws Error where nobody can be asked.
bool is_wanted(const Request& request) {
  if (request.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) {
    throw Error("nothing is fetched unless somebody agrees to the terms above; --yes says so");
  }
  std::cout << "Fetch it? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// What is asked for, perhaps from a mirror or at another commit, whose files nobody has counted.
PublicDataset wanted_dataset(const Request& request) {
  PublicDataset dataset = public_dataset(request.name);
  if (!request.from.empty()) dataset.url = request.from;
  if (!request.commit.empty() && request.commit != dataset.commit) {
    dataset.commit = request.commit;
    for (PublicDataset::Count& part : dataset.folders) part.files = 0;
  }
  return dataset;
}

int fetch(const Request& request) {
  if (request.name.empty()) {
    print_all();
    return 0;
  }
  const PublicDataset dataset = wanted_dataset(request);
  const std::string out = request.out.empty() ? dataset.name : request.out;
  print_terms(dataset, out);
  if (!is_wanted(request)) {
    std::cout << "Nothing was fetched.\n";
    return 0;
  }
  catch_stop_signals();
  TerminalProgress progress(Screen::standard_output());
  const FetchedDataset fetched = fetch_dataset(
      dataset,
      {.out = out, .seed = static_cast<std::uint64_t>(request.seed), .progress = &progress});
  std::cout << (fetched.was_there ? "It was there already; verified:\n"
                                  : "Fetched and verified:\n");
  for (const std::string& note : fetched.inspection.notes) std::cout << "  " << note << '\n';
  JsonObject splits;
  for (const auto& [name, samples] : fetched.inspection.dataset.splits) {
    std::cout << fmt::format("  split {}: {}\n", name, counted(samples.size(), "picture"));
    splits.set(name, static_cast<std::int64_t>(samples.size()));
  }
  for (const std::string& question : fetched.inspection.questions)
    std::cout << "  ? " << question << '\n';
  std::cout << "Described in " << fetched.description.string() << '\n';
  write_json(request.json, JsonObject()
                               .set("file", fetched.description.string())
                               .set("commit", dataset.commit)
                               .set("splits", splits)
                               .set("was_there", fetched.was_there));
  std::cout << "Next: " << program_invocation_name << " train " << out << " --out runs/"
            << dataset.name << '\n';
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.optional_operand(request->name, "NAME", "camvid, isbi2012 or nuclei; none: lists them");
  arguments.option(request->out, "--out", "DIR",
                   "where to (default: NAME); an interrupted fetch goes on there");
  arguments.flag(request->yes, "--yes", "agree to licence and size without being asked");
  arguments.option(request->from, "--from", "URL",
                   "another copy of the repository, with the same commit");
  arguments.option(request->commit, "--commit", "ID",
                   "another commit than the one that was checked");
  arguments.option(request->seed, "--seed", {0, 1e9},
                   "of the split, where the data have none (default: 0)");
  arguments.json(request->json);
  return [request] { return fetch(*request); };
}

}  // namespace

const Command kFetchCommand{"fetch", "a public data set (CamVid, ISBI 2012, nuclei) by git",
                            "  segmentum fetch\n"
                            "  segmentum fetch camvid --out data/camvid\n"
                            "  segmentum fetch isbi2012 --yes --from /mirror/unet.git\n",
                            declare};

}  // namespace segmentum
