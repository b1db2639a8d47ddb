// JPEG files row by row, by libjpeg itself: turbojpeg decodes whole pictures alone. The same
// library does the work underneath, so the samples are the same.
#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

// libjpeg's header asks for these to stand before it.
#include <jpeglib.h>

#include "image/formats.h"
#include "image/row_window.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// libjpeg reports errors by longjmp, which may cross only frames without destructors: see png.cc.
struct JpegProblem {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX] = "";
};

JpegProblem& problem_of(j_common_ptr jpeg) {
  return *reinterpret_cast<JpegProblem*>(jpeg->err);  // its first member
}

[[noreturn]] void on_error(j_common_ptr jpeg) {
  JpegProblem& problem = problem_of(jpeg);
  jpeg->err->format_message(jpeg, problem.text);
  std::longjmp(problem.jump, 1);
}

/// As for whole pictures: a missing end is an error, and missing or undecodable data are where
/// nothing else was wrong before. Stray bytes between segments are harmless and common.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  const auto says = [&](const char* what) { return std::strstr(text, what) != nullptr; };
  const bool first = jpeg->err->num_warnings++ == 0;
  const bool data = says("premature end") || says("bad Huffman code") || says("bad arithmetic");
  if (says("Premature end of JPEG file") || (first && data)) {
    on_error(jpeg);
  }
}

template <typename Step>
bool run_step(JpegProblem& problem, const Step& step) {
  if (setjmp(problem.jump) != 0) return false;
  step();
  return true;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

struct Decompressor : jpeg_decompress_struct {
  Decompressor() : jpeg_decompress_struct{} {}
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(this); }
};

class JpegRows final : public RowWindow {
 public:
  explicit JpegRows(const std::filesystem::path& path) : path_(path) {
    name_ = path.string();
    problem_.manager = {};
    jpeg_.err = jpeg_std_error(&problem_.manager);
    problem_.manager.error_exit = on_error;
    problem_.manager.emit_message = on_message;
    run([&] { jpeg_create_decompress(&jpeg_); });
    open();
    size_ = {static_cast<int>(jpeg_.image_height), static_cast<int>(jpeg_.image_width),
             jpeg_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3, PixelType::u8};
    check_size(name_, size_.height, size_.width, size_.channels, unlimited());
  }

  bool progressive() { return jpeg_has_multiple_scans(&jpeg_) != 0; }
  bool rgb_or_grey() const {
    return jpeg_.jpeg_color_space != JCS_CMYK && jpeg_.jpeg_color_space != JCS_YCCK;
  }

 private:
  void open() {
    file_.reset(std::fopen(path_.c_str(), "rb"));
    if (file_ == nullptr) throw Error::in_file(name_, "cannot open");
    run([&] {
      jpeg_abort_decompress(&jpeg_);
      jpeg_stdio_src(&jpeg_, file_.get());
      jpeg_read_header(&jpeg_, TRUE);
    });
    started_ = false;
  }

  void restart() override {
    if (started_) open();
    run([&] {
      jpeg_.dct_method = JDCT_ISLOW;
      jpeg_.out_color_space = size_.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
      jpeg_start_decompress(&jpeg_);
    });
    started_ = true;
  }
  void next_row(std::byte* row) override {
    auto* samples = reinterpret_cast<JSAMPROW>(row);
    run([&] {
      jpeg_read_scanlines(&jpeg_, &samples, 1);
      if (jpeg_.output_scanline == jpeg_.output_height) jpeg_finish_decompress(&jpeg_);
    });
  }

  template <typename Step>
  void run(const Step& step) {
    if (!run_step(problem_, step)) {
      throw Error::in_file(name_, fmt::format("damaged JPEG file: {}", problem_.text));
    }
  }

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  JpegProblem problem_;
  Decompressor jpeg_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<PictureSource> open_jpeg_rows(const std::filesystem::path& path) {
  auto rows = std::make_unique<JpegRows>(path);
  if (rows->progressive() || !rows->rgb_or_grey()) return nullptr;
  return rows;
}

}  // namespace segmentum
