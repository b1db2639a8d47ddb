#include "interop/checkpoint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/half_float.h"
#include "interop/checkpoint_content.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::array<std::string_view, 3> kPrefixes{"module.", "model.", "_orig_mod."};
constexpr std::size_t kMostAxes = 4;

Error about(const CheckpointContent& content, const std::string& what) {
  return content.file.empty() ? Error(what) : Error::in_file(content.file, what);
}

/// What a file that is no checkpoint may be, from its first bytes.
std::string other_kind(std::string_view bytes) {
  constexpr std::string_view kExpected = "expected a .pth file of torch.save or safetensors";
  const auto says = [&](std::string_view is) { return std::string(is) + std::string(kExpected); };
  if (bytes.empty()) return says("is empty; ");
  if (bytes.starts_with("version https://git-lfs")) {
    return "is a pointer of Git LFS, not the file itself; `git lfs pull` fetches that";
  }
  if (bytes.starts_with("<")) return says("is a web page, perhaps of a failed download; ");
  if (bytes.starts_with("\x89HDF")) return says("is an HDF5 file, as Keras writes; ");
  if (bytes.starts_with("\x1f\x8b")) return says("is compressed by gzip; ");
  return says("is no checkpoint; ");
}

CheckpointContent read_content(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04")) return read_torch_zip(bytes);
  if (bytes.starts_with("\x80")) return read_torch_stream(bytes);
  // Eight bytes of length, then JSON.
  if (bytes.size() > sizeof(std::uint64_t) && bytes[sizeof(std::uint64_t)] == '{') {
    return read_safetensors(bytes);
  }
  throw Error(other_kind(bytes));
}

template <typename Stored>
float as_float(const char* from) {
  Stored number;
  std::memcpy(&number, from, sizeof number);
  return static_cast<float>(number);
}

float half_as_float(const char* from) {
  std::uint16_t half = 0;
  std::memcpy(&half, from, sizeof half);
  return half_to_float(half);
}

float bfloat_as_float(const char* from) {
  std::uint16_t upper = 0;
  std::memcpy(&upper, from, sizeof upper);
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
}

using Convert = float (*)(const char*);

/// Null for numbers that are no weights.
Convert conversion(NumberType type) {
  switch (type) {
    case NumberType::f64:
      return as_float<double>;
    case NumberType::f32:
      return as_float<float>;
    case NumberType::f16:
      return half_as_float;
    case NumberType::bf16:
      return bfloat_as_float;
    default:
      return nullptr;
  }
}

Shape shape_of(const std::vector<std::int64_t>& extents) {
  const auto& e = extents;
  switch (e.size()) {
    case 0:
      return {};
    case 1:
      return {e[0]};
    case 2:
      return {e[0], e[1]};
    case 3:
      return {e[0], e[1], e[2]};
    default:
      return {e[0], e[1], e[2], e[3]};
  }
}

bool is_dense(const CheckpointTensor& tensor) {
  std::int64_t stride = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != stride) return false;
    stride *= tensor.shape[axis];
  }
  return true;
}

/// Gathers the view on `storage` into dense order. Both are bounded by the caller.
void gather(const CheckpointTensor& tensor, std::string_view storage, Convert convert,
            Tensor& into) {
  const auto size = static_cast<std::uint64_t>(bytes_of(tensor.type));
  std::array<std::int64_t, kMostAxes> extents{1, 1, 1, 1};
  std::array<std::uint64_t, kMostAxes> strides{};
  const std::size_t lead = kMostAxes - tensor.shape.size();
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    extents[lead + axis] = tensor.shape[axis];
    strides[lead + axis] = static_cast<std::uint64_t>(tensor.strides[axis]) * size;
  }
  float* next = into.data();
  // Unsigned, for the stride of an axis of one number may be anything.
  std::uint64_t a = tensor.offset * size;
  for (std::int64_t i = 0; i < extents[0]; ++i, a += strides[0]) {
    std::uint64_t b = a;
    for (std::int64_t j = 0; j < extents[1]; ++j, b += strides[1]) {
      std::uint64_t c = b;
      for (std::int64_t k = 0; k < extents[2]; ++k, c += strides[2]) {
        std::uint64_t d = c;
        for (std::int64_t l = 0; l < extents[3]; ++l, d += strides[3]) {
          *next++ = convert(storage.data() + d);
        }
      }
    }
  }
}

}  // namespace

