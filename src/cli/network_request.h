// A network as a person names it: a model file, or an architecture and its settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "graph/graph.h"
#include "image/box.h"

namespace segmentum {

struct NetworkRequest {
  std::string what;
  std::string size;  // empty: what the verb takes
  std::optional<std::int64_t> classes;
  std::optional<std::int64_t> channels;
  std::vector<std::string> settings;

  /// The operand MODEL and the options --size, --classes, --channels and --set.
  void declare(Arguments& arguments, const char* about_size);

  /// A file called like a network does not hide it: ./unet names the file.
  bool is_file() const;
  bool is_architecture() const;

  /// Height and width of --size, else `side` squared, or the side of what is read of a box.
  Shape input_shape(std::int64_t input_channels, const std::optional<BoxCrop>& boxes,
                    int side) const;
  /// A model file has its network, whatever one wishes. Throws UsageError.
  void refuse_options_of_architectures() const;
};

/// A network without weights, and what it reads of a box if it works on boxes.
struct UntrainedNetwork {
  Graph graph;
  std::optional<BoxCrop> boxes;
  int input_channels;
  int classes;
};

/// Throws UsageError for names and values that are unknown.
UntrainedNetwork build_untrained(const NetworkRequest& request);

}  // namespace segmentum
