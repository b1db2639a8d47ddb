// The types of number that checkpoints hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace segmentum {

enum class NumberType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean, other };

std::int64_t bytes_of(NumberType type);  // of one number; 0 for `other`
/// PyTorch's word: "float32", "bfloat16", "int64", ...
std::string_view name_of(NumberType type);

/// Of torch.FloatStorage and its kin, by the name of the class.
std::optional<NumberType> type_of_storage_class(std::string_view name);
/// Of safetensors: "F32", "BF16", ...; `other` for what only the format's header checks.
NumberType type_of_safetensors(std::string_view name);

}  // namespace segmentum
