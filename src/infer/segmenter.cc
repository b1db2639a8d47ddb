#include "segmentum/segmenter.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/counted.h"
#include "base/threads.h"
#include "image/colour.h"
#include "image/resize.h"
#include "infer/labelling.h"
#include "infer/make_segmenter.h"
#include "infer/network.h"
#include "infer/stop_only.h"

namespace segmentum {
namespace {

void require_picture(const ImageView& picture) {
  if (picture.data == nullptr || picture.height < 1 || picture.width < 1 || picture.channels < 1) {
    throw Error("the picture is empty: " + std::to_string(picture.width) + "x" +
                std::to_string(picture.height) + " pixels of " +
                counted(picture.channels, "channel"));
  }
}

int scaled(int side, float scale) {
  return std::max(1, static_cast<int>(std::lround(static_cast<double>(side) * scale)));
}

/// At the size of `sum`.
void add_resized(const Probabilities& from, Probabilities& sum) {
  for (int k = 0; k < sum.classes(); ++k) {
    const Image plane = resize({from.row(k, 0), from.height(), from.width(), 1, PixelType::f32},
                               sum.height(), sum.width());
    for (int y = 0; y < sum.height(); ++y) {
      const float* in = plane.row<float>(y);
      float* out = sum.row(k, y);
      for (int x = 0; x < sum.width(); ++x) out[x] += in[x];
    }
  }
}

}  // namespace

struct Segmenter::Context::State {
  explicit State(std::shared_ptr<Network> shared)
      : network(std::move(shared)), inference(network->tiled_inference()) {}

  LabelMap segment(const ImageView& picture, ProgressSink* progress);
  Probabilities probabilities(const ImageView& picture, ProgressSink* progress);
  void add(const ImageView& picture, float weight, Probabilities& sum);
  void add_at_scale(const ImageView& picture, float scale, float weight, Probabilities& sum);
  Probabilities with_crf(const ImageView& picture, const Probabilities& probabilities,
                         ProgressSink* progress) const;

  std::shared_ptr<Network> network;
  TiledInference inference;
};

LabelMap Segmenter::Context::State::segment(const ImageView& picture, ProgressSink* progress) {
  const SegmenterOptions& options = network->options();
  if (options.flip || options.crf || !options.scales.empty()) {
    return most_probable(probabilities(picture, progress), network->model().one_class_head());
  }
  LabelMap labels(picture.height, picture.width);
  inference.walk(picture, false, [&](const PixelRect& part, const ScoreRows& scores) {
    label_part(scores, part, labels);
  });
  return labels;
}

Probabilities Segmenter::Context::State::probabilities(const ImageView& picture,
                                                       ProgressSink* progress) {
  Probabilities sum(network->classes(), picture.height, picture.width);
  const std::vector<float>& scales = network->options().scales;
  for (const float scale : scales) {
    if (progress && progress->stop_requested()) throw Interrupted();
    add_at_scale(picture, scale, 1.0f / static_cast<float>(scales.size()), sum);
  }
  if (scales.empty()) add(picture, 1, sum);
  if (!network->options().crf) return sum;
  return with_crf(picture, sum, progress);
}

void Segmenter::Context::State::add(const ImageView& picture, float weight, Probabilities& sum) {
  const bool both = network->options().flip;
  for (const bool flipped : {false, true}) {
    if (flipped && !both) break;
    inference.walk(picture, flipped, [&](const PixelRect& part, const ScoreRows& scores) {
      add_probabilities(scores, part, both ? weight / 2 : weight, flipped, sum);
    });
  }
}

void Segmenter::Context::State::add_at_scale(const ImageView& picture, float scale, float weight,
                                             Probabilities& sum) {
  const int height = scaled(picture.height, scale), width = scaled(picture.width, scale);
  if (height == picture.height && width == picture.width) return add(picture, weight, sum);
  Probabilities at_scale(network->classes(), height, width);
  add(resize(picture, height, width, {.antialias = true}), weight, at_scale);
  add_resized(at_scale, sum);
}

Probabilities Segmenter::Context::State::with_crf(const ImageView& picture,
                                                  const Probabilities& probabilities,
                                                  ProgressSink* progress) const {
  StopOnly stop(progress);
  // An alpha that the network does not see is no colour to the CRF either.
  if (!has_alpha(picture.channels, network->input_channels())) {
    return apply_crf(picture, probabilities, network->crf_settings(), {}, &stop);
  }
  const Image colours = first_channels(picture, picture.channels - 1);
  return apply_crf(colours, probabilities, network->crf_settings(), {}, &stop);
}

Segmenter::Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Segmenter::Context::Context(Context&&) noexcept = default;
Segmenter::Context& Segmenter::Context::operator=(Context&&) noexcept = default;
Segmenter::Context::~Context() = default;

LabelMap Segmenter::Context::segment(const ImageView& picture, ProgressSink* progress) {
  require_picture(picture);
  const ThreadsInScope scope(state_->network->options().threads);
  return state_->segment(picture, progress);
}

Probabilities Segmenter::Context::probabilities(const ImageView& picture, ProgressSink* progress) {
  require_picture(picture);
  const ThreadsInScope scope(state_->network->options().threads);
  return state_->probabilities(picture, progress);
}

/// The network and the contexts that calls of `Segmenter::segment` take turns with.
struct Segmenter::Core {
  std::shared_ptr<Network> network;
  std::mutex mutex;
  std::vector<Context> idle;

