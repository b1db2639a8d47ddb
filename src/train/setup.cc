#include "train/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "base/counted.h"
#include "base/spelling.h"
#include "data/statistics.h"
#include "graph/analysis.h"
#include "graph/parts.h"
#include "image/codec.h"
#include "losses/class_weights.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Mean and variance of fewer values than this say little about the picture.
constexpr std::int64_t kFewestBatchNormValues = 16;
constexpr std::int64_t kFewestGlobalValues = 2;  // of one, nothing is left
constexpr const char* kNoSplit = "none";         // as val_split: no validation

/// Leaves pictures without mask out of a split, and says so.
void keep_labelled(Dataset& dataset, const std::string& split, ProgressSink& progress) {
  std::vector<Sample>& samples = dataset.splits.at(split);
  const std::size_t unlabelled =
      std::erase_if(samples, [](const Sample& sample) { return sample.mask.empty(); });
  if (unlabelled > 0) {
    progress.message(fmt::format("split \"{}\": {} without a mask left out", split,
                                 counted(unlabelled, "picture")));
  }
}

std::string split_names(const Dataset& dataset) {
  std::vector<std::string> names;
  for (const auto& [name, samples] : dataset.splits) names.push_back(name);
  return joined(names);
}

void find_samples(TrainingSetup& setup, ProgressSink& progress) {
  const TrainConfig& config = setup.config;
  Dataset& dataset = setup.dataset;
  dataset.split(config.train_split);  // throws, listing the splits there are
  keep_labelled(dataset, config.train_split, progress);
  if (dataset.split(config.train_split).empty()) {
    throw Error::in_file(
        dataset.root.string(),
        fmt::format("the split \"{}\" has no picture with a mask to train on", config.train_split));
  }
  if (dataset.splits.contains(config.val_split)) {
    keep_labelled(dataset, config.val_split, progress);
  }
  if (setup.validates()) return;
  if (config.val_split != kNoSplit && config.val_split != TrainConfig().val_split) {
    throw Error::in_file(
        dataset.root.string(),
        fmt::format("there is no split \"{}\" with masks to validate on; there are: {}; "
                    "val_split={} trains without validation",
                    config.val_split, split_names(dataset), kNoSplit));
  }
  progress.message(
      fmt::format("there is no split \"{}\" with masks: no validation, the last weights are kept",
                  config.val_split));
}

Preprocess preprocess_of(const Dataset& dataset, const Model* init) {
  if (init != nullptr && init->preprocess.channels() == dataset.channels) return init->preprocess;
  const auto channels = static_cast<std::size_t>(dataset.channels);
  if (dataset.mean.size() == channels && dataset.std.size() == channels) {
    return {.mean = dataset.mean, .std = dataset.std};
  }
  return {.mean = std::vector<float>(channels, 0.5f), .std = std::vector<float>(channels, 0.25f)};
}

/// What is set goes before what the init model or the data say; the options then hold all of it.
void decide_preprocess(TrainingSetup& setup, const Model* init) {
  TrainConfig& config = setup.config;
  setup.preprocess = preprocess_of(setup.dataset, init);
  const auto set = [&](const char* name, std::optional<std::vector<float>>& given,
                       std::vector<float>& used) {
    if (given && given->size() != used.size()) {
      throw Error(
          fmt::format("{} has {} numbers; the pictures have {} channel{}, and {}=auto is "
                      "what fits them",
                      name, given->size(), used.size(), used.size() == 1 ? "" : "s", name));
    }
    if (given) used = *given;
    given = used;
  };
  set("mean", config.mean, setup.preprocess.mean);
  set("std", config.std, setup.preprocess.std);
  for (const float deviation : setup.preprocess.std) {
    if (!(deviation > 0)) throw Error(fmt::format("std holds {}; it must be above 0", deviation));
  }
}

/// The decoded training pictures with their labels, if all are as large as the first.
std::size_t picture_bytes(const Dataset& dataset, const std::vector<Sample>& samples,
                          bool instances) {
  const LabelledPicture first = read_labelled(dataset, samples.front());
  const std::size_t maps = instances ? 2 : 1;
  return samples.size() * (first.image.row_bytes() * first.image.height() +
                           maps * first.labels.labels().size_bytes());
}

