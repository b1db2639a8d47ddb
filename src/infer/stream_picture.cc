#include "infer/stream_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "base/counted.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/threads.h"
#include "graph/graph_json.h"
#include "image/label_tiff.h"
#include "image/picture_source.h"
#include "infer/band_labels.h"
#include "infer/blended_labels.h"
#include "infer/make_segmenter.h"
#include "infer/region_labels.h"
#include "infer/stored_values.h"
#include "infer/stream_cut.h"
#include "infer/stream_proof.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kNoData = 42113;
constexpr std::string_view kDescription = "label map: ";  // before what a file is of

/// FNV-1a, 64 bits: tells files apart, proves nothing.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    }
    return *this;
  }
  Fingerprint& add(std::span<const float> numbers) {
    return add({reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()});
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

std::uint64_t fingerprint_of(Network& network) {
  Fingerprint print;
  print.add(to_json(network.graph()));
  for (const auto& [name, parameter] : network.parameters().all()) {
    print.add(name).add(parameter.value.values());
  }
  const Preprocess& preprocess = network.model().preprocess;
  return print.add(preprocess.mean).add(preprocess.std).value();
}

/// Size, time of the last change and both ends of the file.
std::uint64_t fingerprint_of(const fs::path& path) {
  Fingerprint print;
  const auto size = static_cast<std::int64_t>(fs::file_size(path));
  const auto changed = fs::last_write_time(path).time_since_epoch().count();
  print.add(fmt::format("{} {}", size, changed));
  constexpr std::int64_t kEnd = 1 << 16;
  for (const std::int64_t at : {std::int64_t{0}, std::max<std::int64_t>(size - kEnd, 0)}) {
    print.add(read_file_part(path, at, kEnd));
  }
  return print.value();
}

LabelTiffForm form_of(const PictureSource& picture, const StoredValues& values,
                      const std::string& identity) {
  LabelTiffForm form{.height = picture.size().height,
                     .width = picture.size().width,
                     .type = values.type,
                     .palette = values.palette,
                     .description = std::string(kDescription) + identity,
                     .tags = picture.geo_tags()};
  for (TiffTag& tag : form.tags) {
    if (tag.number != kNoData) continue;
    tag.bytes = std::to_string(values.ignore) + '\0';
    tag.count = tag.bytes.size();
  }
  return form;
}

/// One streamed picture.
class Stream {
 public:
  Stream(const Segmenter& segmenter, const fs::path& picture, const fs::path& out,
         const StreamOptions& options, ProgressSink* progress)
      : network_(network_of(segmenter)),
        out_(out),
        options_(options),
        progress_(progress),
        picture_(open_picture(picture)),
        values_(options.source_values ? source_values(segmenter) : index_values(segmenter)),
        identity_(fmt::format(
            "picture {:016x}, model {:016x}, {}{}{}{}", fingerprint_of(picture),
            fingerprint_of(*network_), options.source_values ? "source values" : "class indices",
            network_->options().exact ? ", exact" : "",
            network_->options().flip ? ", flipped too" : "",
            options.blend_px > 0 ? fmt::format(", blended by {}", options.blend_px) : "")) {
    if (network_->options().crf) {
      throw Error(
          "a CRF looks at the whole picture at once and cannot be streamed; without --crf, or with "
          "--stream never and memory for all of it, it would work");
    }
    if (!network_->options().scales.empty()) {
      throw Error(
          "a streamed picture is segmented at its own size alone; without --scales, or with "
          "--stream never and memory for all of it, it would work");
    }
    if (options.blend_px == 0) exact_.emplace(*network_, *picture_);  // or throws what prevents it
  }

  void run() {
    claim();
    const std::optional<StreamCut> finished = options_.resume ? finished_cut() : std::nullopt;
    if (finished) {
      LabelTiffWriter::remove_journal(out_);
      tell("is finished already");
    }
    const StreamCut cut = finished ? *finished : write();
    if (options_.proofs == 0) return;
    const StreamProof proof{.parts = options_.proofs, .seed = Fingerprint().add(identity_).value()};
    const std::int64_t pixels = proof.run(*network_, *exact_, cut.grid, values_, out_, progress_);
    tell(
        fmt::format("is proved: {} at random places, {} pixels, all the same when cut in another "
                    "way",
                    counted(options_.proofs, "part"), pixels));
  }

 private:
  StreamCut write() {
    const StreamCut cut = begin();
    begin_progress(cut.grid);
    if (options_.blend_px > 0) {
      write_blended(cut.grid);
    } else if (cut.band_rows > 0) {
      write_bands(cut);
    } else {
      write_tiles(cut.grid);
    }
    if (progress_) progress_->end();
    writer_->finish();
    writer_.reset();
    return cut;
  }

  std::string identity_of(const StreamCut& cut) const { return identity_ + ", " + cut.text(); }

  /// How the run went about it that an identity is of; none where it is another's.
  std::optional<StreamCut> cut_in(const std::string& identity) const {
    const std::string start = identity_ + ", ";
    if (!identity.starts_with(start)) return std::nullopt;
    const ImageSize& size = picture_->size();
    return StreamCut::parse(identity.substr(start.size()), size.height, size.width);
  }

  /// Of an earlier run that came to its end.
  std::optional<StreamCut> finished_cut() const {
    std::error_code code;
    if (!fs::exists(out_, code) || LabelTiffWriter::unfinished(out_)) return std::nullopt;
    try {
      const std::string description = tiff_description(out_);
      if (!description.starts_with(kDescription)) return std::nullopt;
      return cut_in(description.substr(kDescription.size()));
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void tell(const std::string& what) const {
    if (progress_) progress_->message(out_.string() + " " + what);
  }

  /// Two that write the same file would mix their tiles.
  void claim() {
    require_writable_folder(out_.has_parent_path() ? out_.parent_path() : fs::path("."));
    lock_.emplace(out_.string() + ".part.lock");
    if (lock_->is_ours()) return;
    throw Error::in_file(out_.string(), "is being written by " + lock_->holder() +
                                            "; wait for it, stop it, or choose another folder");
  }

  Error of_another_run() const {
    return Error::in_file(out_.string() + ".part",
                          "is of another picture, model or option, so --resume cannot go on with "
                          "it; delete it to begin anew");
  }

  /// Opens the file; of a run that was broken off, with its parts.
  StreamCut begin() {
    const std::optional<std::string> left = LabelTiffWriter::unfinished(out_);
    const std::string part = out_.string() + ".part";
    if (left && !options_.resume) {
      throw Error::in_file(
          part,
          "is what an earlier run left; --resume goes on with it, or delete it to begin anew");
    }
    const std::optional<StreamCut> begun = left ? cut_in(*left) : std::nullopt;
    if (left && !begun) {
      throw of_another_run();
    }
    const StreamCut cut = begun ? *begun : choose_cut(*network_, *picture_, options_.blend_px);
    const std::string identity = identity_of(cut);
    writer_.emplace(out_, form_of(*picture_, values_, identity), identity, left.has_value());
    return cut;
  }

  /// Counts pixels, told as megapixels.
  void begin_progress(const TileGrid& grid) {
    left_px_ = done_px_ = 0;
    int done = 0;
    for (int i = 0; i < grid.count(); ++i) {
      const PixelRect part = grid.part(i);
      const bool written = is_written(part);
      done += written ? 1 : 0;
      left_px_ += written ? 0 : std::int64_t{part.height} * part.width;
    }
    if (done > 0) tell(fmt::format("goes on: {} of {} parts are there", done, grid.count()));
    if (!progress_) return;
    progress_->begin("segment " + out_.filename().string(), megapixels(left_px_), "megapixel");
  }

  static std::int64_t megapixels(std::int64_t pixels) {
    return std::max<std::int64_t>((pixels + 500000) / 1000000, 1);
  }

  bool is_written(const PixelRect& part) const { return writer_->has(part.y, part.x); }

  void write_part(const TileGrid& grid, const PixelRect& part, const LabelMap& labels) {
    if (is_written(part)) return;
    writer_->write(part.y, part.x, values_.image_of(labels));
    done_px_ += std::int64_t{part.height} * part.width;
    if (!progress_) return;
    progress_->update(done_px_ == left_px_ ? megapixels(left_px_) : done_px_ / 1000000,
                      fmt::format("parts of {}x{}", grid.columns, grid.rows));
  }

  void stop_if_asked() {
    if (!progress_ || !progress_->stop_requested()) return;
    progress_->end();
    progress_->message(out_.string() + ".part holds what is done; --resume goes on with it");
    throw Interrupted();
  }

  void write_tiles(const TileGrid& grid) {
    for (int i = 0; i < grid.count(); ++i) {
      const PixelRect part = grid.part(i);
      if (is_written(part)) continue;
      stop_if_asked();
      write_part(grid, part, exact_->labels(part));
    }
  }

  /// The first of a column's parts that is not written, or how many there are.
  int first_missing(const TileGrid& grid, int across) const {
    int down = 0;
    while (down < grid.count_down() && is_written(grid.part(down, across))) ++down;
    return down;
  }

  void write_bands(const StreamCut& cut) {
    const TileGrid& grid = cut.grid;
    const auto workspace = std::make_shared<Workspace>();
    for (int across = 0; across < grid.count_across(); ++across) {
      const int down = first_missing(grid, across);
      if (down == grid.count_down()) continue;
      const PixelRect top = grid.part(0, across);
      auto bands = BandLabels::make(*network_, *picture_, {top.x, top.x + top.width}, cut.band_rows,
                                    workspace);
      if (!bands) throw of_another_run();
      bands->walk(grid, down, across, [&](const PixelRect& part, const LabelMap& labels) {
        write_part(grid, part, labels);
        stop_if_asked();
      });
    }
  }

  void write_blended(const TileGrid& grid) {
    int first = 0;
    const auto row_is_there = [&](int down) {
      for (int across = 0; across < grid.count_across(); ++across) {
        if (!is_written(grid.part(down, across))) return false;
      }
      return true;
    };
    while (first < grid.count_down() && row_is_there(first)) ++first;
    if (first == grid.count_down()) return;
    BlendedLabels blended(*network_, *picture_, grid, options_.blend_px);
    blended.walk(first, [&](const PixelRect& part, const LabelMap& labels) {
      write_part(grid, part, labels);
      stop_if_asked();
    });
  }

  std::shared_ptr<Network> network_;
  fs::path out_;
  StreamOptions options_;
  ProgressSink* progress_;
  std::unique_ptr<PictureSource> picture_;
  StoredValues values_;
  std::string identity_;
  std::optional<RegionLabels> exact_;  // without blending
  std::optional<FileLock> lock_;
  std::optional<LabelTiffWriter> writer_;
  std::int64_t left_px_ = 0, done_px_ = 0;
};

}  // namespace

std::int64_t whole_bytes(const fs::path& picture) {
  const ImageSize size = image_size(picture);
  const std::int64_t pixels = std::int64_t{size.height} * size.width;
  return pixels *
         (std::int64_t{size.channels} * static_cast<std::int64_t>(sample_bytes(size.type)) +
          static_cast<std::int64_t>(sizeof(std::uint16_t)));
}

void stream_picture(const Segmenter& segmenter, const fs::path& picture, const fs::path& out,
                    const StreamOptions& options, ProgressSink* progress) {
  if (options.blend_px > 0 && options.proofs > 0) {
    throw Error(
        "--proof compares parts cut in another way, which gives another blend; it does not "
        "go with --blend");
  }
  const ThreadsInScope scope(segmenter.options().threads);
  try {
    Stream(segmenter, picture, out, options, progress).run();
  } catch (const fs::filesystem_error& error) {
    throw Error::in_file(picture.string(), error.code().message());
  }
}

}  // namespace segmentum
