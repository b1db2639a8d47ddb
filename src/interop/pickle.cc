#include "interop/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "interop/pickle_machine.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

static_assert(std::endian::native == std::endian::little, "pickles are little-endian");

// Opcodes by the names of Python's pickletools.
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96
};

std::string hexadecimal(unsigned char value) {
  constexpr const char* kDigits = "0123456789abcdef";
  return {'0', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

/// A whole number in two's complement, least byte first, of at most eight bytes.
std::int64_t small_long(std::string_view bytes) {
  std::uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  std::string result(text.substr(0, longest));
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.size() > longest ? result + "..." : result;
}

const PickleValue* Pickled::find(const PickleValue& dict, std::string_view key) const {
  const PickleValue* found = nullptr;
  for (const auto& [name, value] : pairs(dict)) {
    if (name.kind == PickleValue::Kind::text && text(name) == key) found = &value;
  }
  return found;
}

Pickled unpickle(std::string_view& bytes) {
  PickleMachine machine(bytes);
  Pickled result = machine.run();
  bytes.remove_prefix(machine.position());
  return result;
}

void PickleMachine::fail(const std::string& what) const {
  throw Error("its pickle " + what + " (byte " + std::to_string(position_) + ")");
}

std::string_view PickleMachine::take(std::uint64_t count) {
  if (count > bytes_.size() - position_) fail("is cut short");
  const std::string_view taken = bytes_.substr(position_, count);
  position_ += count;
  return taken;
}

std::string_view PickleMachine::take_line() {
  const std::size_t end = bytes_.find('\n', position_);
  if (end == std::string_view::npos) fail("is cut short");
  const std::string_view line = take(end - position_);
  ++position_;
  return line;
}

template <typename Number>
Number PickleMachine::take_number() {
  Number number;
  std::memcpy(&number, take(sizeof number).data(), sizeof number);
  return number;
}

void PickleMachine::spend(std::size_t operations) {
  operations_ += operations;
  if (operations_ > kMostOperations) fail("takes more steps than that of any checkpoint");
}

void PickleMachine::count_objects(std::size_t count) {
  objects_ += count;
  if (objects_ > kMostObjects) fail("holds more objects than that of any checkpoint");
}

void PickleMachine::push(const PickleValue& value) {
  if (stack_.size() >= kDeepestStack) fail("stacks more values than that of any checkpoint");
  stack_.push_back(value);
}

PickleValue& PickleMachine::top() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) fail("uses a value that is not there");
  return stack_.back();
}

PickleValue PickleMachine::pop() {
  const PickleValue value = top();
  stack_.pop_back();
  return value;
}

std::vector<PickleValue> PickleMachine::pop_to_mark() {
  if (marks_.empty()) fail("uses a mark that is not there");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  marks_.pop_back();
  std::vector<PickleValue> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return items;
}

void PickleMachine::push_tuple(std::size_t count) {
  std::vector<PickleValue> items(count);
  for (std::size_t i = count; i-- > 0;) items[i] = pop();
  push(add(Kind::tuple, result_.sequences, std::move(items)));
}

void PickleMachine::append(std::vector<PickleValue> items) {
  if (top().kind != Kind::list) fail("appends to what is no list");
  auto& list = result_.sequences[top().place];
  list.insert(list.end(), items.begin(), items.end());
}

