#include "interop/onnx/onnx_network.h"

#include <algorithm>
#include <optional>

#include "interop/onnx/translation.h"
#include "interop/pickle.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kLargestMultiple = 128;

int rounded_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

/// A side that the file fixes.
std::optional<int> fixed_side(const OnnxDim& dim) {
  constexpr std::int64_t kLargestSide = 1 << 16;
  if (!dim.is_known() || dim.size == 0) return std::nullopt;
  if (dim.size > kLargestSide) {
    throw OnnxRefusal("states a picture of " + std::to_string(dim.size) + " pixels on a side");
  }
  return static_cast<int>(dim.size);
}

/// What the file says of its picture's size.
struct StatedSize {
  int batch = 1;
  std::optional<int> h, w;
  bool is_whole() const { return h && w; }
};

StatedSize stated_size(const OnnxModel& model) {
  for (const OnnxValueInfo& input : model.inputs) {
    const bool is_weight = std::ranges::any_of(
        model.initializers, [&](const OnnxTensor& tensor) { return tensor.name == input.name; });
    if (is_weight || !input.dims || input.dims->size() != 4) continue;
    const auto& dims = *input.dims;
    // [N,H,W,C] where only its last axis can be channels, as the translation has it.
    constexpr std::int64_t kMostLastChannels = 16;
    const bool last = dims[3].is_known() && dims[3].size <= kMostLastChannels &&
                      (!dims[1].is_known() || dims[1].size > kMostLastChannels);
    StatedSize size{.h = fixed_side(dims[last ? 1 : 2]), .w = fixed_side(dims[last ? 2 : 3])};
    size.batch = fixed_side(dims[0]).value_or(1);
    return size;
  }
  return {};
}

/// Sizes at which the file is tried: odd and even, prime and smooth, or the stated one alone. Some
/// networks reject small pictures: `times` makes all larger.
std::vector<Size2> probes_of(const StatedSize& stated, int multiple, int times) {
  if (stated.is_whole()) return {{*stated.h, *stated.w}};
  std::vector<Size2> probes;
  for (const Size2 size : {Size2(97, 131), Size2(64, 96), Size2(113, 75), Size2(130, 161)}) {
    probes.emplace_back(stated.h.value_or(rounded_up(times * size.h, multiple)),
                        stated.w.value_or(rounded_up(times * size.w, multiple)));
  }
  return probes;
}

/// The whole network, made for one multiple.
class NetworkMaker {
 public:
  NetworkMaker(const OnnxModel& model, Translation::Options options, const std::string& output)
      : model_(model), multiple_(options.multiple), t_(model, std::move(options)) {
    Seen logits = chosen(output);
    note_end(logits);
    logits = t_.settled("logits", std::move(logits));
    ValueId id = without_probabilities(logits.id);
    id = of_picture_size(id);
    t_.output("logits", id);
  }

  OnnxNetwork finished() && {
    auto [graph, parameters] = std::move(t_).finished();
    return {std::move(graph), std::move(parameters), std::move(notes_)};
  }

 private:
  void note(const std::string& text) { notes_.push_back(text); }

  static bool is_picture(const Value* value) {
    const auto* seen = value == nullptr ? nullptr : std::get_if<Seen>(value);
    return seen != nullptr && seen->chain == Chain::none &&
           (seen->view == View::planes || seen->view == View::channels_last);
  }

  Seen chosen(const std::string& output) {
    std::string others;
    const OnnxValueInfo* found = nullptr;
    for (const OnnxValueInfo& candidate : model_.outputs) {
      const bool wanted = output.empty() || candidate.name == output;
      if (found == nullptr && wanted && is_picture(t_.find(candidate.name))) {
        found = &candidate;
      } else {
        others += (others.empty() ? "\"" : ", \"") + printable(candidate.name) + "\"";
      }
    }
    if (found == nullptr) {
      throw OnnxRefusal(output.empty()
                            ? "makes no map of the picture: its outputs are " + others
                            : "has no output \"" + printable(output) + "\"; it has " + others);
    }
    if (!others.empty()) {
      note("the logits are its output \"" + printable(found->name) + "\"; left out: " + others);
    }
    return std::get<Seen>(t_.value(found->name));
  }

  void note_end(const Seen& logits) {
    if (!logits.ended_by.empty()) {
      note(logits.ended_by + " at its end is left off: predict tells the labels itself");
    }
  }

  ValueId without_probabilities(ValueId id) {
    const Node& last = t_.node(id);
    const auto* activate = std::get_if<op::Activate>(&last.op);
    const bool is_sigmoid =
        activate != nullptr && activate->activation.kind == ActivationKind::sigmoid;
    if (!is_sigmoid && !std::holds_alternative<op::Softmax>(last.op)) return id;
    const std::string ends =
        t_.channels(id) > 1 && is_sigmoid
            ? "sigmoid at its end is left off: of the classes the likeliest is "
              "taken, none or several at once are not told"
            : std::string(is_sigmoid ? "sigmoid" : "softmax") +
                  " at its end is left off: predict has its own";
    note(ends);
    return last.inputs[0];
  }

