// Python's pickles, read as plain data: what torch.save writes, and nothing that could run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interop/number_type.h"

namespace segmentum {

/// One value of a pickle. Everything but numbers lies in a list of `Pickled`; `place` is its index
/// there, so that values that contain each other, or themselves, need no care.
struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    bytes,   // bytes, and whole numbers of more than 64 bits, as stored
    tuple,   // tuple, torch.Size
    list,    // list, set
    dict,    // dict, OrderedDict, Counter
    record,  // argparse.Namespace: names and values that are no dict to Python
    global,  // a class or function of the allow-list
    storage,
    tensor
  };
  Kind kind = Kind::none;
  std::uint32_t place = 0;
  std::int64_t number = 0;  // of a boolean or an integer; a real number's value is not kept
};

/// A storage as its persistent id tells of it: ('storage', class, key, location, count, view).
struct PickledStorage {
  NumberType type = NumberType::f32;
  std::string_view key;
  std::int64_t count = 0;   // numbers in the whole storage
  std::int64_t offset = 0;  // of the view on it, in numbers: files of PyTorch 0.3 have views
  std::int64_t view_count = 0;
};

/// Arguments of torch._utils._rebuild_tensor_v2; extents and strides are in numbers.
struct PickledTensor {
  std::uint32_t storage = 0;  // index into Pickled::storages
  std::int64_t offset = 0;
  std::uint32_t shape = 0;  // indices into Pickled::sequences: tuples of as many whole numbers
  std::uint32_t strides = 0;
};

/// What a pickle holds. Texts look into the pickle's own bytes and live as long as these.
struct Pickled {
  using Pair = std::pair<PickleValue, PickleValue>;

  PickleValue root;
  std::vector<std::string_view> texts;              // of texts and bytes
  std::vector<std::vector<PickleValue>> sequences;  // of tuples and lists
  std::vector<std::vector<Pair>> dicts;  // of dicts and records, in the order of the file
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;

  std::string_view text(const PickleValue& value) const { return texts[value.place]; }
  const std::vector<PickleValue>& items(const PickleValue& value) const {
    return sequences[value.place];
  }
  const std::vector<Pair>& pairs(const PickleValue& value) const { return dicts[value.place]; }
  /// The value of the text `key` in a dict, the last if there are several; null where it is absent.
  const PickleValue* find(const PickleValue& dict, std::string_view key) const;
};

/// Reads one pickle of protocol 2 to 5 from the front of `bytes` and takes it off them.
///
/// Nothing is imported, called or executed: a few names (OrderedDict, _rebuild_tensor_v2, the
/// storage classes, ...) are known and turned into data; any other is an Error that names it.
/// Memory is bounded by the file's size and by limits on operations, objects and the stack.
/// https://docs.python.org/3/library/pickletools.html
Pickled unpickle(std::string_view& bytes);

/// `text` for a message: at most `longest` bytes, with "?" for what is not printable ASCII.
std::string printable(std::string_view text, std::size_t longest = 80);

}  // namespace segmentum
