// segmentum check: the label doctor.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/check/advice.h"
#include "data/check/check.h"
#include "data/check/repair.h"
#include "report/check_report.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string data;
  std::string splits;
  std::string fix;
  bool link = false;
  std::string report;
  int threads = 0;
  std::string json;
};

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ',') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  std::erase(names, "");
  return names;
}

// ---- for a person -------------------------------------------------------------------------------

constexpr const char* kIndent = "         ";

void print_finding(const Finding& finding) {
  constexpr std::size_t kPrinted = 3;
  const std::string severity =
      finding.severity == Severity::error ? "ERROR" : severity_name(finding.severity);
  std::cout << fmt::format("{:<9}{}{}\n{}{}\n", severity, fault_name(finding.fault),
                           finding.count > 0 ? ", " + counted(finding.count, "file") : "", kIndent,
                           finding.what);
  const std::size_t printed = std::min(kPrinted, finding.files.size());
  for (std::size_t i = 0; i < printed; ++i) {
    const FaultyFile& file = finding.files[i];
    std::cout << kIndent << "- " << file.path.generic_string()
              << (file.detail.empty() ? "" : ": " + file.detail) << '\n';
  }
  if (finding.count > static_cast<std::int64_t>(printed) && printed > 0) {
    std::cout << fmt::format("{}- and {} more\n", kIndent,
                             finding.count - static_cast<std::int64_t>(printed));
  }
  if (!finding.fix.empty()) std::cout << kIndent << "fix: " << finding.fix << '\n';
}