void PickleMachine::set_items(const std::vector<PickleValue>& items) {
  if (items.size() % 2 != 0) fail("has a key without a value");
  if (top().kind != Kind::dict) fail("sets an item of what is no dict");
  auto& dict = result_.dicts[top().place];
  for (std::size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
}

void PickleMachine::memoize(std::uint32_t index) {
  if (memo_.size() >= kMostObjects) fail("remembers more objects than that of any checkpoint");
  memo_[index] = top();
}

Pickled PickleMachine::run() {
  for (;;) {
    spend(1);
    const auto opcode = static_cast<unsigned char>(take(1)[0]);
    if (opcode == kStop) break;
    execute(opcode);
  }
  result_.root = pop();
  return std::move(result_);
}

void PickleMachine::execute(unsigned char opcode) {
  if (push_scalar(opcode) || push_text(opcode) || build_container(opcode) || use_memo(opcode) ||
      use_global(opcode)) {
    return;
  }
  fail("has the opcode " + hexadecimal(opcode) +
       ", which torch.save does not write for tensors and plain containers");
}

bool PickleMachine::push_scalar(unsigned char opcode) {
  const auto integer = [&](std::int64_t number) {
    push({.kind = Kind::integer, .number = number});
  };
  const auto whole_number = [&](std::string_view bytes) {
    if (bytes.size() <= sizeof(std::int64_t)) return integer(small_long(bytes));
    push(add(Kind::bytes, result_.texts, bytes));
  };
  switch (opcode) {
    case kProto: {
      const int protocol = take_number<std::uint8_t>();
      if (protocol < 2 || protocol > 5) {
        fail("is of protocol " + std::to_string(protocol) + "; 2 to 5 are read");
      }
      return true;
    }
    case kFrame:
      take(sizeof(std::uint64_t));  // how much Python reads ahead
      return true;
    case kNone:
      push({});
      return true;
    case kNewTrue:
    case kNewFalse:
      push({.kind = Kind::boolean, .number = opcode == kNewTrue});
      return true;
    case kBinInt:
      integer(take_number<std::int32_t>());
      return true;
    case kBinInt1:
      integer(take_number<std::uint8_t>());
      return true;
    case kBinInt2:
      integer(take_number<std::uint16_t>());
      return true;
    case kBinFloat:
      take(sizeof(double));
      push({.kind = Kind::real});
      return true;
    case kLong1:
      whole_number(take(take_number<std::uint8_t>()));
      return true;
    case kLong4:
      whole_number(take(take_number<std::uint32_t>()));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::push_text(unsigned char opcode) {
  const auto text = [&](Kind kind, std::uint64_t length) {
    push(add(kind, result_.texts, take(length)));
    return true;
  };
  switch (opcode) {
    case kShortBinString:  // Python 2's own texts
    case kShortBinUnicode:
      return text(Kind::text, take_number<std::uint8_t>());
    case kBinString:
    case kBinUnicode:
      return text(Kind::text, take_number<std::uint32_t>());
    case kBinUnicode8:
      return text(Kind::text, take_number<std::uint64_t>());
    case kShortBinBytes:
      return text(Kind::bytes, take_number<std::uint8_t>());
    case kBinBytes:
      return text(Kind::bytes, take_number<std::uint32_t>());
    case kBinBytes8:
    case kByteArray8:
      return text(Kind::bytes, take_number<std::uint64_t>());
    default:
      return false;
  }
}

bool PickleMachine::build_container(unsigned char opcode) {
  switch (opcode) {
    case kMark:
      if (marks_.size() >= kDeepestStack) fail("stacks more marks than that of any checkpoint");
      marks_.push_back(stack_.size());
      return true;
    case kEmptyTuple:
      push_tuple(0);
      return true;
    case kTuple1:
    case kTuple2:
    case kTuple3:
      push_tuple(static_cast<std::size_t>(opcode - kTuple1) + 1);
      return true;
    case kTuple:
      push(add(Kind::tuple, result_.sequences, pop_to_mark()));
      return true;
    case kFrozenSet:
      push(add(Kind::list, result_.sequences, pop_to_mark()));
      return true;
    case kEmptyList:
    case kEmptySet:
      push(add(Kind::list, result_.sequences, {}));
      return true;
    case kEmptyDict:
      push(add(Kind::dict, result_.dicts, {}));
      return true;
    case kAppend:
      append({pop()});
      return true;
    case kAppends:
    case kAddItems:
      append(pop_to_mark());
      return true;
    case kSetItem: {
      const PickleValue value = pop();
      const PickleValue key = pop();
      set_items({key, value});
      return true;
    }
    case kSetItems:
      set_items(pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::use_memo(unsigned char opcode) {
  const auto recall = [&](std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("recalls object " + std::to_string(index) + ", never seen");
    push(found->second);
  };
  switch (opcode) {
    case kPop:
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    case kPopMark:
      pop_to_mark();
      return true;
    case kDup:
      push(top());
      return true;
    case kBinPut:
      memoize(take_number<std::uint8_t>());
      return true;
    case kLongBinPut:
      memoize(take_number<std::uint32_t>());
      return true;
    case kMemoize:
      memoize(static_cast<std::uint32_t>(memo_.size()));
      return true;
    case kBinGet:
      recall(take_number<std::uint8_t>());
      return true;
    case kLongBinGet:
      recall(take_number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::use_global(unsigned char opcode) {
  switch (opcode) {
    case kGlobal: {
      const std::string_view module = take_line();
      push(global(module, take_line()));
      return true;
    }
    case kStackGlobal: {
      const PickleValue name = pop();
      const PickleValue module = pop();
      if (name.kind != Kind::text || module.kind != Kind::text) fail("names a class by no text");
      push(global(result_.text(module), result_.text(name)));
      return true;
    }
    case kReduce:
    case kNewObj: {
      const PickleValue arguments = pop();
      const PickleValue function = pop();
      push(apply(function, arguments));
      return true;
    }
    case kBuild: {
      const PickleValue state = pop();
      set_state(top(), state);
      return true;
    }
    case kBinPersId:
      push(storage_of(pop()));
      return true;
    default:
      return false;
  }
}

}  // namespace segmentum
