#include "infer/crf_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/counted.h"
#include "infer/labelling.h"
#include "infer/stop_only.h"
#include "metrics/confusion_matrix.h"

namespace segmentum {
namespace {

std::vector<Sample> chosen(const Dataset& dataset, const std::string& split, int limit) {
  std::vector<Sample> samples = dataset.split(split);
  std::erase_if(samples, [](const Sample& sample) { return sample.mask.empty(); });
  if (samples.empty()) {
    throw Error("split \"" + split + "\" of " + dataset.root.string() +
                " has no picture with a mask; a search needs masks");
  }
  const auto wanted = static_cast<std::size_t>(limit);
  if (limit <= 0 || wanted >= samples.size()) return samples;
  std::vector<Sample> spread;
  for (std::size_t i = 0; i < wanted; ++i) spread.push_back(samples[i * samples.size() / wanted]);
  return spread;
}

/// What one setting is judged by.
struct Tally {
  Tally(int classes, const BoundaryTolerance& tolerance)
      : pixels(classes), borders(classes, tolerance) {}

  void add(const LabelMap& labels, const LabelMap& truth) {
    pixels.add(labels, truth);
    borders.add(labels, truth);
  }
  CrfScores result() const {
    const Scores of = scores(pixels);
    return {of.mean_iou, of.pixel_accuracy, scores(borders).mean_f};
  }

  ConfusionMatrix pixels;
  BoundaryCounts borders;
};

/// Counts runs over several calls, tells of them, and asks whether to stop.
class Runs {
 public:
  explicit Runs(ProgressSink* progress) : progress_(progress) {}
  void begin(const char* task, std::size_t total) {
    done_ = 0;
    if (progress_) progress_->begin(task, static_cast<std::int64_t>(total), "run");
  }
  void done() {
    if (!progress_) return;
    progress_->update(++done_, detail);
    if (progress_->stop_requested()) throw Interrupted();
  }
  void end() {
    if (progress_) progress_->end();
  }
  ProgressSink* stop() { return &stop_; }
  std::string detail;

 private:
  ProgressSink* progress_;
  StopOnly stop_{progress_};
  std::int64_t done_ = 0;
};

bool same_lattices(const CrfSettings& a, const CrfSettings& b) {
  return a.spatial_sigma_px == b.spatial_sigma_px && a.bilateral_sigma_px == b.bilateral_sigma_px &&
         a.bilateral_sigma_colour == b.bilateral_sigma_colour &&
         a.normalisation == b.normalisation && (a.spatial_weight > 0) == (b.spatial_weight > 0) &&
         (a.bilateral_weight > 0) == (b.bilateral_weight > 0);
}

using Group = std::vector<std::size_t>;  // places of settings that share their lattices

std::vector<Group> grouped(std::span<const CrfSettings> settings) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto found = std::ranges::find_if(groups, [&](const Group& group) {
      return same_lattices(settings[group.front()], settings[i]);
    });
    if (found == groups.end()) {
      groups.push_back({i});
    } else {
      found->push_back(i);
    }
  }
  return groups;
}

/// `make_crf` adds the spatial kernel first, then the bilateral one, each if it has a weight.
void set_weights(DenseCrf& crf, const CrfSettings& settings) {
  int kernel = 0;
  if (settings.spatial_weight > 0) crf.set_weight(kernel++, settings.spatial_weight);
  if (settings.bilateral_weight > 0) crf.set_weight(kernel++, settings.bilateral_weight);
}

void try_group(const CachedPicture& picture, std::span<const CrfSettings> settings,
               const Group& group, std::vector<Tally>& tallies, Runs& runs) {
  DenseCrf crf = make_crf(picture.picture, picture.probabilities, settings[group.front()]);
  for (const std::size_t i : group) {
    set_weights(crf, settings[i]);
    crf.infer(settings[i].iterations, runs.stop());
    tallies[i].add(crf.most_likely(), picture.truth);
    runs.done();
  }
}