std::string share_text(std::int64_t part, std::int64_t all) {
  if (part == 0 || all == 0) return "–";
  return fmt::format("{:.2f} %", 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

/// Right-aligned by characters: an en dash is three bytes.
std::string column(const std::string& text, std::size_t width) {
  const std::size_t shown = text == "–" ? 1 : text.size();
  return std::string(width > shown ? width - shown : 0, ' ') + text;
}

/// The classes that occur, with their share of each split's labelled pixels.
void print_classes(const CheckResult& result) {
  constexpr std::size_t kMost = 40, kColumn = 10;
  const auto& classes = result.checkup.dataset.classes;
  if (classes.empty() || result.splits.empty()) return;
  std::size_t widest = 5;
  for (const ClassInfo& info : classes)
    widest = std::max(widest, std::min(info.name.size(), kMost));
  std::string header = fmt::format("{:<{}}", "class", widest);
  for (const SplitStatistics& split : result.splits) header += "  " + column(split.name, kColumn);
  std::cout << header << "   of the labelled pixels\n";
  std::size_t printed = 0, absent = 0;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const bool shown = result.together[k * classes.size() + k] > 0;
    if (!shown || printed == kMost) {
      ++absent;
      continue;
    }
    ++printed;
    std::string line = fmt::format("{:<{}}", classes[k].name.substr(0, kMost), widest);
    for (const SplitStatistics& split : result.splits) {
      line += "  " + column(share_text(split.class_pixels[k], split.labelled()), kColumn);
    }
    std::cout << line << '\n';
  }
  if (absent > 0) {
    std::cout << fmt::format("and {} without pixels or few\n", counted(absent, "more class"));
  }
}

void print_result(const CheckResult& result, double seconds) {
  std::string splits;
  for (const SplitStatistics& split : result.splits) {
    splits += fmt::format("{}{} {}", splits.empty() ? "" : ", ", split.name, split.pictures);
  }
  std::cout << fmt::format("Checked {} ({}) in {:.1f} s\n\n",
                           counted(result.checkup.samples.size(), "picture"), splits, seconds);
  for (const Finding& finding : result.checkup.findings) print_finding(finding);
  if (!result.checkup.findings.empty()) std::cout << '\n';
  print_classes(result);
}

void print_advice(const CheckResult& result) {
  const std::vector<Advice> advice = imbalance_advice(result);
  if (advice.empty()) return;
  std::cout << "\nRare classes: what may help in training\n";
  for (const Advice& each : advice) {
    std::cout << "  --set " << each.settings << '\n' << kIndent << each.why << '\n';
  }
}

void print_verdict(const CheckResult& result, const Request& request) {
  const int errors = result.count(Severity::error), warnings = result.count(Severity::warning);
  const bool fixable = std::ranges::any_of(result.checkup.findings, [](const Finding& finding) {
    return finding.repaired && finding.severity != Severity::note;
  });
  std::cout << '\n';
  if (errors == 0 && warnings == 0) {
    const int notes = result.count(Severity::note);
    std::cout << "Nothing is wrong"
              << (notes > 0 ? "; see the " + counted(notes, "note") + " above" : "") << ".\n";
    return;
  }
  std::cout << counted(errors, "error") << ", " << counted(warnings, "warning") << ": "
            << (errors > 0 ? "training would be wrong.\n" : "training is possible.\n");
  if (fixable && request.fix.empty()) {
    std::cout << "--fix DIR writes a corrected copy, --report DIR shows the pictures.\n";
  }
}

void print_repair(const RepairSummary& summary, const std::string& folder) {
  constexpr std::size_t kPrinted = 5;
  std::cout << fmt::format(
      "Wrote {} to {}: {} changed, {} turned upright\n", counted(summary.written, "picture"),
      folder, counted(summary.changed_labels, "mask"), counted(summary.turned, "picture"));
  for (std::size_t i = 0; i < std::min(kPrinted, summary.left_out.size()); ++i) {
    std::cout << "  left out: " << summary.left_out[i] << '\n';
  }
  if (summary.left_out.size() > kPrinted) {
    std::cout << fmt::format("  left out: {} more\n", summary.left_out.size() - kPrinted);
  }
  std::cout << "  " << (fs::path(folder) / "repairs.txt").string() << " tells of each file\n";
}

// ---- for a program ------------------------------------------------------------------------------

JsonObject json_of(const Finding& finding) {
  std::vector<JsonObject> files;
  for (const FaultyFile& file : finding.files) {
    files.push_back(JsonObject()
                        .set("path", file.path.generic_string())
                        .set("split", file.split)
                        .set("detail", file.detail));
  }
  return JsonObject()
      .set("kind", fault_name(finding.fault))
      .set("severity", severity_name(finding.severity))
      .set("what", finding.what)
      .set("fix", finding.fix)
      .set("fixed_by_fix", finding.repaired)
      .set("count", finding.count)
      .set("files", files);
}

JsonObject json_of_class(const CheckResult& result, std::size_t k) {
  const auto& classes = result.checkup.dataset.classes;
  JsonObject pixels, pictures, together;
  for (const SplitStatistics& split : result.splits) {
    pixels.set(split.name, split.class_pixels[k]);
    pictures.set(split.name, split.class_pictures[k]);
  }
  for (std::size_t j = 0; j < classes.size(); ++j) {
    const int both = result.together[k * classes.size() + j];
    if (j != k && both > 0) together.set(classes[j].name, both);
  }
  return JsonObject()
      .set("name", classes[k].name)
      .set("pixels", pixels)
      .set("pictures", pictures)
      .set("pictures_with", together);
}

JsonObject json_of(const CheckResult& result, const Request& request) {
  std::vector<JsonObject> findings, classes, advice;
  for (const Advice& each : imbalance_advice(result)) {
    advice.push_back(JsonObject().set("set", each.settings).set("why", each.why));
  }
  for (const Finding& finding : result.checkup.findings) findings.push_back(json_of(finding));
  for (std::size_t k = 0; k < result.checkup.dataset.classes.size(); ++k) {
    classes.push_back(json_of_class(result, k));
  }
  JsonObject splits, ignored;
  for (const SplitStatistics& split : result.splits) {
    splits.set(split.name, split.pictures);
    ignored.set(split.name, split.ignored);
  }
  return JsonObject()
      .set("data", request.data)
      .set("errors", result.count(Severity::error))
      .set("warnings", result.count(Severity::warning))
      .set("training_would_be_wrong", result.training_would_be_wrong())
      .set("findings", findings)
      .set("splits", splits)
      .set("ignored_pixels", ignored)
      .set("classes", classes)
      .set("advice", advice);
}

// ---- the command --------------------------------------------------------------------------------

int check_command(const Request& request) {
  set_threads(request.threads);
  catch_stop_signals();
  if (!request.fix.empty()) require_repair_folder(request.fix, request.data);
  TerminalProgress progress(Screen::standard_output());
  const auto start = std::chrono::steady_clock::now();
  const CheckResult result =
      check_dataset(request.data, {.splits = split_names(request.splits), .progress = &progress});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  print_result(result, taken.count());
  print_advice(result);
  if (!request.report.empty()) {
    const fs::path file = fs::path(request.report) / "report.html";
    write_check_report(
        file, result,
        {.title = "Check of " + request.data,
         .subtitle = fmt::format("Segmentum {}, {:%Y-%m-%d %H:%M}", SEGMENTUM_VERSION,
                                 fmt::localtime(std::time(nullptr)))});
    std::cout << "\nReport: " << file.string() << '\n';
  }
  write_json(request.json, json_of(result, request));
  print_verdict(result, request);
  if (!request.fix.empty()) {
    const RepairSummary summary = repair_dataset(
        result, {.folder = request.fix, .link = request.link, .progress = &progress});
    print_repair(summary, request.fix);
  }
  return result.training_would_be_wrong() ? 1 : 0;
}

constexpr const char* kHowItWorks = R"(
Looks at every picture and mask: files that are missing, damaged, turned or of another size; masks
that are JPEG, coloured, transparent, soft, interpolated or numbered otherwise than dataset.toml
says; labels that count from 1, 255 for 1, Cityscapes' labelIds; constant masks and missing classes;
the same picture in two splits, also compressed, resized or mirrored. docs/check.md lists all.

--fix writes a corrected data set into a new folder; the source is only read. Masks become class
numbers as palette PNG, 255 ignored. Its repairs.txt says what became of each file that changed.

Exit status: 0 fit to train on, perhaps with warnings; 1 training would stop or learn something
else than what was meant; 2 wrong usage.
)";

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->data, "DATA", "folder or dataset.toml");
  arguments.option(request->splits, "--split", "NAME[,NAME]", "which pictures (default: all)");
  arguments.option(request->fix, "--fix", "DIR", "write a corrected data set into a new folder");
  arguments.flag(request->link, "--link",
                 "with --fix: symbolic links to unchanged pictures instead of copies");
  arguments.option(request->report, "--report", "DIR",
                   "write DIR/report.html: the findings with pictures, and the classes");
  arguments.threads(request->threads);
  arguments.json(request->json);
  arguments.help_footer([] { return std::string(kHowItWorks); });
  return [request] { return check_command(*request); };
}

}  // namespace

const Command kCheckCommand{"check", "look for faults in labels, files and splits before training",
                            "  segmentum check pictures\n"
                            "  segmentum check pictures --report doctor --fix pictures-fixed\n"
                            "  segmentum check pictures.toml --split train,val --json check.json\n",
                            declare, true};

}  // namespace segmentum
