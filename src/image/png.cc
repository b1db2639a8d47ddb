#include <fmt/format.h>
#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "image/formats.h"
#include "image/row_window.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// libpng reports errors by longjmp. It may cross only frames without destructors, so every run of
// libpng calls stands in a `step` whose locals are trivial, and everything that owns memory lives
// outside of `run_step`.
struct PngProblem {
  char text[160] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* problem = static_cast<PngProblem*>(png_get_error_ptr(png));
  std::strncpy(problem->text, text, sizeof problem->text - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// True if `step` ran to its end.
template <typename Step>
bool run_step(png_structp png, const Step& step) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  step();
  return true;
}

struct PngSource {
  const std::byte* next;
  std::size_t left;
};

void take_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source->left) png_error(png, "it ends too early");
  std::memcpy(to, source->next, count);
  source->next += count;
  source->left -= count;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

void take_from_file(png_structp png, png_bytep to, std::size_t count) {
  auto* file = static_cast<std::FILE*>(png_get_io_ptr(png));
  if (std::fread(to, 1, count, file) != count) png_error(png, "it ends too early");
}

struct PngHeader {
  png_uint_32 height = 0;
  png_uint_32 width = 0;
  int bit_depth = 0;
  int colour_type = 0;
  int stored_channels = 0;
  int channels = 0;  // after expansion
  bool interlaced = false;
};

class PngReader {
 public:
  PngReader(png_rw_ptr take, void* source, const std::string& name)
      : name_(name), take_(take), source_(source) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &problem_, on_error, on_warning);
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error::in_file(name_, "not enough memory to read a PNG file");
    }
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Reads up to the pixels.
  PngHeader read_header(Purpose purpose) {
    PngHeader header;
    run([&] {
      png_set_read_fn(png_, source_, take_);
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // ours is on pixels
      png_read_info(png_, info_);
      header.height = png_get_image_height(png_, info_);
      header.width = png_get_image_width(png_, info_);
      header.bit_depth = png_get_bit_depth(png_, info_);
      header.colour_type = png_get_color_type(png_, info_);
      header.stored_channels = png_get_channels(png_, info_);
      header.channels = header.stored_channels;
      header.interlaced = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
      if (purpose == Purpose::picture && header.colour_type == PNG_COLOR_TYPE_PALETTE) {
        header.channels = png_get_valid(png_, info_, PNG_INFO_tRNS) != 0 ? 4 : 3;
      }
    });
    return header;
  }

  /// Fills `rows`, one pointer for each row of the form that `header` and `purpose` ask for.
  void read_pixels(const PngHeader& header, Purpose purpose, std::vector<png_bytep>& rows) {
    run([&] {
      choose_form(header, purpose);
      png_read_update_info(png_, info_);
      png_read_image(png_, rows.data());
      png_read_end(png_, nullptr);  // checks that the data are whole and their checksums right
    });
  }

  /// The same row by row; after `start_rows` one call for each row.
  void start_rows(const PngHeader& header) {
    run([&] {
      choose_form(header, Purpose::picture);
      png_start_read_image(png_);
    });
  }
  void read_row(png_bytep row) {
    run([&] { png_read_row(png_, row, nullptr); });
  }
  void finish() {
    run([&] { png_read_end(png_, nullptr); });
  }

  std::vector<Rgb> palette() const {
    png_colorp colours = nullptr;
    int count = 0;
    if (png_get_PLTE(png_, info_, &colours, &count) == 0) return {};
    std::vector<Rgb> palette;
    for (int i = 0; i < count; ++i) {
      palette.push_back({colours[i].red, colours[i].green, colours[i].blue});
    }
    return palette;
  }

 private:
  void choose_form(const PngHeader& header, Purpose purpose) {
    if (purpose == Purpose::mask) {
      png_set_packing(png_);  // one value a byte, as stored
    } else if (header.colour_type == PNG_COLOR_TYPE_PALETTE) {
      png_set_palette_to_rgb(png_);  // with alpha where there is a tRNS chunk
    } else if (header.bit_depth < 8) {
      png_set_expand_gray_1_2_4_to_8(png_);
    }
    if (header.bit_depth == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
    png_set_interlace_handling(png_);
  }

  template <typename Step>
  void run(const Step& step) {
    if (!run_step(png_, step)) {
      throw Error::in_file(name_, fmt::format("damaged PNG file: {}", problem_.text));
    }
  }

  const std::string& name_;
  png_rw_ptr take_;
  void* source_;
  PngProblem problem_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

PixelType pixel_type(const PngHeader& header) {
  return header.bit_depth == 16 ? PixelType::u16 : PixelType::u8;
}

/// Deflate gives back at most 1032 bytes for one, so a header that promises more than the file can
/// hold is found before memory is taken.
void check_plausible(const PngHeader& header, std::size_t file_bytes, const std::string& name) {
  const double bits =
      static_cast<double>(header.height) * header.width * header.stored_channels * header.bit_depth;
  if (bits / 8 > 1032.0 * file_bytes) {
    throw Error::in_file(
        name, fmt::format("damaged PNG file: its {} bytes cannot hold {}x{} pixels; is it cut off?",
                          file_bytes, header.width, header.height));
  }
}

class PngRows final : public RowWindow {
 public:
  explicit PngRows(const std::filesystem::path& path) : path_(path) {
    name_ = path.string();
    open();
    std::error_code code;
    check_plausible(header_, std::filesystem::file_size(path, code), name_);
    size_ = {static_cast<int>(header_.height), static_cast<int>(header_.width), header_.channels,
             pixel_type(header_)};
  }

  bool interlaced() const { return header_.interlaced; }

 private:
  void open() {
    reader_.reset();
    file_.reset(std::fopen(path_.c_str(), "rb"));
    if (file_ == nullptr) throw Error::in_file(name_, "cannot open");
    reader_ = std::make_unique<PngReader>(take_from_file, file_.get(), name_);
    header_ = reader_->read_header(Purpose::picture);
    check_size(name_, header_.height, header_.width, header_.channels, unlimited());
    next_ = 0;
  }

  void restart() override {
    if (next_ > 0) open();
    reader_->start_rows(header_);
  }
  void next_row(std::byte* row) override {
    reader_->read_row(reinterpret_cast<png_bytep>(row));
    if (++next_ == header_.height) reader_->finish();  // whole, and its checksums right
  }

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::unique_ptr<PngReader> reader_;
  PngHeader header_;
  png_uint_32 next_ = 0;
};

void append_bytes(png_structp png, png_bytep bytes, std::size_t count) {
  bool stored = false;
  try {
    static_cast<std::string*>(png_get_io_ptr(png))
        ->append(reinterpret_cast<const char*>(bytes), count);
    stored = true;
  } catch (const std::exception&) {
  }
  if (!stored) png_error(png, "not enough memory");
}

struct PngForm {
  int height;
  int width;
  int bit_depth;
  int colour_type;
  std::span<const Rgb> palette;
};

std::string encode(const PngForm& form, std::vector<png_bytep>& rows) {
  std::string file;
  PngProblem problem;
  std::vector<png_color> palette;
  for (const Rgb& colour : form.palette) palette.push_back({colour.r, colour.g, colour.b});
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &problem, on_error, on_warning);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  const bool written =
      info != nullptr && run_step(png, [&] {
        png_set_write_fn(png, &file, append_bytes, nullptr);
        png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        png_set_IHDR(png, info, static_cast<png_uint_32>(form.width),
                     static_cast<png_uint_32>(form.height), form.bit_depth, form.colour_type,
                     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        if (!palette.empty()) {
          png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
        }
        png_write_info(png, info);
        if (form.bit_depth == 16 && std::endian::native == std::endian::little) png_set_swap(png);
        png_write_image(png, rows.data());
        png_write_end(png, nullptr);
      });
  png_destroy_write_struct(&png, &info);
  if (!written) throw Error(fmt::format("cannot encode a PNG file: {}", problem.text));
  return file;
}

// libpng's row pointers are not const, but writing only reads through them.
png_bytep row_pointer(const void* row) {
  return static_cast<png_bytep>(const_cast<void*>(row));
}

}  // namespace