  Context take(const Segmenter& segmenter) {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Context context = std::move(idle.back());
        idle.pop_back();
        return context;
      }
    }
    return segmenter.make_context();
  }
  void give_back(Context context) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(context));
  }
};

Segmenter::Segmenter(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Segmenter make_segmenter(Model model, const SegmenterOptions& options) {
  auto core = std::make_shared<Segmenter::Core>();
  core->network = std::make_shared<Network>(std::move(model), options);
  return Segmenter(std::move(core));
}

std::shared_ptr<Network> network_of(const Segmenter& segmenter) {
  return segmenter.core_->network;
}

Segmenter Segmenter::load(const std::string& path, const SegmenterOptions& options) {
  Model model = load_model(path);
  try {
    return make_segmenter(std::move(model), options);
  } catch (const Error& error) {
    throw Error::in_file(path, error.what());
  }
}

const std::vector<ClassInfo>& Segmenter::classes() const {
  return core_->network->model().classes;
}
int Segmenter::input_channels() const {
  return core_->network->input_channels();
}
const std::vector<std::uint32_t>& Segmenter::source_values() const {
  return core_->network->model().source_values;
}
std::uint32_t Segmenter::source_ignore_value() const {
  return core_->network->model().source_ignore_value;
}
bool Segmenter::source_values_are_colours() const {
  return core_->network->model().source_values_are_colours;
}
const SegmenterOptions& Segmenter::options() const {
  return core_->network->options();
}
const CrfSettings& Segmenter::crf_settings() const {
  return core_->network->crf_settings();
}
bool Segmenter::has_crf_settings() const {
  return core_->network->model().crf.has_value();
}

bool Segmenter::has_crf_layer() const {
  return std::ranges::any_of(core_->network->graph().nodes, [](const Node& node) {
    return std::holds_alternative<op::MeanField>(node.op);
  });
}

Segmenter::Context Segmenter::make_context() const {
  return Context(std::make_unique<Context::State>(core_->network));
}

LabelMap Segmenter::segment(const ImageView& picture) const {
  Context context = core_->take(*this);
  LabelMap labels = context.segment(picture);
  core_->give_back(std::move(context));  // one that threw is dropped
  return labels;
}

Probabilities Segmenter::probabilities(const ImageView& picture) const {
  Context context = core_->take(*this);
  Probabilities result = context.probabilities(picture);
  core_->give_back(std::move(context));
  return result;
}

}  // namespace segmentum