Shape largest_picture(const TrainingSetup& setup) {
  Shape largest;
  if (!setup.validates()) return largest;
  if (setup.boxes) {
    const int side = setup.boxes->crop.side_px;
    return {1, setup.preprocess.channels(), side, side};
  }
  for (const Sample& sample : setup.dataset.split(setup.config.val_split)) {
    const ImageSize size = image_size(setup.dataset.root / sample.image);
    const Shape shape{1, setup.preprocess.channels(), size.height, size.width};
    if (largest.rank() == 0 || shape.count() > largest.count()) largest = shape;
  }
  return largest;
}

/// How many values the scarcest batch statistic rests on, if those are too few. After a global mean
/// there is one of each picture, whatever the crop.
std::optional<std::int64_t> too_few_batch_norm_values(const Graph& graph, const Shape& batch) {
  const std::array inputs{batch};
  const std::vector<Shape> shapes = infer_shapes(graph, inputs);
  const auto strides = output_strides(graph);
  std::optional<std::int64_t> fewest;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!std::holds_alternative<op::BatchNorm>(graph.nodes[i].op)) continue;
    const std::int64_t values = shapes[i].n() * shapes[i].h() * shapes[i].w();
    const bool global = !strides[i];
    if (values >= (global ? kFewestGlobalValues : kFewestBatchNormValues)) continue;
    fewest = std::min(fewest.value_or(values), values);
  }
  return fewest;
}

void decide_batch_norm(TrainingSetup& setup, ProgressSink& progress) {
  if (setup.config.frozen_batch_norm) return;
  const auto too_few = too_few_batch_norm_values(setup.graph, setup.batch_shape());
  setup.config.frozen_batch_norm = too_few.has_value();
  if (too_few) {
    progress.message(
        fmt::format("a batch norm would see {} value{} of a batch: its statistics are frozen "
                    "(a larger batch or crop would let it learn)",
                    *too_few, *too_few == 1 ? "" : "s"));
  }
}

void decide_classes(TrainConfig& config, int classes) {
  if (classes < 2) {
    throw Error(fmt::format("the data set has {}; at least two are needed to tell apart",
                            counted(classes, "class")));
  }
  if (!config.one_class) config.one_class = classes == 2;
  if (*config.one_class && classes != 2) {
    throw Error(fmt::format(
        "one_class is true but the data set has {}; it needs two classes, background first",
        counted(classes, "class")));
  }
  if (!config.class_weights) {
    config.class_weights = classes == 2 ? WeightRule::none : WeightRule::median_frequency;
  }
}

/// What a network on boxes trains on; `given`: the options before any was decided.
void find_objects(TrainingSetup& setup, const BoxCrop& crop, const TrainConfig& given,
                  ProgressSink& progress) {
  TrainConfig& config = setup.config;
  if (given.class_weights.value_or(WeightRule::none) != WeightRule::none ||
      given.border.need_instances()) {
    throw Error(
        "class_weights and border weights are for networks on whole pictures; on boxes every "
        "pixel counts alike");
  }
  if (given.loss != TrainConfig().loss) {
    throw Error("loss is " + loss_text(given.loss) +
                "; networks on boxes learn by their own cross entropy");
  }
  config.class_weights = WeightRule::none;
  config.crop = crop.side_px;
  setup.loss.boxes = true;
  setup.boxes = std::make_shared<BoxExamples>(
      BoxExamples{.boxes = find_boxes(setup.dataset, config.train_split),
                  .crop = crop,
                  .jitter = config.box_jitter});
  progress.message(fmt::format(
      "{} in {} to train on, from the instance maps of {} of these, else the connected regions of "
      "the mask",
      counted(setup.boxes->boxes.size(), "object"), counted(setup.samples().size(), "picture"),
      std::ranges::count_if(setup.samples(),
                            [](const Sample& sample) { return !sample.instances.empty(); })));
}

void set_loss(TrainingSetup& setup) {
  const TrainConfig& config = setup.config;
  setup.loss.terms = config.loss;
  setup.loss.focal_gamma = config.focal_gamma;
  setup.loss.tversky_alpha = config.tversky_alpha;
  setup.loss.tversky_beta = config.tversky_beta;
  setup.loss.hard_threshold = config.hard_threshold;
  setup.loss.hard_share = config.hard_share;
}

void weigh_classes(TrainingSetup& setup) {
  if (*setup.config.class_weights == WeightRule::none) return;
  const ClassFrequencies counts = class_frequencies(setup.dataset, setup.config.train_split);
  setup.loss.class_weights =
      class_weights(*setup.config.class_weights, counts.pixels, counts.picture_pixels,
                    setup.config.class_weight_cap, setup.config.class_weight_beta);
}

