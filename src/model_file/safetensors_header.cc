#include "model_file/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using nlohmann::json;

/// Bytes of one number; 0 for a type that the format does not know.
std::uint64_t number_bytes(const std::string& type) {
  static const std::map<std::string, std::uint64_t> kBytes{
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
      {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
      {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};
  const auto found = kBytes.find(type);
  return found == kBytes.end() ? 0 : found->second;
}

/// Receives the header's JSON piece by piece. Every method returns false to stop.
class HeaderHandler : public nlohmann::json_sax<json> {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_array_) return unexpected("a number");
    std::vector<std::uint64_t>& numbers = *current_array();
    const std::size_t limit = field_ == "shape" ? 4 : 2;
    if (numbers.size() == limit) {
      return stop("tensor \"" + name_ + "\" has more than " + std::to_string(limit) +
                  (field_ == "shape" ? " axes" : " offsets"));
    }
    numbers.push_back(value);
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ == 2 && in_metadata_) {
      header.metadata[field_] = std::move(value);
      return true;
    }
    if (depth_ != 2 || in_array_ || field_ != "dtype") return unexpected("a text");
    type_ = std::move(value);
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ >= 2 || in_array_) return unexpected("an object");
    ++depth_;
    type_.reset();
    shape_.reset();
    offsets_.reset();
    return true;
  }

  bool key(string_t& value) override {
    if (depth_ == 1) {
      name_ = std::move(value);
      in_metadata_ = name_ == "__metadata__";
      if (in_metadata_ ? std::exchange(has_metadata_, true) : header.tensors.contains(name_)) {
        return stop("\"" + name_ + "\" stands twice");
      }
      return true;
    }
    field_ = std::move(value);
    if (in_metadata_) {
      return !header.metadata.contains(field_) || stop("text \"" + field_ + "\" stands twice");
    }
    const bool twice = (field_ == "dtype" && type_) || (field_ == "shape" && shape_) ||
                       (field_ == "data_offsets" && offsets_);
    return !twice || stop("tensor \"" + name_ + "\" has two of \"" + field_ + "\"");
  }

  bool end_object() override {
    --depth_;
    return depth_ != 1 || in_metadata_ || finish_entry();
  }

  bool start_array(std::size_t) override {
    const bool expected = depth_ == 2 && !in_metadata_ && !in_array_ &&
                          (field_ == "shape" || field_ == "data_offsets");
    if (!expected) return unexpected("a list");
    in_array_ = true;
    current_array()->clear();
    return true;
  }

  bool end_array() override {
    in_array_ = false;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return stop("it is not JSON at byte " + std::to_string(position));
  }

 private:
  bool stop(std::string what) {
    problem = std::move(what);
    return false;
  }

  bool unexpected(const char* what) {
    if (depth_ == 0) return stop(std::string("it is ") + what + ", not an object");
    if (depth_ == 1) return stop("\"" + name_ + "\" is " + what + ", not an object");
    return stop("\"" + name_ + "\" has " + what + " at \"" + field_ + "\"");
  }

  std::optional<std::vector<std::uint64_t>>& current_array() {
    std::optional<std::vector<std::uint64_t>>& array = field_ == "shape" ? shape_ : offsets_;
    if (!array) array.emplace();
    return array;
  }

  /// The entry's own numbers must agree; where it lies in the file is checked over all entries.
  bool finish_entry() {
    const std::string tensor = "tensor \"" + name_ + "\"";
    if (!type_ || !shape_ || !offsets_ || offsets_->size() != 2) {
      return stop(tensor + " lacks its type, shape or two offsets");
    }
    std::uint64_t bytes = number_bytes(*type_);
    if (bytes == 0) return stop(tensor + " has the unknown type \"" + *type_ + "\"");
    SafetensorsEntry entry;
    entry.type = *type_;
    entry.shape = shape_of_rank(shape_->size());
    for (std::size_t axis = 0; axis < shape_->size(); ++axis) {
      const std::uint64_t extent = (*shape_)[axis];
      if (__builtin_mul_overflow(bytes, extent, &bytes) || extent > INT64_MAX) {
        return stop(tensor + " has a shape too large to exist");
      }
      entry.shape[static_cast<int>(axis)] = static_cast<std::int64_t>(extent);
    }
    const auto [begin, end] = std::pair((*offsets_)[0], (*offsets_)[1]);
    if (end < begin || end - begin != bytes) {
      return stop(tensor + " of shape " + entry.shape.to_string() + " needs " +
                  std::to_string(bytes) + " bytes, its offsets are " + std::to_string(begin) +
                  " to " + std::to_string(end));
    }
    entry.offset = begin;
    entry.bytes = bytes;
    header.tensors.emplace(name_, std::move(entry));
    return true;
  }

  static Shape shape_of_rank(std::size_t rank) {
    switch (rank) {
      case 0:
        return {};
      case 1:
        return {0};
      case 2:
        return {0, 0};
      case 3:
        return {0, 0, 0};
      default:
        return {0, 0, 0, 0};
    }
  }

  int depth_ = 0;  // 1: among the names, 2: in an entry or the metadata
  bool in_array_ = false;
  bool in_metadata_ = false;
  bool has_metadata_ = false;
  std::string name_;
  std::string field_;
  std::optional<std::string> type_;
  std::optional<std::vector<std::uint64_t>> shape_;
  std::optional<std::vector<std::uint64_t>> offsets_;
};

/// The format wants every byte of the data to belong to exactly one tensor.
void require_gapless(const std::map<std::string, SafetensorsEntry>& tensors,
                     std::uint64_t data_bytes) {
  using Placed = std::pair<const std::string, SafetensorsEntry>;
  std::vector<const Placed*> order;
  for (const Placed& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, [](const Placed* tensor) {
    return std::pair(tensor->second.offset, tensor->second.bytes);
  });
  std::uint64_t end = 0;
  for (const Placed* tensor : order) {
    const SafetensorsEntry& entry = tensor->second;
    if (entry.offset != end || entry.bytes > data_bytes - end) {
      throw Error("tensor \"" + tensor->first + "\" lies at bytes " + std::to_string(entry.offset) +
                  " to " + std::to_string(entry.offset + entry.bytes) + " of the " +
                  std::to_string(data_bytes) + " bytes of numbers; expected it to begin at " +
                  std::to_string(end) + (entry.offset == end ? " and end before them" : ""));
    }
    end += entry.bytes;
  }
  if (end != data_bytes) {
    throw Error("its tensors take " + std::to_string(end) + " bytes but " +
                std::to_string(data_bytes) + " follow the header");
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_begin,
                                           std::uint64_t data_bytes) {
  HeaderHandler handler;
  if (!json::sax_parse(text.begin(), text.end(), &handler)) throw Error(handler.problem);
  require_gapless(handler.header.tensors, data_bytes);
  for (auto& [name, entry] : handler.header.tensors) entry.offset += data_begin;
  return std::move(handler.header);
}

}  // namespace segmentum
