#include "graph/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "graph/analysis.h"

namespace segmentum {
namespace {

std::string activation_text(const Activation& activation) {
  return activation.kind == ActivationKind::leaky_relu
             ? fmt::format("leaky_relu {}", activation.slope)
             : activation_name(activation.kind);
}

/// The settings of an operator in words, separated by commas.
class Words {
 public:
  explicit Words(std::string first) : text_(std::move(first)) {}

  Words& add(const std::string& word) {
    text_ += (empty_ ? " " : ", ") + word;
    empty_ = false;
    return *this;
  }
  Words& add_if(bool condition, const std::string& word) { return condition ? add(word) : *this; }
  Words& size(const std::string& name, Size2 size, Size2 usual) {
    if (size == usual) return *this;
    return add(size.h == size.w ? fmt::format("{} {}", name, size.h)
                                : fmt::format("{} {}x{}", name, size.h, size.w));
  }
  Words& kernel(Size2 size) { return add(fmt::format("{}x{}", size.h, size.w)); }
  Words& padding(const char* name, const Padding& p) {
    if (p == Padding(0)) return *this;
    return add(p == Padding(p.top)
                   ? fmt::format("{} {}", name, p.top)
                   : fmt::format("{} {} {} {} {}", name, p.top, p.left, p.bottom, p.right));
  }
  Words& activation(const Activation& activation) {
    return add_if(activation.kind != ActivationKind::none, activation_text(activation));
  }
  std::string text() const { return text_; }

 private:
  std::string text_;
  bool empty_ = true;
};

struct OperatorWords {
  std::string name;

