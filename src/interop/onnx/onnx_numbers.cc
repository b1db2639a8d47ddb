#include "interop/onnx/onnx_numbers.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/counted.h"
#include "base/half_float.h"
#include "interop/pickle.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int64_t kMostNumbers = std::int64_t{1} << 48;

std::string who(const OnnxTensor& tensor) {
  return "tensor \"" + printable(tensor.name) + "\" ";
}

template <typename Stored>
double as_double(const char* from) {
  Stored number;
  std::memcpy(&number, from, sizeof number);
  return static_cast<double>(number);
}

double bfloat_to_double(std::uint16_t upper) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
}

double half_at(const char* from) {
  std::uint16_t half = 0;
  std::memcpy(&half, from, sizeof half);
  return half_to_float(half);
}

double bfloat_at(const char* from) {
  std::uint16_t upper = 0;
  std::memcpy(&upper, from, sizeof upper);
  return bfloat_to_double(upper);
}

struct TypeRow {
  OnnxType type;
  const char* name;
  std::size_t bytes;
  double (*number_at)(const char*);
};

constexpr TypeRow kTypes[] = {
    {OnnxType::f32, "f32", 4, as_double<float>},
    {OnnxType::f64, "f64", 8, as_double<double>},
    {OnnxType::f16, "f16", 2, half_at},
    {OnnxType::bf16, "bf16", 2, bfloat_at},
    {OnnxType::i64, "i64", 8, as_double<std::int64_t>},
    {OnnxType::i32, "i32", 4, as_double<std::int32_t>},
    {OnnxType::i16, "i16", 2, as_double<std::int16_t>},
    {OnnxType::i8, "i8", 1, as_double<std::int8_t>},
    {OnnxType::u64, "u64", 8, as_double<std::uint64_t>},
    {OnnxType::u32, "u32", 4, as_double<std::uint32_t>},
    {OnnxType::u16, "u16", 2, as_double<std::uint16_t>},
    {OnnxType::u8, "u8", 1, as_double<std::uint8_t>},
    {OnnxType::boolean, "bool", 1, as_double<std::uint8_t>},
};

const TypeRow* row_of(OnnxType type) {
  const auto* const row = std::ranges::find(kTypes, type, &TypeRow::type);
  return row == std::end(kTypes) ? nullptr : row;
}

/// Whole numbers stored one by one; of the 16-bit types their bits.
double from_whole(OnnxType type, std::int64_t number) {
  if (type == OnnxType::f16) return half_to_float(static_cast<std::uint16_t>(number));
  if (type == OnnxType::bf16) return bfloat_to_double(static_cast<std::uint16_t>(number));
  return static_cast<double>(number);
}

/// Throws Error unless the tensor holds `count` numbers of a known type.
const TypeRow& checked_row(const OnnxTensor& tensor, std::size_t count) {
  const TypeRow* row = row_of(tensor.type);
  if (row == nullptr) {
    throw Error(who(tensor) + "holds numbers of type " + name_of(tensor.type) +
                ", which are not read");
  }
  if (tensor.external && tensor.stored().empty() && count > 0) {
    throw Error(who(tensor) + "lies in a file of its own, \"" +
                printable(tensor.external->location) + "\", which is not open");
  }
  const bool one_by_one = tensor.stored().empty();
  const std::size_t have = one_by_one ? tensor.wholes.size() : tensor.stored().size() / row->bytes;
  const bool rest = !one_by_one && tensor.stored().size() % row->bytes != 0;
  if (have != count || rest) {
    throw Error(who(tensor) + "is of " + counted(count, "number") + "; " + std::to_string(have) +
                " are stored");
  }
  return *row;
}

template <typename Number>
void read_as(const OnnxTensor& tensor, std::span<Number> into) {
  const TypeRow& row = checked_row(tensor, into.size());
  const std::string_view bytes = tensor.stored();
  if (bytes.empty()) {
    for (std::size_t i = 0; i < into.size(); ++i) {
      into[i] = static_cast<Number>(from_whole(tensor.type, tensor.wholes[i]));
    }
  } else if (std::is_same_v<Number, float> && tensor.type == OnnxType::f32) {
    std::memcpy(into.data(), bytes.data(), bytes.size());
  } else {
    for (std::size_t i = 0; i < into.size(); ++i) {
      into[i] = static_cast<Number>(row.number_at(bytes.data() + i * row.bytes));
    }
  }
}

/// The file that `location` names inside of `folder`; what leads out of it is refused.
std::filesystem::path inside(const std::filesystem::path& folder, const std::string& location) {
  const auto refuse = [&](const char* why) {
    return Error("looks for numbers in \"" + printable(location) + "\", which " + why);
  };
  const std::filesystem::path relative(location);
  if (location.empty() || location.find('\0') != std::string::npos) {
    throw refuse("is no name of a file");
  }
  if (relative.is_absolute() || std::ranges::find(relative, "..") != relative.end()) {
    throw refuse("does not lie in the model's folder");
  }
  std::error_code code;
  const auto home = std::filesystem::canonical(folder, code);
  if (code) throw refuse("cannot be found");
  auto real = std::filesystem::canonical(home / relative, code);
  if (code) throw refuse("is not there; it belongs beside the model");
  const auto [stop, rest] = std::ranges::mismatch(home, real);
  if (stop != home.end()) throw refuse("is a link that leaves the model's folder");
  return real;
}

}  // namespace

std::int64_t count_of(const OnnxTensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.dims) {
    if (dim < 0 || (dim > 0 && count > kMostNumbers / dim)) {
      throw Error(who(tensor) + "has axes that cannot be");
    }
    count *= dim;
  }
  return count;
}

std::string name_of(OnnxType type) {
  const TypeRow* row = row_of(type);
  return row == nullptr ? std::to_string(static_cast<int>(type)) : row->name;
}

bool is_real(OnnxType type) {
  return type == OnnxType::f32 || type == OnnxType::f64 || type == OnnxType::f16 ||
         type == OnnxType::bf16;
}

void read_numbers(const OnnxTensor& tensor, std::span<float> into) {
  read_as(tensor, into);
}

void read_numbers(const OnnxTensor& tensor, std::span<double> into) {
  read_as(tensor, into);
}

OnnxFile::OnnxFile(const std::filesystem::path& path) : file_(path) {
  try {
    model_ = parse_onnx(file_.bytes());
    bytes_ = file_.bytes().size();
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    for (OnnxTensor& tensor : model_.initializers) {
      if (!tensor.external) continue;
      const std::string_view all = numbers_file(folder, tensor.external->location);
      const std::uint64_t offset = tensor.external->offset;
      if (offset > all.size() || tensor.external->length.value_or(0) > all.size() - offset) {
        throw Error(who(tensor) + "lies beyond the end of \"" +
                    printable(tensor.external->location) + "\"");
      }
      const TypeRow* row = row_of(tensor.type);
      const std::uint64_t needed =
          static_cast<std::uint64_t>(count_of(tensor)) * (row == nullptr ? 1 : row->bytes);
      tensor.bytes = all.substr(offset, tensor.external->length.value_or(needed));
    }
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

std::string_view OnnxFile::numbers_file(const std::filesystem::path& folder,
                                        const std::string& location) {
  auto& file = numbers_[location];
  if (!file) {
    file = std::make_unique<MappedFile>(inside(folder, location));
    bytes_ += file->bytes().size();
  }
  return file->bytes();
}

}  // namespace segmentum
