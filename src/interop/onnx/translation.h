// An ONNX graph on its way to becoming one of ours: what the translators of its operators share.
//
// What such a graph says about sizes is arithmetic on shapes (Shape, Gather, Mul, Concat, Resize).
// We do not read meaning into it: the arithmetic is run for a few sizes of the picture, the probes,
// all at once, and of our size-free rules (a factor, the size of another value, a multiple) that
// one is taken which gives the same numbers at every probe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "interop/onnx/onnx_model.h"
#include "interop/onnx/shape_arithmetic.h"
#include "segmentum/error.h"

namespace segmentum {

/// What no other size of the picture would change: an operator or a setting that we lack.
class OnnxRefusal : public Error {
 public:
  using Error::Error;
};

/// How the file sees a value [N,C,H,W] of ours.
enum class View {
  planes,         // [N,C,H,W]
  channels_last,  // [N,H,W,C]
  flat,           // [N,C]: one pixel
  groups          // [N,groups,C/groups*H*W]: on the way to a group norm
};

/// How far a chain of the file's operators has come that ends in one of ours; what its value is of
/// `Seen::id`, x.
enum class Chain {
  none,
  mean,        // of the channels of each pixel
  centred,     // x - mean
  squared,     // (x - mean)^2
  variance,    // their mean
  above_zero,  // variance + epsilon
  deviation,   // its root
  inverse,     // 1 / deviation
  erf,         // erf(x)
  one_and_erf  // (1 + erf(x)) * factor
};

/// One number for each pixel.
constexpr bool is_moment(Chain chain) {
  return chain == Chain::mean || (chain >= Chain::variance && chain <= Chain::inverse);
}

/// A value of the network.
struct Seen {
  ValueId id = -1;
  View view = View::planes;
  /// Pixels on each side, by probe, that are still to be added, or cut off where negative: one step
  /// of ours may be several of the file's. Empty: none.
  std::vector<Padding> frame;
  PadMode frame_mode = PadMode::zero;
  std::set<ValueId> frame_sizes_of;  // whose shapes the frame was made from
  int groups = 0;                    // with View::groups
  std::optional<float> epsilon;      // with View::groups: the groups have been normalised
  Chain chain = Chain::none;         // then no frame, and not in groups
  float factor = 1;                  // with Chain::one_and_erf
  int grid = 0;          // times GridWeights: a sum over the grid makes a location grid of it
  std::string ended_by;  // "ArgMax": labels, which only the network's end may read
};

/// Numbers that do not depend on the picture's samples.
struct Known {
  std::vector<std::shared_ptr<const Array>> at;  // by probe, or one for all
  const OnnxTensor* tensor = nullptr;            // of the file; then `at` may still be empty
  std::set<ValueId> sizes_of;                    // whose shapes these numbers were made from
};

/// A one in each pixel of a small map, a channel each, magnified: how near every pixel of the
/// picture is to each of `grid` x `grid` places. `copies` of that, one behind the other.
struct GridWeights {
  int grid = 1;
  int copies = 1;
  std::vector<Size2> sizes;  // by probe
};

using Value = std::variant<Seen, Known, GridWeights>;

/// A parameter's numbers, made when all is known to fit.
struct Weight {
  std::int64_t count = 0;
  std::function<void(std::span<float>)> fill;
  std::string key;  // equal keys, equal numbers: nodes share the parameter; empty: its own
};

/// The same number `count` times, or those of `numbers`.
Weight constant_weight(std::int64_t count, float number);
Weight constant_weight(std::vector<float> numbers);

class Translation {
 public:
  struct Options {
    std::vector<Size2> probes;
    int batch = 1;
    int multiple = 1;  // the picture is mirrored up to it first
    std::uint64_t file_bytes = 0;
    std::int64_t* computed = nullptr;  // numbers of constants in this and earlier attempts
  };

  /// Translates all nodes. `model` must outlive the translation. Throws OnnxRefusal for what no
  /// size would change, Error for what does not work at one of the probes; both name the node.
  Translation(const OnnxModel& model, Options options);

  // --- values by the file's names ---
  const Value& value(const std::string& name) const;
  const Value* find(const std::string& name) const;
  void define(const std::string& name, Value value);
  int uses(const std::string& name) const;

  // --- the graph so far ---
  std::size_t probes() const { return options_.probes.size(); }
  ValueId image() const { return image_; }
  Node& node(ValueId id) { return graph_.nodes[static_cast<std::size_t>(id)]; }
  const Shape& shape(ValueId id, std::size_t probe) const;
  int channels(ValueId id) const { return graph_.node(id).channels; }
  std::vector<Size2> sizes(ValueId id) const;
  /// A value of these sizes: one of `preferred`, else the picture, else the last that was made.
  std::optional<ValueId> value_of_sizes(const std::vector<Size2>& sizes,
                                        const std::set<ValueId>& preferred) const;
  /// The file's axes of a value.
  std::vector<std::int64_t> dims(const Seen& seen, std::size_t probe) const;