void tell_of_border_weights(const TrainingSetup& setup, ProgressSink& progress) {
  if (!setup.config.border.need_instances()) return;
  const auto with_map = std::ranges::count_if(
      setup.samples(), [](const Sample& sample) { return !sample.instances.empty(); });
  progress.message(fmt::format(
      "objects for border weights: from the instance maps of {} of {}, else the connected regions "
      "of the mask",
      with_map, counted(setup.samples().size(), "picture")));
}

/// Class names differ but their number is the same: old scores become those of other classes.
void tell_of_other_classes(const Model& init, const Dataset& dataset, ProgressSink& progress) {
  const auto same_name = [](const ClassInfo& a, const ClassInfo& b) { return a.name == b.name; };
  if (init.classes.size() != dataset.classes.size() ||
      std::ranges::equal(init.classes, dataset.classes, same_name)) {
    return;
  }
  std::vector<std::string> names;
  for (const ClassInfo& info : init.classes) names.push_back(info.name);
  progress.message("  the classes of that model have other names (" + joined(names) +
                   "): each starts as the one at its place");
}

void plan_start(TrainingSetup& setup, const Model& init, ProgressSink& progress) {
  const std::string& path = setup.config.init;
  WeightTransfer transfer = plan_transfer(init.graph, setup.graph);
  if (transfer.taken.empty() && transfer.adapted.empty()) {
    throw Error::in_file(
        path, fmt::format("no parameter of this model ({}) has the name and shape of one of {}; "
                          "weights can be taken from the same network or one of its family",
                          init.graph.architecture, *setup.config.architecture));
  }
  for (const std::string& line : transfer_report(transfer, path)) progress.message(line);
  tell_of_other_classes(init, setup.dataset, progress);
  if (init.preprocess.channels() != setup.preprocess.channels()) {
    progress.message(
        fmt::format("  that model reads {} channels: pictures are normalised by the data set's own "
                    "mean and deviation",
                    init.preprocess.channels()));
  }
  setup.transfer = std::move(transfer);
}

void freeze(TrainingSetup& setup, ProgressSink& progress) {
  const std::vector<std::string> patterns = pattern_list(setup.config.freeze);
  for (const auto& [pattern, factor] : setup.config.lr_factors) {
    parameters_matching(setup.graph, pattern);  // throws where it means nothing
  }
  if (patterns.empty()) return;
  for (const std::string& pattern : patterns) {
    for (std::string& name : parameters_matching(setup.graph, pattern)) {
      setup.frozen.insert(std::move(name));
    }
  }
  std::int64_t frozen = 0, all = 0;
  for (const ParameterSpec& spec : setup.graph.parameters) {
    if (!is_trainable(spec.role)) continue;
    all += spec.shape.count();
    if (setup.frozen.contains(spec.name)) frozen += spec.shape.count();
  }
  if (frozen == all) {
    throw Error("freeze = " + setup.config.freeze + " leaves nothing to learn; the parts are " +
                joined(Parts(setup.graph).names()));
  }
  progress.message(fmt::format("frozen: {} ({} of {} numbers)", joined(patterns), frozen, all));
  if (setup.config.init.empty()) {
    progress.message("  no init is given, so what is frozen stays random");
  }
}

}  // namespace

void decide_network(TrainConfig& config, const Model* init) {
  if (!config.architecture) config.architecture = init ? init->graph.architecture : "unet";
  if (init == nullptr) return;
  std::map<std::string, std::string> known;
  try {
    known = resolved_settings(*config.architecture, {});
  } catch (const Error& error) {
    throw Error::in_file(config.init,
                         std::string(error.what()) + "; name one of them with --model");
  }
  for (const auto& [name, value] : init->settings) {
    if (known.contains(name)) config.model.try_emplace(name, value);
  }
}

std::optional<Model> load_init(const TrainConfig& config) {
  if (config.init.empty()) return std::nullopt;
  return load_model(config.init);
}

const std::vector<Sample>& TrainingSetup::samples() const {
  return dataset.split(config.train_split);
}

std::int64_t TrainingSetup::examples() const {
  return static_cast<std::int64_t>(boxes ? boxes->boxes.size() : samples().size());
}

bool TrainingSetup::validates() const {
  const auto split = dataset.splits.find(config.val_split);
  return split != dataset.splits.end() && !split->second.empty();
}