std::vector<CrfTrial> try_settings(ProbabilityCache& cache, std::span<const CrfSettings> settings,
                                   const BoundaryTolerance& tolerance, Runs& runs) {
  const int classes = cache.at(0).probabilities.classes();
  std::vector<Tally> tallies(settings.size(), Tally(classes, tolerance));
  const std::vector<Group> groups = grouped(settings);
  for (std::size_t i = 0; i < cache.size(); ++i) {
    const CachedPicture& picture = cache.at(i);
    try {
      for (const Group& group : groups) try_group(picture, settings, group, tallies, runs);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw Error::in_file(picture.name, error.what());
    }
  }
  std::vector<CrfTrial> trials;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    trials.push_back({settings[i], tallies[i].result()});
  }
  return trials;
}

constexpr std::array kAxes{&CrfSettings::bilateral_weight, &CrfSettings::bilateral_sigma_px,
                           &CrfSettings::bilateral_sigma_colour, &CrfSettings::spatial_weight,
                           &CrfSettings::spatial_sigma_px};

/// Three digits: what a person would write down.
float rounded(float value) {
  return std::stof(fmt::format("{:.3g}", value));
}

/// Hill climbing with steps by a factor. The first factor reaches beyond a grid that does not hold
/// the best settings.
class Climb {
 public:
  Climb(ProbabilityCache& cache, const CrfSearchOptions& options, std::vector<CrfTrial>& trials,
        Runs& runs)
      : cache_(cache),
        options_(options),
        trials_(trials),
        runs_(runs),
        left_(options.refinements) {}

  void run() {
    constexpr double kFirstFactor = 1.5, kLastFactor = 1.1;
    for (double factor = kFirstFactor; factor > kLastFactor && left_ > 0;) {
      if (!round(static_cast<float>(factor))) factor = std::sqrt(factor);
    }
  }

 private:
  /// Steps from the best trial; true if one of them was better.
  bool round(float factor) {
    const CrfTrial from = best();
    std::vector<CrfSettings> steps;
    for (const auto axis : kAxes) {
      for (const float by : {factor, 1 / factor}) {
        CrfSettings step = from.settings;
        step.*axis = rounded(step.*axis * by);
        steps.push_back(step);
      }
    }
    attempt(steps);
    attempt({all_that_helped(from)});
    return better(best().scores, from.scores);
  }

  /// `from` with every number at the better of its two steps, where that was better than `from`.
  CrfSettings all_that_helped(const CrfTrial& from) const {
    CrfSettings together = from.settings;
    for (const auto axis : kAxes) {
      CrfScores highest = from.scores;
      for (const CrfTrial& trial : trials_) {
        CrfSettings same = trial.settings;
        same.*axis = from.settings.*axis;
        if (same == from.settings && better(trial.scores, highest)) {
          highest = trial.scores;
          together.*axis = trial.settings.*axis;
        }
      }
    }
    return together;
  }

  /// Tries what is new among `settings`, as far as trials are left.
  void attempt(std::vector<CrfSettings> settings) {
    std::erase_if(settings, [&](const CrfSettings& one) {
      const bool off = one.bilateral_weight <= 0 && one.spatial_weight <= 0;
      return off || std::ranges::any_of(
                        trials_, [&](const CrfTrial& trial) { return trial.settings == one; });
    });
    // A weight or width that counts for nothing gives the same settings twice.
    std::vector<CrfSettings> distinct;
    for (const CrfSettings& one : settings) {
      if (std::ranges::find(distinct, one) == distinct.end()) distinct.push_back(one);
    }
    if (distinct.size() > static_cast<std::size_t>(left_)) {
      distinct.resize(static_cast<std::size_t>(left_));
    }
    if (distinct.empty()) return;
    left_ -= static_cast<int>(distinct.size());
    for (CrfTrial& trial : try_settings(cache_, distinct, options_.tolerance, runs_)) {
      trials_.push_back(std::move(trial));
    }
    runs_.detail = fmt::format("best mean IoU {:.2f} %", 100 * best().scores.mean_iou);
  }

  const CrfTrial& best() const {
    return *std::ranges::max_element(
        trials_, [](const CrfTrial& a, const CrfTrial& b) { return better(b.scores, a.scores); });
  }

  ProbabilityCache& cache_;
  const CrfSearchOptions& options_;
  std::vector<CrfTrial>& trials_;
  Runs& runs_;
  int left_;
};

}  // namespace

