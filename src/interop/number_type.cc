#include "interop/number_type.h"

#include <algorithm>
#include <array>

namespace segmentum {
namespace {

struct TypeRow {
  NumberType type;
  std::int64_t bytes;
  std::string_view name;
  std::string_view storage_class;
  std::string_view safetensors;
};

constexpr std::array kTypes{
    TypeRow{NumberType::f64, 8, "float64", "DoubleStorage", "F64"},
    TypeRow{NumberType::f32, 4, "float32", "FloatStorage", "F32"},
    TypeRow{NumberType::f16, 2, "float16", "HalfStorage", "F16"},
    TypeRow{NumberType::bf16, 2, "bfloat16", "BFloat16Storage", "BF16"},
    TypeRow{NumberType::i64, 8, "int64", "LongStorage", "I64"},
    TypeRow{NumberType::i32, 4, "int32", "IntStorage", "I32"},
    TypeRow{NumberType::i16, 2, "int16", "ShortStorage", "I16"},
    TypeRow{NumberType::i8, 1, "int8", "CharStorage", "I8"},
    TypeRow{NumberType::u8, 1, "uint8", "ByteStorage", "U8"},
    TypeRow{NumberType::boolean, 1, "bool", "BoolStorage", "BOOL"},
    TypeRow{NumberType::other, 0, "of another type", "", ""},
};

const TypeRow& row_of(NumberType type) {
  return *std::ranges::find(kTypes, type, &TypeRow::type);
}

}  // namespace

std::int64_t bytes_of(NumberType type) {
  return row_of(type).bytes;
}

std::string_view name_of(NumberType type) {
  return row_of(type).name;
}

std::optional<NumberType> type_of_storage_class(std::string_view name) {
  const auto* const row = std::ranges::find(kTypes, name, &TypeRow::storage_class);
  if (row == kTypes.end() || row->type == NumberType::other) return std::nullopt;
  return row->type;
}

NumberType type_of_safetensors(std::string_view name) {
  const auto* const row = std::ranges::find(kTypes, name, &TypeRow::safetensors);
  return row == kTypes.end() ? NumberType::other : row->type;
}

}  // namespace segmentum