std::int64_t TrainingSetup::steps_per_epoch() const {
  return std::max<std::int64_t>(1, (examples() + pictures_per_step() - 1) / pictures_per_step());
}

std::int64_t TrainingSetup::epochs() const {
  return (*config.steps + steps_per_epoch() - 1) / steps_per_epoch();
}

std::int64_t TrainingSetup::end_of_epoch(std::int64_t epoch) const {
  return std::min(*config.steps, (epoch + 1) * steps_per_epoch());
}

Shape TrainingSetup::batch_shape() const {
  return {config.batch, preprocess.channels(), config.crop, config.crop};
}

Schedule TrainingSetup::schedule() const {
  return {.kind = config.schedule,
          .power = config.poly_power,
          .warmup_steps = config.warmup_steps.value_or(0),
          .total_steps = config.steps.value_or(1)};
}

StepOptions TrainingSetup::step_options() const {
  return {.loss = loss,
          .aux_weight = config.aux_weight,
          .accumulate = config.accumulate,
          .clip = config.clip,
          .frozen_batch_norm = config.frozen_batch_norm.value_or(false),
          .frozen = frozen,
          // Not the loader's streams: dropout must not follow the augmentation.
          .seed = static_cast<std::uint64_t>(config.seed) ^ 0x64726f706f757421u,
          .lean = config.memory == TrainMemory::lean};
}

LoaderOptions TrainingSetup::loader_options(std::int64_t first_step) const {
  LoaderOptions options{.split = config.train_split,
                        .batch_size = config.batch,
                        .augment = config.augment,
                        .border = config.border,
                        .preprocess = preprocess,
                        .boxes = boxes,
                        .seed = static_cast<std::uint64_t>(config.seed),
                        .workers = config.workers,
                        .first_step = first_step * config.accumulate,
                        .cache_bytes = static_cast<std::size_t>(config.cache_mb) * 1'000'000};
  options.augment.crop_height = options.augment.crop_width = config.crop;
  return options;
}

TrainingSetup set_up(const Dataset& dataset, const TrainConfig& config, ProgressSink& progress,
                     Start start) {
  TrainingSetup setup{.config = config, .dataset = dataset};
  decide_classes(setup.config, dataset.class_count());
  find_samples(setup, progress);
  if (!config.init.empty()) setup.config.init = std::filesystem::absolute(config.init).string();
  const std::optional<Model> init =
      start == Start::weights ? load_init(setup.config) : std::nullopt;
  decide_network(setup.config, init ? &*init : nullptr);
  decide_preprocess(setup, init ? &*init : nullptr);
  const std::string& architecture = *setup.config.architecture;
  const auto crop = box_crop(architecture, {.settings = setup.config.model});
  if (crop) find_objects(setup, *crop, config, progress);
  const int background = crop ? 1 : 0;  // has no logits in a box
  const ModelOptions options{
      .input_channels = setup.preprocess.channels(),
      .classes = *setup.config.one_class ? 1 : dataset.class_count() - background,
      .settings = setup.config.model,
      .deviations = setup.preprocess.std,
      .means = setup.preprocess.mean};
  setup.graph = build_model(architecture, options);
  setup.config.model = resolved_settings(architecture, options);
  if (init) plan_start(setup, *init, progress);
  freeze(setup, progress);
  decide_batch_norm(setup, progress);
  set_loss(setup);
  weigh_classes(setup);
  tell_of_border_weights(setup, progress);
  setup.cache_bytes = std::min(
      static_cast<std::size_t>(config.cache_mb) * 1'000'000,
      picture_bytes(setup.dataset, setup.samples(), setup.boxes || config.border.need_instances()));
  setup.largest_validation = largest_picture(setup);
  return setup;
}

TrainingState initial_state(const TrainingSetup& setup) {
  const TrainConfig& config = setup.config;
  ParameterStore parameters = initialise(setup.graph, static_cast<std::uint64_t>(config.seed));
  if (setup.transfer) {
    transfer_weights(*setup.transfer, load_model(config.init).parameters, parameters);
  }
  Optimizer optimizer(config.optimizer, parameters, {setup.frozen, config.lr_factors});
  std::optional<WeightAverage> average;
  if (config.ema_decay.value_or(0) > 0) average.emplace(parameters, *config.ema_decay);
  return {std::move(parameters), std::move(optimizer), std::move(average), {}};
}

}  // namespace segmentum
