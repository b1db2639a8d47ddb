// The wire format of Protocol Buffers, both ways: the little of it that ONNX files are made of.
// https://protobuf.dev/programming-guides/encoding
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace segmentum {

/// The fields of one message, in the order of its bytes. Looks into the bytes and copies nothing.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  /// Moves on to the next field; false at the end. Throws Error where bytes are missing or no
  /// field can begin.
  bool next();
  int field() const { return field_; }

  // What the field holds; each throws Error where it is of another type on the wire.
  std::int64_t whole() const;
  float real() const;
  std::string_view bytes() const;
  /// Of a repeated field, one number or many packed ones, added to `numbers`.
  void append_to(std::vector<std::int64_t>& numbers) const;
  void append_to(std::vector<float>& numbers) const;
  bool is_packed() const { return type_ == Type::bytes; }

 private:
  enum class Type { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  void require(Type type) const;

  std::string_view rest_;
  int field_ = 0;
  Type type_ = Type::varint;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

/// A message in the making. What is large is not copied: `view` keeps somebody else's bytes, which
/// must outlive the writer.
class WireWriter {
 public:
  void whole(int field, std::int64_t number);
  void real(int field, float number);
  void text(int field, std::string_view bytes);
  void view(int field, std::string_view bytes);
  void message(int field, WireWriter&& inner);

  std::uint64_t size() const { return size_; }
  /// The message, in order; valid until the writer changes.
  std::vector<std::string_view> pieces() const;

 private:
  using Piece = std::variant<std::string, std::string_view>;  // own bytes, or others'
  void own(std::string_view bytes);
  void tag(int field, int type);
  void varint(std::uint64_t number);

  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace segmentum