  /// Adds a node; of several that could be called `name`, later ones get a number. Throws Error
  /// where sizes, channels or weights do not fit.
  ValueId add(const std::string& name, Operator op, std::vector<ValueId> inputs,
              std::vector<Weight> weights = {});
  bool is_free(const std::string& name) const { return !names_.contains(name); }
  /// x * scale + shift for each channel; either may be empty: 1 and 0.
  ValueId affine(const std::string& name, ValueId x, std::vector<float> scale,
                 std::vector<float> shift);
  /// Channels [first, first + count) of x.
  ValueId picked(const std::string& name, ValueId x, std::int64_t first, std::int64_t count);
  /// x * scale, joined with a scaling that made x; x itself where both undo each other.
  ValueId scaled(const std::string& name, ValueId x, std::vector<float> scale);
  /// a / b where both are the same value, each times one number.
  std::optional<float> ratio(ValueId a, ValueId b) const;
  /// Gives a node a bias or a norm its numbers afterwards.
  void set_weight(ValueId id, std::size_t parameter, Weight weight);
  void add_bias(ValueId conv, Weight bias);
  /// A group norm or layer norm that a scale, and then a shift, may still be given to.
  void keep_plain_norm(ValueId id) { plain_norms_.emplace(id, PlainNorm{}); }
  /// Takes the place of its scale, or its shift; false where it is taken.
  bool take_plain_norm(ValueId id, bool scale);
  /// Names of the file that stand for the value, and may yet be read.
  int names_of(ValueId id) const;
  /// Its only reader has been translated.
  void retire(const std::string& name);
  void rename(ValueId id, const std::string& name);

  /// Without a frame: pads or crops as it asks for.
  Seen settled(const std::string& name, Seen seen);

  /// The array at a probe; reads it from the file where need be.
  std::shared_ptr<const Array> array(const Known& known, std::size_t probe);

  void output(const std::string& name, ValueId value) { graph_.outputs.push_back({name, value}); }
  /// The finished graph without what no output needs, and its parameters. Throws Error.
  std::pair<Graph, ParameterStore> finished() &&;

 private:
  void take_inputs();
  void translate(const OnnxNode& node);
  std::string others_lacking(const std::string& op) const;
  bool evaluated(const OnnxNode& node);
  void count_numbers(std::int64_t numbers);
  int parameter(const ParameterSpec& spec, const Weight& weight);
  std::vector<Shape> shapes_of(const Node& node) const;
  std::string unique(const std::string& name);
  ValueId padded(const std::string& name, const Seen& seen);
  ValueId cropped(const std::string& name, const Seen& seen);

  const OnnxModel& model_;
  Options options_;
  std::map<std::string, const OnnxTensor*> initializers_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> uses_;
  Graph graph_{.architecture = "onnx"};
  std::set<std::string> names_;
  std::vector<std::vector<Shape>> shapes_;  // by value, by probe
  std::map<std::vector<std::int64_t>, ValueId> last_of_sizes_;
  std::vector<Weight> weights_;        // by parameter
  std::map<std::string, int> shared_;  // parameter by key
  struct PlainNorm {
    bool has_scale = false;
    bool has_shift = false;
  };
  std::map<ValueId, PlainNorm> plain_norms_;
  struct Scaling {
    ValueId of = -1;
    std::vector<float> by;  // one for all channels, or one each
  };
  std::map<ValueId, Scaling> scalings_;
  std::map<ValueId, std::set<std::string>> value_names_;
  ValueId image_ = -1;
  std::int64_t numbers_ = 0;  // in arrays of constants so far
  std::int64_t weight_numbers_ = 0;
};

/// One node under translation: its inputs as the operators ask for them.
class Step {
 public:
  Step(Translation& translation, const OnnxNode& of, std::int64_t version)
      : t(translation), node(of), opset(version) {}

  bool has(std::size_t i) const { return i < node.inputs.size() && !node.inputs[i].empty(); }
  bool is_known(std::size_t i) const;
  const GridWeights* grid_weights(std::size_t i) const;  // null where it is none
  const Known& known(std::size_t i) const;
  /// As it is: perhaps framed, in groups, or labels.
  const Seen& seen(std::size_t i) const;
  /// A plain value in any view but groups.
  Seen plain(std::size_t i);
  /// A plain value of [N,C,H,W].
  ValueId planes(std::size_t i);

  // Known inputs.
  std::shared_ptr<const Array> array(std::size_t i, std::size_t probe) const;
  /// The same at all probes. Throws Error.
  std::shared_ptr<const Array> constant(std::size_t i) const;
  std::vector<float> reals(std::size_t i) const;
  float real(std::size_t i) const;
  std::vector<std::int64_t> wholes(std::size_t i, std::size_t probe) const;
  std::vector<std::int64_t> dims(std::size_t i) const;
  /// Its numbers as they lie.
  Weight weight(std::size_t i) const;
  /// Its numbers with the last two axes swapped: [in,out] as [out,in].
  Weight transposed_weight(std::size_t i) const;

  /// What a node of ours is called: after the weights NAME.weight of input `i`, else after the
  /// file's node.
  std::string name() const;
  std::string name_by_weight(std::size_t i) const;
  /// X where input `i` is the file's tensor X + `end` and no node of ours is called X yet; else "".
  std::string owner_of(std::size_t i, std::string_view end) const;
  void result(Value value, std::size_t output = 0) const;
  /// The same view of another value.
  void result_like(Seen seen, ValueId id) const;
  [[noreturn]] void refuse(const std::string& why) const { throw OnnxRefusal(why); }

  Translation& t;
  const OnnxNode& node;
  std::int64_t opset;
};

/// "/backbone/layer1/Conv" as "backbone.layer1.Conv", in printable letters.
std::string clean_name(const std::string& name);

/// A setting of ours from a number of the file. Throws OnnxRefusal where it is none.
int setting(std::int64_t number);

using Translator = void (*)(Step&);
using Translators = std::map<std::string_view, Translator>;

// By the file's names of operators.
const Translators& layer_translators();
const Translators& pointwise_translators();
const Translators& resize_translators();
const Translators& frame_translators();
const Translators& axis_translators();
const Translators& chain_translators();

/// Takes an operator for the next of a chain; false where it is none.
bool continues_chain(Step& step);

}  // namespace segmentum