ImageSize png_size(std::span<const std::byte> start, const std::string& name) {
  PngSource source{start.data(), start.size()};
  const PngHeader header = PngReader(take_bytes, &source, name).read_header(Purpose::picture);
  return {static_cast<int>(header.height), static_cast<int>(header.width), header.channels,
          pixel_type(header)};
}

std::unique_ptr<PictureSource> open_png_rows(const std::filesystem::path& path) {
  auto rows = std::make_unique<PngRows>(path);
  if (rows->interlaced()) return nullptr;
  return rows;
}

RawMask decode_png(std::span<const std::byte> bytes, const std::string& name, Purpose purpose,
                   const ReadOptions& options) {
  PngSource source{bytes.data(), bytes.size()};
  PngReader reader(take_bytes, &source, name);
  const PngHeader header = reader.read_header(purpose);
  check_size(name, header.height, header.width, header.channels, options, pixel_type(header));
  check_plausible(header, bytes.size(), name);
  RawMask mask;
  mask.values = Image(static_cast<int>(header.height), static_cast<int>(header.width),
                      header.channels, pixel_type(header));
  std::vector<png_bytep> rows(header.height);
  for (int y = 0; y < mask.values.height(); ++y) rows[y] = mask.values.row<png_byte>(y);
  reader.read_pixels(header, purpose, rows);
  if (purpose == Purpose::mask && header.colour_type == PNG_COLOR_TYPE_PALETTE) {
    mask.palette = reader.palette();
  }
  return mask;
}

std::string encode_png(ImageView image) {
  constexpr int kColourTypes[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                  PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  if (image.channels < 1 || image.channels > 4 || image.type == PixelType::f32) {
    throw Error(fmt::format("a PNG file holds 1 to 4 channels of 8 or 16 bits, not {} of {}",
                            image.channels, image.type == PixelType::f32 ? "float" : "integers"));
  }
  std::vector<png_bytep> rows(image.height);
  for (int y = 0; y < image.height; ++y) rows[y] = row_pointer(image.row<png_byte>(y));
  return encode({image.height,
                 image.width,
                 static_cast<int>(8 * sample_bytes(image.type)),
                 kColourTypes[image.channels - 1],
                 {}},
                rows);
}

std::string encode_palette_png(std::span<const std::uint8_t> indices, int height, int width,
                               std::span<const Rgb> palette) {
  std::vector<png_bytep> rows(height);
  for (int y = 0; y < height; ++y) {
    rows[y] = row_pointer(indices.data() + static_cast<std::size_t>(y) * width);
  }
  return encode({height, width, 8, PNG_COLOR_TYPE_PALETTE, palette}, rows);
}

}  // namespace segmentum
