#include "model_file/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/half_float.h"
#include "model_file/safetensors_header.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::uint64_t kMaximumHeaderBytes = 100'000'000;  // as the format's own library
constexpr std::uint64_t kDataAlignment = 64;

/// The upper half of a binary32.
float bfloat_to_float(std::uint16_t upper) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
}

const char* type_name(const NamedTensor& tensor) {
  static constexpr const char* kNames[] = {"F32", "F64", "I64"};
  return kNames[tensor.values.index()];
}

std::string_view bytes_of(const NamedTensor& tensor) {
  return std::visit(
      [](const auto& view) {
        const auto values = view.values();
        return std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes());
      },
      tensor.values);
}

/// A header as long as the alignment of the numbers behind it needs it.
std::string padded(std::string text) {
  text.resize((text.size() + 8 + kDataAlignment - 1) / kDataAlignment * kDataAlignment - 8, ' ');
  return text;
}

/// The tensors' entries in the order in which they are written, then padding to the alignment.
std::string header_text(std::span<const NamedTensor> tensors,
                        const std::map<std::string, std::string>& metadata) {
  auto header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    const Shape shape = std::visit([](const auto& view) { return view.shape; }, tensor.values);
    auto extents = nlohmann::ordered_json::array();
    for (int axis = 0; axis < shape.rank(); ++axis) extents.push_back(shape[axis]);
    const std::uint64_t end = offset + bytes_of(tensor).size();
    header[tensor.name] = {
        {"dtype", type_name(tensor)}, {"shape", extents}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  return padded(header.dump());
}

}  // namespace

SafetensorsReader::SafetensorsReader(fs::path path) : path_(std::move(path)) {
  try {
    read_header();
  } catch (const Error& error) {
    throw Error::in_file(path_.string(), error.what());
  }
}

void SafetensorsReader::read_header() {
  std::error_code code;
  if (!fs::exists(path_, code)) throw Error("there is no such file");
  if (!fs::is_regular_file(path_, code)) throw Error("is not a file");
  const std::uint64_t file_bytes = fs::file_size(path_, code);
  stream_.open(path_, std::ios::binary);
  if (code || !stream_) throw Error("cannot open: " + std::string(std::strerror(errno)));

  std::uint64_t length = 0;
  if (file_bytes < sizeof length) {
    throw Error("is not a safetensors file: it has " + std::to_string(file_bytes) + " bytes");
  }
  stream_.read(reinterpret_cast<char*>(&length), sizeof length);
  if (length > file_bytes - sizeof length || length > kMaximumHeaderBytes) {
    throw Error("is not a safetensors file: its header would take " + std::to_string(length) +
                " bytes, the file has " + std::to_string(file_bytes));
  }
  std::string text(length, '\0');
  stream_.read(text.data(), static_cast<std::streamsize>(length));
  if (!stream_) throw Error("cannot read the header");
  try {
    const std::uint64_t data_begin = sizeof length + length;
    SafetensorsHeader header = parse_safetensors_header(text, data_begin, file_bytes - data_begin);
    metadata_ = std::move(header.metadata);
    tensors_ = std::move(header.tensors);
  } catch (const Error& error) {
    throw Error("the header is damaged: " + std::string(error.what()));
  }
}

void SafetensorsReader::read_bytes(const SafetensorsEntry& entry, void* into) {
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(entry.offset));
  stream_.read(static_cast<char*>(into), static_cast<std::streamsize>(entry.bytes));
  if (!stream_) throw Error::in_file(path_.string(), "cannot read all of its numbers");
}

template <typename T, typename Stored, typename Convert>
BasicTensor<T> SafetensorsReader::convert(const SafetensorsEntry& entry, Convert to_number) {
  BasicTensor<Stored> stored(entry.shape);
  read_bytes(entry, stored.data());
  BasicTensor<T> values(entry.shape);
  std::ranges::transform(stored.values(), values.data(),
                         [&](Stored number) { return static_cast<T>(to_number(number)); });
  return values;
}

template <typename T>
BasicTensor<T> SafetensorsReader::read_as(const std::string& name) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error::in_file(path_.string(), "has no tensor \"" + name + "\"");
  }
  const SafetensorsEntry& entry = found->second;
  const char* same = std::is_same_v<T, float> ? "F32" : std::is_same_v<T, double> ? "F64" : "I64";
  if (entry.type == same) {
    BasicTensor<T> values(entry.shape);
    read_bytes(entry, values.data());
    return values;
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (entry.type == "F32") return convert<T, float>(entry, std::identity{});
    if (entry.type == "F64") return convert<T, double>(entry, std::identity{});
    if (entry.type == "F16") return convert<T, std::uint16_t>(entry, half_to_float);
    if (entry.type == "BF16") return convert<T, std::uint16_t>(entry, bfloat_to_float);
  }
  throw Error::in_file(path_.string(),
                       "tensor \"" + name + "\" is of type " + entry.type + ", expected " + same);
}

template BasicTensor<float> SafetensorsReader::read_as<float>(const std::string&);
template BasicTensor<double> SafetensorsReader::read_as<double>(const std::string&);
template BasicTensor<std::int64_t> SafetensorsReader::read_as<std::int64_t>(const std::string&);

void write_safetensors(const fs::path& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::set<std::string> names{"__metadata__"};
  for (const NamedTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw Error::in_file(path.string(), "cannot hold two tensors \"" + tensor.name + "\"");
    }
  }
  std::string header;
  try {
    header = header_text(tensors, metadata);
  } catch (const nlohmann::json::exception&) {
    throw Error::in_file(path.string(), "cannot hold names or texts that are not UTF-8");
  }
  const std::uint64_t length = header.size();
  std::vector<std::string_view> pieces{{reinterpret_cast<const char*>(&length), sizeof length},
                                       header};
  for (const NamedTensor& tensor : tensors) pieces.push_back(bytes_of(tensor));
  write_file_pieces(path, pieces);
}

void replace_metadata(const fs::path& path, const std::map<std::string, std::string>& metadata) {
  const SafetensorsReader sound(path);  // throws where what follows could not be trusted
  const std::string file = read_file(path);
  std::uint64_t length = 0;
  if (file.size() < sizeof length) throw Error::in_file(path.string(), "was cut meanwhile");
  std::memcpy(&length, file.data(), sizeof length);
  const std::string_view rest = std::string_view(file).substr(sizeof length);
  if (length > rest.size()) throw Error::in_file(path.string(), "was cut meanwhile");
  std::string header;
  try {
    auto json = nlohmann::ordered_json::parse(rest.substr(0, length));
    json["__metadata__"] = metadata;
    header = padded(json.dump());
  } catch (const nlohmann::json::exception&) {
    throw Error::in_file(path.string(), "cannot hold names or texts that are not UTF-8");
  }
  const std::uint64_t new_length = header.size();
  write_file_pieces(path, {{reinterpret_cast<const char*>(&new_length), sizeof new_length},
                           header,
                           rest.substr(length)});
}

}  // namespace segmentum
