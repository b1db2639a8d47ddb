// Load a trained model once, segment pictures from many threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "segmentum/classes.h"
#include "segmentum/crf.h"
#include "segmentum/error.h"
#include "segmentum/image.h"
#include "segmentum/probabilities.h"
#include "segmentum/progress.h"

namespace segmentum {

struct Model;
class Network;

/// How a model is run. The result does not depend on `threads`; nor on `tile` and `memory_limit`,
/// save for networks that look at the whole picture at once, which are never cut into tiles.
struct SegmenterOptions {
  enum class Engine { cpu, reference };

  Engine engine = Engine::cpu;  // reference: plain loops, slow, to check the other one against
  bool exact = false;  // no Winograd in the cpu engine: slower, rounding less (performance.md)
  int threads = 0;     // that compute one picture; 0: as the calling thread is set, by default all
                       // cores. With a context each on many threads of your own, 1 is fastest
  int tile = 0;  // side of a tile in pixels; 0: whole pictures, or tiles where memory asks for it
  std::size_t memory_limit_bytes = std::size_t{1} << 30;  // of activations, for each context
  bool flip = false;  // also segment the mirrored picture and average the probabilities
  /// Segment the picture at these multiples of its size, each from 0.1 to 10, and average the
  /// probabilities at its own; none: at its own size alone.
  std::vector<float> scales = {};
  bool crf = false;  // send the probabilities through a dense CRF over the whole picture, which
                     // pulls labels to its edges: probabilities are then the CRF's marginals
  std::optional<CrfSettings> crf_settings;  // of it; none: the model file's, else the defaults
};

/// A trained model, ready to run. Everything about the picture beyond its samples (colour order,
/// scale, mean, padding) is in the model file. Cheap to copy: copies share the model.
class Segmenter {
 public:
  /// Reads a .segmentum file. Throws Error naming the file and what is wrong with it.
  static Segmenter load(const std::string& path, const SegmenterOptions& options = {});

  const std::vector<ClassInfo>& classes() const;
  /// Channels that the network reads. Grey and colour pictures fit networks of 1 and 3 channels
  /// either way, alpha is dropped; other pictures must have just as many.
  int input_channels() const;
  /// The value that the training data's masks use for each class (empty: the class index itself)
  /// and for ignored pixels; a colour 0xRRGGBB where `source_values_are_colours`.
  const std::vector<std::uint32_t>& source_values() const;
  std::uint32_t source_ignore_value() const;
  bool source_values_are_colours() const;
  const SegmenterOptions& options() const;
  /// The settings with which a CRF runs: the options', else the model file's, else the defaults.
  const CrfSettings& crf_settings() const;
  /// Whether the model file holds any.
  bool has_crf_settings() const;
  /// Whether a CRF is part of the network itself (CRF-as-RNN); options.crf puts a second one
  /// behind.
  bool has_crf_layer() const;

  /// The class of every pixel: a label map of exactly the picture's size, from 1x1 up.
  /// Safe to call from many threads; each call takes one of the contexts kept for this purpose.
  /// Throws Error if the picture is empty or its channels do not fit.
  LabelMap segment(const ImageView& picture) const;
  /// The same as probabilities: 4 * K * H * W bytes.
  Probabilities probabilities(const ImageView& picture) const;

  /// What one thread needs to run the model: the network planned for the last few sizes of
  /// pictures, and its memory. Keeps the model alive.
  class Context {
   public:
    Context(Context&&) noexcept;
    Context& operator=(Context&&) noexcept;
    ~Context();

    /// `progress` is asked whether to stop between the steps of a CRF (throws Interrupted), and
    /// told nothing.
    LabelMap segment(const ImageView& picture, ProgressSink* progress = nullptr);
    Probabilities probabilities(const ImageView& picture, ProgressSink* progress = nullptr);

   private:
    friend class Segmenter;
    struct State;
    explicit Context(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  /// A context of the caller's own. Many may run at once, each on one thread at a time.
  Context make_context() const;

 private:
  friend Segmenter make_segmenter(Model model, const SegmenterOptions& options);
  friend std::shared_ptr<Network> network_of(const Segmenter& segmenter);
  struct Core;
  explicit Segmenter(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace segmentum