  /// Cuts the logits back to a picture that was padded, or magnifies them to it.
  ValueId of_picture_size(ValueId id) {
    const auto sizes = t_.sizes(id), picture = t_.sizes(t_.image());
    if (sizes == picture && multiple_ == 1) return id;
    const auto padded = multiple_ == 1 ? picture : t_.sizes(t_.image() + 1);
    if (sizes != padded) id = magnified(id, sizes, padded);
    if (multiple_ > 1) id = t_.add("crop", op::Crop{}, {id, t_.image()});
    return id;
  }

  ValueId magnified(ValueId id, const std::vector<Size2>& from, const std::vector<Size2>& to) {
    const auto text = [](Size2 size) {
      return std::to_string(size.h) + "x" + std::to_string(size.w);
    };
    const std::string found =
        "its output for a picture of " + text(to[0]) + " is of " + text(from[0]);
    const auto stride = [](int picture, int map) { return (picture + map / 2) / map; };
    const int factor = stride(to[0].h, from[0].h);
    for (std::size_t i = 0; i < from.size(); ++i) {
      const bool fits = std::abs(from[i].h * factor - to[i].h) < factor &&
                        std::abs(from[i].w * factor - to[i].w) < factor;
      if (factor < 2 || !fits) {
        throw Error(found + "; expected the picture's size, or a fraction of it");
      }
    }
    note(found + ": its logits are magnified " + std::to_string(factor) + " times (bilinear)");
    const ValueId like = t_.image() + (multiple_ > 1 ? 1 : 0);
    return t_.add("magnify", op::Resize{}, {id, like});
  }

  const OnnxModel& model_;
  int multiple_;
  Translation t_;
  std::vector<std::string> notes_;
};

bool accepts(const Graph& graph, int h, int w) {
  const Shape shape{1, graph.node(graph.inputs[0]).channels, h, w};
  try {
    infer_shapes(graph, {&shape, 1});
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// The smallest multiple of `least` such that the network works at all multiples of it from some
/// size on, in a square and beside another side; nothing if there is none.
std::optional<int> accepted_multiple(const Graph& graph, int least) {
  const auto works = [&](int multiple, int smallest) {
    constexpr int kTried = 256;
    const int begin = rounded_up(smallest, multiple);
    for (int size = begin; size <= begin + std::max(kTried, 4 * multiple); size += multiple) {
      if (!accepts(graph, size, begin) || !accepts(graph, begin, size)) return false;
    }
    return true;
  };
  for (const int smallest : {64, 256, 512}) {
    for (int multiple = least; multiple <= kLargestMultiple; multiple *= 2) {
      if (works(multiple, smallest)) return multiple;
    }
  }
  return std::nullopt;
}

struct Attempt {
  OnnxNetwork network;
  Translation::Options options;
};

Attempt attempt(const OnnxModel& model, const std::string& output, Translation::Options options) {
  NetworkMaker maker(model, options, output);
  options.computed = nullptr;  // the caller's
  return {std::move(maker).finished(), std::move(options)};
}

/// The network at the smallest multiple at which the file works.
Attempt first_that_works(const OnnxModel& model, const StatedSize& stated, std::uint64_t file_bytes,
                         const std::string& output) {
  constexpr int kLarger = 4;
  std::int64_t computed = 0;
  for (int times = 1;; times *= kLarger) {
    for (int multiple = 1; multiple <= kLargestMultiple; multiple *= 2) {
      try {
        return attempt(model, output,
                       {.probes = probes_of(stated, multiple, times),
                        .batch = stated.batch,
                        .multiple = multiple,
                        .file_bytes = file_bytes,
                        .computed = &computed});
      } catch (const OnnxRefusal&) {
        throw;
      } catch (const Error&) {
        const bool is_last = times == kLarger && multiple == kLargestMultiple;
        if (stated.is_whole() || is_last) throw;
      }
    }
  }
}

/// May a file that states its size be given pictures padded to this multiple? Its own must stay.
bool keeps_stated(const StatedSize& stated, int multiple) {
  return stated.h.value_or(0) % multiple == 0 && stated.w.value_or(0) % multiple == 0;
}

}  // namespace

OnnxNetwork network_of(const OnnxModel& model, std::uint64_t file_bytes,
                       const std::string& output) {
  const StatedSize stated = stated_size(model);
  auto [network, options] = first_that_works(model, stated, file_bytes, output);
  const auto accepted = accepted_multiple(network.graph, options.multiple);
  if (accepted && *accepted > options.multiple && keeps_stated(stated, *accepted)) {
    options.multiple = *accepted;
    if (!stated.is_whole()) options.probes = probes_of(stated, *accepted, 1);
    network = attempt(model, output, options).network;
  }
  const auto text = [](std::optional<int> side) {
    return side ? std::to_string(*side) : std::string("any");
  };
  if (stated.h || stated.w) {
    network.notes.push_back("it states a picture of " + text(stated.h) + "x" + text(stated.w) +
                            (accepted ? "; the network is taken to work at other sizes too"
                                      : ", and works at few others"));
  }
  if (options.multiple > 1) {
    network.notes.push_back("it works at multiples of " + std::to_string(options.multiple) +
                            " pixels: other pictures are mirrored up to one, the logits cut back");
  }
  network.reads_bytes = std::ranges::any_of(
      model.inputs, [](const OnnxValueInfo& input) { return input.type == OnnxType::u8; });
  return std::move(network);
}

}  // namespace segmentum
