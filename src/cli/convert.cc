// segmentum convert: labels of one format as labels of another.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <string>

#include "annotations/label_source.h"
#include "annotations/label_writer.h"
#include "base/counted.h"
#include "base/spelling.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string data, to, out, from, images, classes;
  std::string overlap = "later", objects = "parts";
  bool link = false, no_pictures = false;
  int seed = 0;
  std::string json;
};

Overlap overlap_of(const std::string& name) {
  if (name == "later") return Overlap::later;
  if (name == "smaller") return Overlap::smaller;
  if (name == "ignore") return Overlap::ignore;
  throw UsageError(fmt::format("--overlap is \"{}\"; expected later, smaller or ignore", name));
}

ObjectRule object_rule_of(const std::string& name) {
  if (name == "parts") return ObjectRule::parts;
  if (name == "classes") return ObjectRule::classes;
  throw UsageError(fmt::format("--objects is \"{}\"; expected parts or classes", name));
}

LabelFormat format_of(const std::string& name) {
  try {
    return label_format(name);
  } catch (const Error& error) {
    throw UsageError(std::string("--to: ") + error.what());
  }
}

void print_source(const LabelSource& source, const Request& request) {
  std::cout << "Found in " << request.data << ": " << source.what << '\n';
  for (const std::string& note : source.notes) std::cout << "  " << note << '\n';
  std::vector<std::string> names;
  for (const ClassInfo& info : source.classes) names.push_back(info.name);
  std::cout << fmt::format("  {}: {}\n", counted(names.size(), "class"), joined(names));
}

void print_summary(const WriteSummary& summary, const Request& request) {
  const std::string objects = summary.objects > 0 ? ", " + counted(summary.objects, "object") : "";
  std::cout << fmt::format("Wrote {}{} as {} into {}\n", counted(summary.pictures, "picture"),
                           objects, request.to, request.out);
  if (summary.overlapping > 0) {
    std::cout << fmt::format("  {} in more than one object, decided by --overlap {}\n",
                             counted(summary.overlapping, "pixel"), request.overlap);
  }
  if (summary.ignored > 0) {
    std::cout << fmt::format("  {} left out: YOLO has no word for what is to be ignored\n",
                             counted(summary.ignored, "ignored pixel"));
  }
  for (const std::string& note : summary.notes) std::cout << "  " << note << '\n';
  for (const std::string& question : summary.questions) std::cout << "  ? " << question << '\n';
}

int convert(const Request& request) {
  const LabelFormat format = format_of(request.to);
  const SourceOptions options{.from = request.from,
                              .images = request.images,
                              .classes = request.classes,
                              .overlap = overlap_of(request.overlap),
                              .pictures = !request.no_pictures};
  const ObjectRule objects = object_rule_of(request.objects);
  catch_stop_signals();
  TerminalProgress progress(Screen::standard_output());
  const LabelSource source = open_label_source(request.data, options);
  print_source(source, request);
  const WriteSummary summary =
      write_labels(source, {.format = format,
                            .out = request.out,
                            .objects = objects,
                            .link = request.link,
                            .seed = static_cast<std::uint64_t>(request.seed),
                            .progress = &progress});
  print_summary(summary, request);
  for (const std::string& failure : summary.failures) std::cerr << "segmentum: " << failure << '\n';
  write_json(request.json, JsonObject()
                               .set("out", request.out)
                               .set("pictures", static_cast<std::int64_t>(summary.pictures))
                               .set("objects", static_cast<std::int64_t>(summary.objects))
                               .set("overlapping_pixels", summary.overlapping)
                               .set("failures", summary.failures)
                               .set("questions", summary.questions));
  if (format == LabelFormat::masks && fs::exists(fs::path(request.out) / "dataset.toml")) {
    std::cout << "Next: " << program_invocation_name << " check " << request.out << '\n';
  }
  return summary.failures.empty() ? 0 : 1;
}

constexpr const char* kHowItWorks = R"(
Reads:  dataset    a folder or dataset.toml that the other commands take
        labels     label maps, such as `segmentum predict` writes
        coco       instances as polygons or run lengths (JSON, or a folder of it)
        panoptic   COCO's panoptic JSON beside the folder of its PNG files
        labelme    a folder of JSON files, or one
        cvat       "CVAT for images 1.1" (XML)
        yolo       images/ and labels/ of polygons, data.yaml
        geojson    in pixels, one file a picture
        objects    NAME/images/NAME.png and NAME/masks/*.png, a mask for each object
        stack      TIFF files of several pages, pictures and masks
Writes: masks      palette PNG of class numbers, maps of objects, lists and dataset.toml
        coco, coco-polygons, labelme, geojson, yolo

A polygon covers the pixels whose centres it encloses; polygons that are written run along the edges
of pixels, so masks come back exactly. docs/formats.md tells all of it.

Exit status: 0 all of it; 1 some pictures could not be read and are named; 2 wrong usage.
)";

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->data, "DATA", "data set, annotations or label maps: a folder or file");
  arguments.required_option(request->to, "--to", "FORMAT", kLabelFormats);
  arguments.required_option(request->out, "--out", "DIR", "a new folder");
  arguments.option(request->from, "--from", "FORMAT", "what DATA is (default: what it looks like)");
  arguments.option(request->images, "--images", "DIR", "where the pictures lie, if not with DATA");
  arguments.option(request->classes, "--classes", "FILE",
                   "names and order of classes: a dataset.toml, or lines as in classes.csv");
  arguments.option(request->overlap, "--overlap", "RULE",
                   "where objects overlap: later (default) or smaller lies on top, or ignore");
  arguments.option(request->objects, "--objects", "RULE",
                   "objects without a map of them: connected parts (default) or classes");
  arguments.flag(request->link, "--link", "symbolic links to pictures instead of copies");
  arguments.flag(request->no_pictures, "--no-pictures", "labels only, as annotations state sizes");
  arguments.option(request->seed, "--seed", {0, 1e9},
                   "of the split of masks, if none is given (default: 0)");
  arguments.json(request->json);
  arguments.help_footer([] { return std::string(kHowItWorks); });
  return [request] { return convert(*request); };
}

}  // namespace

const Command kConvertCommand{
    "convert", "labels of other formats as masks, and masks as COCO, LabelMe, GeoJSON, YOLO",
    "  segmentum convert coco/annotations/instances_train.json --images coco/train --to masks "
    "--out street\n"
    "  segmentum convert stage1_train --to masks --out nuclei\n"
    "  segmentum convert street --to coco --out street-coco\n"
    "  segmentum convert predicted --images new --classes street/dataset.toml --to labelme --out "
    "drawn\n",
    declare};

}  // namespace segmentum
