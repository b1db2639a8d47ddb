// `.pth` of PyTorch 1.6 and later: a zip of stored entries NAME/data.pkl and NAME/data/KEY.
#include <zip.h>

#include <cstring>
#include <memory>
#include <optional>

#include "interop/checkpoint_content.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A zip archive in memory, for reading.
class ZipArchive {
 public:
  explicit ZipArchive(std::string_view bytes) : file_bytes_(bytes.size()) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source != nullptr) {
      archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
      if (!archive_) zip_source_free(source);
    }
    const std::string problem = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (!archive_) throw Error("the zip archive is damaged: " + problem);
    list_entries();
  }

  const std::map<std::string, zip_uint64_t, std::less<>>& entries() const { return entries_; }

  /// The size of an entry that is stored as it is. Throws Error if it is not there, or if it is
  /// compressed or encrypted, which torch.save never does.
  std::uint64_t size(const std::string& name) const { return stat(name).size; }

  /// The bytes of such an entry, its checksum verified.
  std::string read(const std::string& name) const {
    const zip_stat_t entry = stat(name);
    const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(archive_.get(), entry.index, 0));
    if (!file) fail(name, zip_strerror(archive_.get()));
    std::string bytes(entry.size, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const zip_int64_t read = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
      if (read < 0) fail(name, zip_file_strerror(file.get()));
      if (read == 0) fail(name, "it is cut short");
      done += static_cast<std::size_t>(read);
    }
    char beyond = 0;  // only at the end is the checksum compared
    if (zip_fread(file.get(), &beyond, 1) != 0) fail(name, zip_file_strerror(file.get()));
    return bytes;
  }

 private:
  struct Close {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };

  [[noreturn]] static void fail(const std::string& name, const std::string& what) {
    throw Error("the zip archive is damaged at " + printable(name) + ": " + what);
  }

  void list_entries() {
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<zip_uint64_t>(i);
      const char* name = zip_get_name(archive_.get(), index, ZIP_FL_ENC_RAW);
      if (name == nullptr) throw Error("the zip archive is damaged: an entry has no name");
      if (!entries_.emplace(name, index).second) fail(name, "it stands twice");
    }
  }

  zip_stat_t stat(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) throw Error("the zip archive has no entry " + printable(name));
    zip_stat_t entry;
    zip_stat_init(&entry);
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(archive_.get(), found->second, 0, &entry) != 0 ||
        (entry.valid & kNeeded) != kNeeded) {
      fail(name, zip_strerror(archive_.get()));
    }
    if (entry.comp_method != ZIP_CM_STORE || entry.encryption_method != ZIP_EM_NONE) {
      throw Error("the entry " + printable(name) +
                  " of the zip archive is compressed or encrypted; torch.save stores entries as "
                  "they are, so save the checkpoint anew");
    }
    if (entry.size != entry.comp_size || entry.size > file_bytes_) {
      fail(name, "it claims " + std::to_string(entry.size) + " bytes");
    }
    return entry;
  }

  std::uint64_t file_bytes_;
  std::unique_ptr<zip_t, Close> archive_;
  std::map<std::string, zip_uint64_t, std::less<>> entries_;
};

/// "NAME/" of NAME/data.pkl: PyTorch puts all entries into one folder.
std::string archive_folder(const ZipArchive& archive) {
  std::optional<std::string> folder;
  for (const auto& [name, index] : archive.entries()) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos || name.substr(slash + 1) != "data.pkl") continue;
    if (folder) throw Error("the zip archive holds several checkpoints");
    folder = name.substr(0, slash + 1);
  }
  if (!folder) throw Error("is a zip archive without data.pkl, so no checkpoint of torch.save");
  if (archive.entries().contains(*folder + "constants.pkl")) {
    throw Error(
        "is a TorchScript program, not a checkpoint; in Python, "
        "torch.save(torch.jit.load(FILE).state_dict(), NEW) saves its weights alone");
  }
  return *folder;
}

/// Storages by index, the last one read kept: tensors that share one are mostly neighbours.
class ZipStorages {
 public:
  ZipStorages(std::shared_ptr<ZipArchive> archive, std::string folder, StorageTable table)
      : archive_(std::move(archive)), folder_(std::move(folder)), table_(std::move(table)) {}

  std::string_view operator()(std::size_t storage) {
    if (last_ != storage) {
      last_.reset();
      bytes_ = {};  // before the next is there
      bytes_ = archive_->read(folder_ + "data/" + table_.storages[storage].key);
      last_ = storage;
    }
    return bytes_;
  }

 private:
  std::shared_ptr<ZipArchive> archive_;
  std::string folder_;
  StorageTable table_;
  std::optional<std::size_t> last_;
  std::string bytes_;
};

}  // namespace

CheckpointContent read_torch_zip(std::string_view bytes) {
  auto archive = std::make_shared<ZipArchive>(bytes);
  const std::string folder = archive_folder(*archive);
  if (archive->entries().contains(folder + "byteorder") &&
      archive->read(folder + "byteorder") != "little") {
    throw Error("its numbers are big-endian, which is not read");
  }
  const std::string program = archive->read(folder + "data.pkl");
  std::string_view rest = program;
  const Pickled pickled = unpickle(rest);
  StorageTable table = storages_of(pickled, bytes.size());
  for (const StorageTable::Storage& storage : table.storages) {
    const std::uint64_t stored = archive->size(folder + "data/" + storage.key);
    if (stored != storage.bytes()) {
      throw Error("storage \"" + printable(storage.key) + "\" has " + std::to_string(stored) +
                  " bytes, expected " + std::to_string(storage.bytes()));
    }
  }
  CheckpointContent content{.format = "zip of torch.save"};
  take_state_dict(pickled, table, content);
  content.storage_bytes = ZipStorages(std::move(archive), folder, std::move(table));
  return content;
}

}  // namespace segmentum
