#include "data/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "data/cityscapes.h"
#include "data/class_legend.h"
#include "data/dataset_file.h"
#include "data/file_role.h"
#include "data/folder_layout.h"
#include "data/groups.h"
#include "data/label_scheme.h"
#include "data/mask_survey.h"
#include "data/picture_statistics.h"
#include "data/split.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostMasksRead = 200;
constexpr std::size_t kMostPicturesRead = 200;
constexpr std::size_t kEnoughForTest = 100;

// At most `count` of them, evenly spaced.
std::vector<Sample> spread(const std::vector<Sample>& samples, std::size_t count) {
  if (samples.size() <= count) return samples;
  std::vector<Sample> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(samples[i * samples.size() / count]);
  }
  return chosen;
}

std::vector<Sample> all_samples(const std::map<std::string, std::vector<Sample>>& splits) {
  std::vector<Sample> all;
  for (const auto& [name, samples] : splits) all.insert(all.end(), samples.begin(), samples.end());
  std::ranges::sort(all, {}, &Sample::image);
  // Not std::ranges::unique: Clang 14 cannot read the view that it gives in libstdc++ 12.
  const auto same = [](const Sample& a, const Sample& b) { return a.image == b.image; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::string example_of(const GroupReading& reading, const std::vector<Sample>& samples) {
  return fmt::format("such as \"{}\" of {}", reading.groups[reading.example],
                     samples[reading.example].image.filename().string());
}

// What names show, where a split is drawn: which groups it keeps together, or that there are none.
std::string groups_note(const std::vector<GroupReading>& readings, std::size_t used,
                        const std::vector<Sample>& samples) {
  if (used == readings.size()) {
    const std::string name = samples.front().image.filename().string();
    return readings.empty()
               ? fmt::format("no groups seen in names such as {}: each picture is drawn by itself",
                             name)
               : "no groups of names to divide by: each picture is drawn by itself";
  }
  const GroupReading& reading = readings[used];
  std::string note = fmt::format("groups of pictures: {} by {}, {}; each is kept together",
                                 reading.count, reading.by, example_of(reading, samples));
  const auto alone = std::ranges::count(reading.groups, "");
  if (alone > 0) {
    const auto first = std::ranges::find(reading.groups, "") - reading.groups.begin();
    note += fmt::format("; {} by itself, such as {}", counted(alone, "picture"),
                        samples[static_cast<std::size_t>(first)].image.filename().string());
  }
  return note;
}

// What a person should decide: other readings of the names, and patients too few to divide.
std::vector<std::string> groups_questions(const std::vector<GroupReading>& readings,
                                          std::size_t used, const std::vector<Sample>& samples) {
  std::vector<std::string> questions;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const GroupReading& other = readings[i];
    if (i == used || (used < i && readings[used].known_word != other.known_word)) continue;
    const std::string shown = fmt::format("{} by {}, {}", counted(other.count, "group"), other.by,
                                          example_of(other, samples));
    questions.push_back(
        other.divides
            ? fmt::format("names can be read otherwise: {}. If that is what belongs together, "
                          "change [splits]",
                          shown)
            : fmt::format("names show {}: too few or too uneven to draw a split of. Pictures of "
                          "one may lie in train and in val; if they look alike, write [splits] "
                          "yourself",
                          shown));
  }
  return questions;
}

// Divides the samples of split `from` and says so.
void divide_split(const std::string& from, const SplitShares& shares, std::uint64_t seed,
                  Inspection& inspection) {
  auto& splits = inspection.dataset.splits;
  std::vector<Sample> samples = std::move(splits[from]);
  splits.erase(from);
  inspection.lists.erase(from);
  const std::vector<GroupReading> readings = group_readings(samples);
  const std::size_t used = assign_groups(readings, samples);
  auto parts = divide_samples(samples, shares, seed);
  std::string counts;
  for (auto& [name, part] : parts) {
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", part.size(), name);
    splits[name] = std::move(part);
  }
  inspection.notes.push_back(fmt::format(
      "{}: divided at random (seed {}) into {}",
      from == kUndivided ? "no split is given" : "\"" + from + "\" has no val beside it", seed,
      counts));
  inspection.notes.push_back(groups_note(readings, used, samples));
  append(inspection.questions, groups_questions(readings, used, samples));
}

// A list named after a split was meant to be it: drawing another one needs a person's word.
bool may_draw(const FolderLayout& layout, Inspection& inspection) {
  const auto unusable = std::ranges::find_if(layout.unusable, [](const auto& list) {
    return !split_word(split_of_list(list.first)).empty();
  });
  if (unusable == layout.unusable.end()) return true;
  inspection.obstacles.push_back(unusable->second +
                                 "; mend its paths, or take it away to have a split drawn");
  return false;
}

// Gives every data set a train and a val.
void complete_splits(const FolderLayout& layout, std::uint64_t seed, Inspection& inspection) {
  auto& splits = inspection.dataset.splits;
  if (splits.contains("train") ? splits.contains("val") : splits.size() != 1) return;
  if (!may_draw(layout, inspection)) return;
  if (!splits.contains("train")) {
    // "all", or VOC's "trainval" where it stands alone
    const auto& [name, samples] = *splits.begin();
    if (name == "val" || name == "test") return;
    const SplitShares shares = samples.size() < kEnoughForTest
                                   ? SplitShares{.val = 0.2, .test = 0}
                                   : SplitShares{.val = 0.15, .test = 0.15};
    divide_split(std::string(name), shares, seed, inspection);
  } else {
    divide_split("train", {.val = 0.2, .test = 0}, seed, inspection);
  }
}

void name_all(Inspection& inspection) {
  for (auto& [name, samples] : inspection.dataset.splits) {
    name_samples(samples);
  }
}

void read_labels_of(const std::vector<Sample>& samples, Inspection& inspection) {
  Dataset& dataset = inspection.dataset;
  const MaskSurvey survey = survey_masks(dataset.root, spread(samples, kMostMasksRead));
  Legend legend = find_legend(dataset.root);
  if (legend.empty()) legend = cityscapes_legend(samples);
  LabelScheme scheme = decide_labels(survey, legend, annotated_names(dataset.root));
  dataset.classes = std::move(scheme.classes);
  dataset.encoding = std::move(scheme.encoding);
  append(inspection.notes, scheme.notes);
  append(inspection.questions, scheme.questions);
  append(inspection.obstacles, scheme.obstacles);
  inspection.about_values = std::move(scheme.notes);
  append(inspection.about_values, scheme.questions);
}

void read_statistics(Inspection& inspection) {
  Dataset& dataset = inspection.dataset;
  const PictureStatistics statistics =
      picture_statistics(dataset.root, spread(dataset.split("train"), kMostPicturesRead));
  for (const std::string& error : statistics.errors) {
    inspection.notes.push_back("cannot be read: " + error);
  }
  if (statistics.channels == 0) {
    inspection.obstacles.push_back("no training picture can be read: " + statistics.errors.front());
    return;
  }
  dataset.channels = statistics.channels;
  dataset.mean = statistics.mean;
  dataset.std = statistics.std;
  const bool one_size = statistics.least_height == statistics.greatest_height &&
                        statistics.least_width == statistics.greatest_width;
  inspection.notes.push_back(fmt::format(
      "pictures: {}, {}{}x{} (width x height)", counted(statistics.channels, "channel"),
      one_size ? ""
               : fmt::format("from {}x{} to ", statistics.least_width, statistics.least_height),
      statistics.greatest_width, statistics.greatest_height));
}

void compare_sizes(const std::vector<Sample>& samples, Inspection& inspection) {
  int different = 0;
  std::string first;
  for (const Sample& sample : spread(samples, kMostMasksRead)) {
    try {
      const ImageSize image = image_size(inspection.dataset.root / sample.image);
      const ImageSize mask = image_size(inspection.dataset.root / sample.mask);
      if (image.height == mask.height && image.width == mask.width) continue;
      if (different++ == 0) {
        first = fmt::format("{} is {}x{}, its mask {}x{}", sample.image.generic_string(),
                            image.width, image.height, mask.width, mask.height);
      }
    } catch (const Error&) {
      continue;  // already told of where its pixels were read
    }
  }
  if (different == 0) return;
  inspection.questions.push_back(
      fmt::format("{} of the masks have another size than their pictures ({}): are they the right "
                  "ones? Reading them is an error",
                  different, first));
}

// Pages behind the first one would be silently left out.
void ask_about_pages(const std::vector<Sample>& samples, Inspection& inspection) {
  for (const Sample& sample : spread(samples, kMostMasksRead)) {
    try {
      const fs::path path = inspection.dataset.root / sample.image;
      const int pages = is_tiff_file(path) ? page_count(path) : 1;
      if (pages == 1) continue;
      inspection.questions.push_back(fmt::format(
          "{} holds {} pictures, of which only the first is read: is it a stack? segmentum convert "
          "{} --to masks --out DIR makes a picture of each",
          sample.image.generic_string(), pages, inspection.dataset.root.string()));
      return;
    } catch (const Error&) {
      continue;  // already told of where its pixels were read
    }
  }
}

}  // namespace

