#include "interop/onnx/wire.h"

#include <bit>
#include <cstring>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kTypeBits = 3;
constexpr int kVarintBits = 7;  // of a byte of a varint; the highest says that more follow
constexpr unsigned kMore = 0x80;
constexpr int kLongestVarint = 10;

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < kLongestVarint && !bytes.empty(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & ~kMore) << (kVarintBits * i);
    if ((byte & kMore) == 0) return number;
  }
  throw Error("is cut short or damaged: a number has no end");
}

std::string_view take_bytes(std::string_view& bytes, std::uint64_t count) {
  if (count > bytes.size()) {
    throw Error("is cut short: a part of " + std::to_string(count) + " bytes is announced, " +
                std::to_string(bytes.size()) + " are left");
  }
  const std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

float as_float(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

}  // namespace

bool WireReader::next() {
  if (rest_.empty()) return false;
  const std::uint64_t key = take_varint(rest_);
  const std::uint64_t field = key >> kTypeBits;
  constexpr std::uint64_t kHighestField = (1u << 29) - 1;
  if (field == 0 || field > kHighestField) throw Error("is damaged: no field has number 0");
  field_ = static_cast<int>(field);
  type_ = static_cast<Type>(key & ((1u << kTypeBits) - 1));
  switch (type_) {
    case Type::varint:
      number_ = take_varint(rest_);
      return true;
    case Type::fixed64:
      number_ = little_endian(take_bytes(rest_, sizeof(std::uint64_t)));
      return true;
    case Type::fixed32:
      number_ = little_endian(take_bytes(rest_, sizeof(std::uint32_t)));
      return true;
    case Type::bytes:
      bytes_ = take_bytes(rest_, take_varint(rest_));
      return true;
  }
  throw Error("is damaged: field " + std::to_string(field_) + " is of no known type");
}

void WireReader::require(Type type) const {
  if (type_ != type) {
    throw Error("is damaged: field " + std::to_string(field_) + " is of another type than ONNX's");
  }
}

std::int64_t WireReader::whole() const {
  require(Type::varint);
  return static_cast<std::int64_t>(number_);
}

float WireReader::real() const {
  require(Type::fixed32);
  return as_float(number_);
}

std::string_view WireReader::bytes() const {
  require(Type::bytes);
  return bytes_;
}

void WireReader::append_to(std::vector<std::int64_t>& numbers) const {
  if (!is_packed()) {
    numbers.push_back(whole());
    return;
  }
  for (std::string_view rest = bytes_; !rest.empty();) {
    numbers.push_back(static_cast<std::int64_t>(take_varint(rest)));
  }
}

void WireReader::append_to(std::vector<float>& numbers) const {
  if (!is_packed()) {
    numbers.push_back(real());
    return;
  }
  for (std::string_view rest = bytes_; !rest.empty();) {
    numbers.push_back(as_float(little_endian(take_bytes(rest, sizeof(float)))));
  }
}

void WireWriter::own(std::string_view bytes) {
  if (pieces_.empty() || !std::holds_alternative<std::string>(pieces_.back())) {
    pieces_.emplace_back(std::string());
  }
  std::get<std::string>(pieces_.back()) += bytes;
  size_ += bytes.size();
}

void WireWriter::varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= kMore; number >>= kVarintBits) {
    bytes += static_cast<char>((number & (kMore - 1)) | kMore);
  }
  own(bytes += static_cast<char>(number));
}

void WireWriter::tag(int field, int type) {
  varint(static_cast<std::uint64_t>(field) << kTypeBits | static_cast<std::uint64_t>(type));
}

void WireWriter::whole(int field, std::int64_t number) {
  tag(field, 0);
  varint(static_cast<std::uint64_t>(number));
}

void WireWriter::real(int field, float number) {
  tag(field, 5);
  own({reinterpret_cast<const char*>(&number), sizeof number});
}

void WireWriter::text(int field, std::string_view bytes) {
  tag(field, 2);
  varint(bytes.size());
  own(bytes);
}

void WireWriter::view(int field, std::string_view bytes) {
  tag(field, 2);
  varint(bytes.size());
  if (bytes.empty()) return;
  pieces_.emplace_back(bytes);
  size_ += bytes.size();
}

void WireWriter::message(int field, WireWriter&& inner) {
  tag(field, 2);
  varint(inner.size_);
  for (Piece& piece : inner.pieces_) {
    if (const auto* bytes = std::get_if<std::string>(&piece)) {
      own(*bytes);
    } else {
      size_ += std::get<std::string_view>(piece).size();
      pieces_.push_back(piece);
    }
  }
}

std::vector<std::string_view> WireWriter::pieces() const {
  std::vector<std::string_view> all;
  for (const Piece& piece : pieces_) {
    all.push_back(std::visit([](const auto& bytes) { return std::string_view(bytes); }, piece));
  }
  return all;
}

}  // namespace segmentum
