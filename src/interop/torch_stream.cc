// `.pth` before PyTorch 1.6: pickles of a magic number, a protocol number, the machine's types, the
// object and the keys of storages; then for each key an int64 count and the numbers.
#include <cstring>

#include "base/counted.h"
#include "interop/checkpoint_content.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Kind = PickleValue::Kind;

// 0x1950a86a20f9469cfc6c, least byte first.
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t kProtocol = 1001;

void read_prologue(std::string_view& rest) {
  const Pickled magic = unpickle(rest);
  if (magic.root.kind != Kind::bytes || magic.text(magic.root) != kMagic) {
    throw Error("is a pickle, but none of torch.save");
  }
  const Pickled protocol = unpickle(rest);
  if (protocol.root.kind != Kind::integer || protocol.root.number != kProtocol) {
    throw Error("is of another protocol of torch.save than " + std::to_string(kProtocol));
  }
  const Pickled machine = unpickle(rest);
  const PickleValue* little =
      machine.root.kind == Kind::dict ? machine.find(machine.root, "little_endian") : nullptr;
  if (little == nullptr || little->kind != Kind::boolean || little->number != 1) {
    throw Error("its numbers are big-endian, which is not read");
  }
}

/// Cuts the storages' bytes from `rest`, in the order of the keys.
std::vector<std::string_view> cut_storages(std::string_view rest, const Pickled& keys,
                                           const StorageTable& table) {
  if (keys.root.kind != Kind::list) throw Error("it has no list of storages");
  std::vector<std::string_view> cut(table.storages.size());
  std::vector<bool> is_there(table.storages.size());
  for (const PickleValue& key : keys.items(keys.root)) {
    const auto found =
        key.kind == Kind::text ? table.index.find(keys.text(key)) : table.index.end();
    if (found == table.index.end()) throw Error("it has a storage that no tensor uses");
    const StorageTable::Storage& storage = table.storages[found->second];
    const std::string name = "storage \"" + printable(storage.key) + "\"";
    if (is_there[found->second]) throw Error(name + " stands twice");
    std::uint64_t count = 0;
    if (rest.size() < sizeof count) throw Error("is cut short: " + name + " is not there");
    std::memcpy(&count, rest.data(), sizeof count);
    rest.remove_prefix(sizeof count);
    if (count != storage.count) {
      throw Error(name + " has " + counted(count, "number") + ", expected " +
                  std::to_string(storage.count));
    }
    if (rest.size() < storage.bytes()) {
      throw Error("is cut short: of the " + std::to_string(storage.bytes()) + " bytes of " + name +
                  ", " + std::to_string(rest.size()) + " are there");
    }
    cut[found->second] = rest.substr(0, storage.bytes());
    is_there[found->second] = true;
    rest.remove_prefix(storage.bytes());
  }
  for (std::size_t i = 0; i < is_there.size(); ++i) {
    if (!is_there[i]) {
      throw Error("storage \"" + printable(table.storages[i].key) + "\" is not in the file");
    }
  }
  return cut;
}

}  // namespace

CheckpointContent read_torch_stream(std::string_view bytes) {
  std::string_view rest = bytes;
  read_prologue(rest);
  const Pickled pickled = unpickle(rest);
  const Pickled keys = unpickle(rest);
  const StorageTable table = storages_of(pickled, bytes.size());
  CheckpointContent content{.format = "legacy stream of torch.save"};
  take_state_dict(pickled, table, content);
  content.storage_bytes = [storages = cut_storages(rest, keys, table)](std::size_t storage) {
    return storages[storage];
  };
  return content;
}

}  // namespace segmentum