Inspection inspect_folder(const std::filesystem::path& folder, std::uint64_t seed) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error::in_file(folder.string(), "is no folder; expected one of pictures and masks");
  }
  Inspection inspection;
  FolderLayout layout = find_samples(folder);
  inspection.dataset.root = folder;
  inspection.dataset.splits = std::move(layout.splits);
  inspection.lists = std::move(layout.lists);
  inspection.patterns = std::move(layout.patterns);
  inspection.notes = std::move(layout.notes);
  inspection.absent = std::move(layout.absent);
  const std::vector<Sample> samples = all_samples(inspection.dataset.splits);
  if (samples.empty()) {
    inspection.obstacles.push_back(
        "no picture has a mask that can be told by its name; expected images/a.png with "
        "masks/a.png, a.jpg with a_mask.png, or a train.txt with lines \"image mask\"; labels as "
        "COCO, LabelMe, CVAT, YOLO or a mask for each object become masks by segmentum convert");
    return inspection;
  }
  complete_splits(layout, seed, inspection);
  name_all(inspection);
  read_labels_of(samples, inspection);
  compare_sizes(samples, inspection);
  ask_about_pages(samples, inspection);
  if (!inspection.dataset.splits.contains("train")) {
    if (inspection.dataset.splits.contains(kUndivided)) return inspection;  // told of already
    inspection.obstacles.push_back(
        "no split is called train; name one so in [splits] or as train.txt");
    return inspection;
  }
  read_statistics(inspection);
  return inspection;
}

std::string dataset_toml(const Inspection& inspection, const std::filesystem::path& folder) {
  std::vector<std::string> questions = inspection.obstacles;
  append(questions, inspection.questions);
  return dataset_file_text(inspection.dataset, {.folder = folder,
                                                .lists = inspection.lists,
                                                .patterns = inspection.patterns,
                                                .notes = inspection.notes,
                                                .questions = std::move(questions)});
}

}  // namespace segmentum