  Words words() const { return Words(name); }
  std::string operator()(const op::Conv& o) const {
    return words()
        .add(std::to_string(o.channels))
        .kernel(o.kernel)
        .size("stride", o.stride, 1)
        .size("dilation", o.dilation, 1)
        .padding("pad", o.padding)
        .add_if(o.groups > 1, fmt::format("groups {}", o.groups))
        .add_if(!o.bias, "no bias")
        .add_if(o.add, "+ add")
        .activation(o.activation)
        .text();
  }
  std::string operator()(const op::TransposedConv& o) const {
    return words()
        .add(std::to_string(o.channels))
        .kernel(o.kernel)
        .size("stride", o.stride, 1)
        .padding("pad", o.padding)
        .size("output pad", o.output_padding, 0)
        .add_if(o.groups > 1, fmt::format("groups {}", o.groups))
        .add_if(!o.bias, "no bias")
        .add_if(!o.learnt, "not learnt")
        .activation(o.activation)
        .text();
  }
  std::string operator()(const op::BatchNorm& o) const {
    return words().activation(o.activation).text();
  }
  std::string operator()(const op::GroupNorm& o) const {
    return words().add(fmt::format("{} groups", o.groups)).text();
  }
  std::string operator()(const op::Activate& o) const { return activation_text(o.activation); }
  std::string operator()(const op::Add& o) const { return words().activation(o.activation).text(); }
  std::string operator()(const op::MaxPool& o) const { return pool(o).text(); }
  std::string operator()(const op::AveragePool& o) const {
    return pool(o)
        .add_if(o.padding != Padding(0) && !o.count_padding, "padding not counted")
        .text();
  }
  template <typename Pool>
  Words pool(const Pool& o) const {
    return words()
        .kernel(o.kernel)
        .size("stride", o.stride, o.kernel)
        .padding("pad", o.padding)
        .add_if(o.ceil, "ceil");
  }
  std::string operator()(const op::Resize& o) const {
    return words()
        .add(o.scale == 0     ? "to size"
             : o.divisor == 1 ? fmt::format("x{}", o.scale)
                              : fmt::format("x{}/{}", o.scale, o.divisor))
        .add(o.mode == Interpolation::nearest ? "nearest" : "bilinear")
        .add_if(o.align_corners, "align corners")
        .text();
  }
  std::string operator()(const op::Pad& o) const {
    return words()
        .add(o.mode == PadMode::mirror ? "mirror"
             : o.mode == PadMode::edge ? "edge"
                                       : "zero")
        .padding("margin", o.margin)
        .add_if(o.multiple > 1, fmt::format("to multiple of {}", o.multiple))
        .add_if(o.remainder > 0, fmt::format("plus {}", o.remainder))
        .text();
  }
  std::string operator()(const op::Crop& o) const {
    return words().add_if(o.centre, "centred").size("at", o.centre ? 0 : o.offset, 0).text();
  }
  std::string operator()(const op::Dropout& o) const {
    return words().add(fmt::format("{}", o.rate)).text();
  }
  std::string operator()(const op::LocationGrid& o) const {
    return words().add(fmt::format("{}x{}", o.grid, o.grid)).text();
  }
  std::string operator()(const op::MeanField& o) const {
    return words()
        .add(fmt::format("{} iteration{}", o.iterations, o.iterations == 1 ? "" : "s"))
        .add_if(o.spatial_weight > 0,
                fmt::format("spatial {} px weight {}", o.spatial_sigma_px, o.spatial_weight))
        .add_if(o.bilateral_weight > 0,
                fmt::format("bilateral {} px {} levels weight {}", o.bilateral_sigma_px,
                            o.bilateral_sigma_colour, o.bilateral_weight))
        .add_if(o.normalisation != CrfNormalisation::symmetric,
                std::string("normalisation ") + normalisation_name(o.normalisation))
        .text();
  }
  std::string operator()(const auto&) const { return name; }
};

std::string ratio_text(Ratio ratio) {
  return ratio.under == 1 ? fmt::format("{}", ratio.over)
                          : fmt::format("{}/{}", ratio.over, ratio.under);
}

template <typename Pair>
std::string once_or_both(const Pair& h, const Pair& w) {
  return h == w ? h : h + "x" + w;
}

constexpr std::size_t kColumns = 7;
using Row = std::array<std::string, kColumns>;
constexpr std::size_t kFirstNumber = 3;  // from here on columns stand at the right

Row row_of(const Node& node, const NodeAnalysis& analysis) {
  const Shape& shape = analysis.shape;
  const auto cost = [](std::int64_t n) { return n == 0 ? std::string() : human_number(n); };
  std::string field = "all", stride = "-";
  if (const auto& seen = analysis.receptive_field) {
    field = once_or_both(std::to_string(seen->h), std::to_string(seen->w));
  }
  if (const auto& s = analysis.output_stride) {
    stride = once_or_both(ratio_text(s->y), ratio_text(s->x));
  }
  return {node.name,
          operator_text(node.op),
          fmt::format("{} x {} x {}", shape.c(), shape.h(), shape.w()),
          cost(analysis.parameters),
          cost(analysis.multiply_adds),
          field,
          stride};
}

std::string table(const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < kColumns; ++i) {
      line += i < kFirstNumber ? fmt::format("{:<{}}  ", row[i], widths[i])
                               : fmt::format("{:>{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string tiling_text(const Analysis& analysis) {
  const Size2 multiple = analysis.tile_multiple;
  if (!analysis.tile_halo) return "tiles            none: every pixel may see the whole picture\n";
  const Padding& halo = *analysis.tile_halo;
  const int widest = std::max({halo.top, halo.left, halo.bottom, halo.right});
  return fmt::format("tiles            at multiples of {}, with {} pixels around\n",
                     once_or_both(std::to_string(multiple.h), std::to_string(multiple.w)), widest);
}

}  // namespace

std::string human_number(std::int64_t number) {
  constexpr std::array kLetters{"", " k", " M", " G", " T", " P", " E"};
  double value = static_cast<double>(number);
  std::size_t letter = 0;
  while (value >= 999.5 && letter + 1 < kLetters.size()) {
    value /= 1000;
    ++letter;
  }
  if (letter == 0) return std::to_string(number);
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, kLetters[letter]);
}

std::string operator_text(const Operator& op) {
  return std::visit(OperatorWords{operator_name(op)}, op);
}

std::string describe(const Graph& graph, const Shape& input, const std::string& meaning) {
  std::vector<Shape> inputs(graph.inputs.size(), input);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    inputs[i][1] = graph.node(graph.inputs[i]).channels;
  }
  const Analysis analysis = analyse(graph, inputs);
  std::vector<Row> rows{
      {"layer", "operator", "output", "parameters", "multiply-adds", "receptive field", "stride"}};
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    rows.push_back(row_of(graph.nodes[id], analysis.nodes[id]));
  }
  std::string text = table(rows) + "\n";
  for (const Output& output : graph.outputs) {
    const Shape& shape = analysis.nodes[static_cast<std::size_t>(output.value)].shape;
    text += fmt::format("output           {} {}\n", output.name, shape.to_string());
  }
  text += fmt::format("parameters       {} ({})\n", human_number(analysis.parameters),
                      analysis.parameters);
  text +=
      fmt::format("multiply-adds    {} ({}) for {}{}\n", human_number(analysis.multiply_adds),
                  analysis.multiply_adds, input.to_string(), meaning.empty() ? "" : ": " + meaning);
  return text + tiling_text(analysis);
}

}  // namespace segmentum