std::uint64_t CheckpointTensor::count() const {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::uint64_t product = 1;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(extent), &product)) {
      return UINT64_MAX;
    }
  }
  return product;
}

std::string CheckpointTensor::shape_text() const {
  std::string text;
  for (const std::int64_t extent : shape) {
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  }
  return text.empty() ? "scalar" : text;
}

Checkpoint::Checkpoint(std::unique_ptr<CheckpointContent> content) : content_(std::move(content)) {
  tensors_ = std::move(content_->tensors);
  if (!content_->found_under.empty()) {
    notes_.push_back("the weights stand under \"" + content_->found_under + "\"");
  }
  strip_prefixes();
}

Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

const std::string& Checkpoint::format() const {
  return content_->format;
}

/// Wrappers may be wrapped: "module.model.", so it is done until nothing changes.
void Checkpoint::strip_prefixes() {
  constexpr int kMostWrappings = 4;
  for (int round = 0; round < kMostWrappings; ++round) {
    const auto prefix = std::ranges::find_if(kPrefixes, [&](std::string_view candidate) {
      const auto having = std::ranges::count_if(
          tensors_, [&](const auto& tensor) { return tensor.first.starts_with(candidate); });
      return 2 * static_cast<std::size_t>(having) > tensors_.size();
    });
    if (prefix == kPrefixes.end()) return;
    std::map<std::string, CheckpointTensor> renamed;
    for (auto& [name, tensor] : tensors_) {
      const std::string stripped = name.starts_with(*prefix) ? name.substr(prefix->size()) : name;
      if (!renamed.emplace(stripped, std::move(tensor)).second) {
        throw Error("tensor \"" + printable(stripped) +
                    "\" stands twice, with and without the "
                    "prefix \"" +
                    std::string(*prefix) + "\"");
      }
    }
    tensors_ = std::move(renamed);
    notes_.push_back("the prefix \"" + std::string(*prefix) + "\" was taken off the names");
  }
}

Tensor Checkpoint::read(const std::string& name) const {
  const auto found = tensors_.find(name);
  const std::string who = "tensor \"" + printable(name) + "\" ";
  if (found == tensors_.end()) throw about(*content_, who + "is not there");
  const CheckpointTensor& tensor = found->second;
  const Convert convert = conversion(tensor.type);
  if (convert == nullptr) {
    throw about(*content_, who + "holds numbers of type " + std::string(name_of(tensor.type)) +
                               "; weights are float32, float64, float16 or bfloat16");
  }
  if (tensor.shape.size() > kMostAxes) {
    throw about(*content_,
                who + "has " + std::to_string(tensor.shape.size()) + " axes; at most 4 are read");
  }
  if (tensor.count() == 0) throw about(*content_, who + "has no numbers");
  std::string_view storage;
  try {
    storage = content_->storage_bytes(tensor.storage);
  } catch (const Error& error) {
    throw about(*content_, error.what());
  }
  if (tensor.count() > storage.size() / static_cast<std::uint64_t>(bytes_of(tensor.type))) {
    throw about(*content_, who + "repeats numbers of its storage; clone() it in Python");
  }
  Tensor values(shape_of(tensor.shape));
  if (tensor.type == NumberType::f32 && is_dense(tensor)) {
    const std::string_view bytes =
        storage.substr(tensor.offset * sizeof(float), values.values().size_bytes());
    std::memcpy(values.data(), bytes.data(), bytes.size());
  } else {
    gather(tensor, storage, convert, values);
  }
  return values;
}

Tensor Checkpoint::read_finite(const std::string& name) const {
  Tensor values = read(name);
  const auto wrong =
      std::ranges::count_if(values.values(), [](float number) { return !std::isfinite(number); });
  if (wrong > 0) {
    throw about(*content_, "tensor \"" + printable(name) + "\" has " + std::to_string(wrong) +
                               (wrong == 1 ? " number that is" : " numbers that are") +
                               " not finite; the training that made it had failed");
  }
  return values;
}

Checkpoint parse_checkpoint(std::string_view bytes) {
  return Checkpoint(std::make_unique<CheckpointContent>(read_content(bytes)));
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  auto mapped = std::make_unique<MappedFile>(path);
  try {
    auto content = std::make_unique<CheckpointContent>(read_content(mapped->bytes()));
    content->file = path.string();
    content->mapped = std::move(mapped);
    return Checkpoint(std::move(content));
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

}  // namespace segmentum
