// Pictures, label maps and palettes: the plain values that go in and come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace segmentum {

/// The type of one sample of a picture.
enum class PixelType : std::uint8_t { u8, u16, f32 };

/// Bytes of one sample.
constexpr std::size_t sample_bytes(PixelType type) {
  return type == PixelType::u8 ? 1 : type == PixelType::u16 ? 2 : 4;
}

/// A picture that somebody else owns: rows of `width` pixels of `channels` interleaved samples.
/// Channel order is the file's own: grey, grey+alpha, RGB, RGBA, or N bands.
struct ImageView {
  const void* data = nullptr;
  int height = 0;
  int width = 0;
  int channels = 0;
  PixelType type = PixelType::u8;
  std::ptrdiff_t row_stride_bytes = 0;  // 0: rows are packed

  std::ptrdiff_t stride() const {
    return row_stride_bytes != 0
               ? row_stride_bytes
               : static_cast<std::ptrdiff_t>(sample_bytes(type)) * width * channels;
  }
  template <typename T>
  const T* row(int y) const {
    return reinterpret_cast<const T*>(static_cast<const std::byte*>(data) + y * stride());
  }
};

/// A picture [H,W,C] that owns its samples, packed.
class Image {
 public:
  Image() = default;
  /// Zero-filled. Throws Error unless all sides are positive.
  Image(int height, int width, int channels, PixelType type = PixelType::u8);

  int height() const { return height_; }
  int width() const { return width_; }
  int channels() const { return channels_; }
  PixelType type() const { return type_; }
  bool empty() const { return data_.empty(); }
  std::size_t row_bytes() const { return sample_bytes(type_) * width_ * channels_; }

  std::byte* data() { return data_.data(); }
  const std::byte* data() const { return data_.data(); }
  template <typename T>
  T* row(int y) {
    return reinterpret_cast<T*>(data_.data() + y * row_bytes());
  }
  template <typename T>
  const T* row(int y) const {
    return reinterpret_cast<const T*>(data_.data() + y * row_bytes());
  }
  ImageView view() const { return {data_.data(), height_, width_, channels_, type_, 0}; }
  operator ImageView() const { return view(); }

 private:
  int height_ = 0;
  int width_ = 0;
  int channels_ = 0;
  PixelType type_ = PixelType::u8;
  std::vector<std::byte> data_;
};

/// The label of a pixel that counts nowhere.
inline constexpr std::uint16_t kIgnoreLabel = 65535;

/// A class index for each pixel: 0..K-1 or `kIgnoreLabel`. Not an image: it is never interpolated.
class LabelMap {
 public:
  LabelMap() = default;
  /// Filled with `label`. Throws Error unless both sides are positive.
  LabelMap(int height, int width, std::uint16_t label = 0);

  int height() const { return height_; }
  int width() const { return width_; }
  bool empty() const { return labels_.empty(); }
  std::uint16_t* row(int y) { return labels_.data() + static_cast<std::size_t>(y) * width_; }
  const std::uint16_t* row(int y) const {
    return labels_.data() + static_cast<std::size_t>(y) * width_;
  }
  std::uint16_t& operator()(int y, int x) { return row(y)[x]; }
  std::uint16_t operator()(int y, int x) const { return row(y)[x]; }
  std::span<std::uint16_t> labels() { return labels_; }
  std::span<const std::uint16_t> labels() const { return labels_; }
  bool operator==(const LabelMap&) const = default;

 private:
  int height_ = 0;
  int width_ = 0;
  std::vector<std::uint16_t> labels_;
};

/// One colour, 8 bits a channel.
struct Rgb {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const Rgb&) const = default;
};

/// The colour of each class index; ignored pixels are drawn in `ignore`.
struct Palette {
  std::vector<Rgb> colours;
  Rgb ignore{224, 224, 192};

  /// PASCAL VOC's colour map (bits of the index spread over the channels), `count` entries.
  static Palette voc(int count);
  Rgb operator[](std::uint16_t label) const {
    return label < colours.size() ? colours[label] : ignore;
  }
};

}  // namespace segmentum