std::vector<std::string> gather_probabilities(const Segmenter& segmenter, const Dataset& dataset,
                                              const std::string& split, int limit,
                                              ProbabilityCache& cache, ProgressSink* progress) {
  const int classes = static_cast<int>(segmenter.classes().size());
  if (dataset.class_count() != classes) {
    throw Error(
        fmt::format("the model tells {} apart, the data set has {}; search on data "
                    "described with the classes it was trained on",
                    counted(classes, "class"), dataset.class_count()));
  }
  const std::vector<Sample> samples = chosen(dataset, split, limit);
  Segmenter::Context context = segmenter.make_context();
  std::vector<std::string> failures;
  if (progress) progress->begin("segment", static_cast<std::int64_t>(samples.size()), "picture");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    std::optional<CachedPicture> picture;
    try {
      LabelledPicture labelled = read_labelled(dataset, samples[i]);
      Probabilities probabilities = context.probabilities(labelled.image);
      picture = {samples[i].name, std::move(labelled.image), std::move(labelled.labels),
                 std::move(probabilities)};
    } catch (const Error& error) {
      const std::string file = (dataset.root / samples[i].image).string();
      const std::string what = error.what();
      failures.push_back(what.starts_with(dataset.root.string()) ? what : file + ": " + what);
      if (progress) progress->message(failures.back());
    }
    if (picture) cache.add(std::move(*picture));
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, samples[i].name);
  }
  if (progress) progress->end();
  if (cache.size() == 0) {
    throw Error(fmt::format("none of {} could be segmented; the first one: {}",
                            counted(samples.size(), "picture"), failures.front()));
  }
  return failures;
}

bool better(const CrfScores& a, const CrfScores& b) {
  if (a.mean_iou != b.mean_iou) return a.mean_iou > b.mean_iou;
  return a.boundary_f.value_or(0) > b.boundary_f.value_or(0);
}

std::vector<CrfSettings> deeplab_grid() {
  std::vector<CrfSettings> grid;
  for (int position = 30; position <= 100; position += 10) {
    for (int colour = 3; colour <= 6; ++colour) {
      for (int weight = 3; weight <= 6; ++weight) {
        grid.push_back({.iterations = 10,
                        .spatial_sigma_px = 3,
                        .spatial_weight = 3,
                        .bilateral_sigma_px = static_cast<float>(position),
                        .bilateral_sigma_colour = static_cast<float>(colour),
                        .bilateral_weight = static_cast<float>(weight)});
      }
    }
  }
  return grid;
}

const CrfTrial& CrfSearch::best() const {
  return *std::ranges::max_element(
      trials, [](const CrfTrial& a, const CrfTrial& b) { return better(b.scores, a.scores); });
}

CrfSearch search_crf(ProbabilityCache& cache, const CrfSearchOptions& options,
                     ProgressSink* progress) {
  if (cache.size() == 0 || options.grid.empty()) {
    throw Error("a search needs pictures and settings to begin with");
  }
  Tally before(cache.at(0).probabilities.classes(), options.tolerance);
  for_each_labelling(cache, std::nullopt,
                     [&](const CachedPicture& picture, const LabelMap& labels) {
                       before.add(labels, picture.truth);
                     });
  CrfSearch search{.before = before.result()};
  Runs runs(progress);
  runs.begin("grid", options.grid.size() * cache.size());
  search.trials = try_settings(cache, options.grid, options.tolerance, runs);
  runs.end();
  if (options.refinements < 1) return search;
  runs.begin("refine", static_cast<std::size_t>(options.refinements) * cache.size());
  Climb(cache, options, search.trials, runs).run();
  runs.end();
  return search;
}

void for_each_labelling(ProbabilityCache& cache, const std::optional<CrfSettings>& settings,
                        const std::function<void(const CachedPicture&, const LabelMap&)>& visit) {
  for (std::size_t i = 0; i < cache.size(); ++i) {
    const CachedPicture& picture = cache.at(i);
    if (!settings) {
      visit(picture, most_probable(picture.probabilities, false));
      continue;
    }
    DenseCrf crf = make_crf(picture.picture, picture.probabilities, *settings);
    crf.infer(settings->iterations);
    visit(picture, crf.most_likely());
  }
}

}  // namespace segmentum
