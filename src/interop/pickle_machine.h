// The stack machine that a pickle is a program for; private to pickle.cc and pickle_globals.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "interop/pickle.h"

namespace segmentum {

/// Limits that no checkpoint comes near to: one of 100 000 tensors takes about 4 million operations
/// and a million objects.
inline constexpr std::size_t kMostOperations = std::size_t{1} << 24;
inline constexpr std::size_t kMostObjects = std::size_t{1} << 21;
inline constexpr std::size_t kDeepestStack = std::size_t{1} << 20;

class PickleMachine {
 public:
  explicit PickleMachine(std::string_view bytes) : bytes_(bytes) {}

  /// Runs to the STOP. Throws Error saying where and why it cannot.
  Pickled run();
  std::size_t position() const { return position_; }

 private:
  using Kind = PickleValue::Kind;

  // The program.
  std::string_view take(std::uint64_t count);
  std::string_view take_line();
  template <typename Number>
  Number take_number();
  void execute(unsigned char opcode);
  bool push_scalar(unsigned char opcode);
  bool push_text(unsigned char opcode);
  bool build_container(unsigned char opcode);
  bool use_memo(unsigned char opcode);
  bool use_global(unsigned char opcode);

  // Stack and objects.
  void push(const PickleValue& value);
  PickleValue pop();
  std::vector<PickleValue> pop_to_mark();
  PickleValue& top();
  void spend(std::size_t operations);
  void count_objects(std::size_t count);
  template <typename Object>
  PickleValue add(Kind kind, std::vector<Object>& list, Object object);
  void push_tuple(std::size_t count);
  void append(std::vector<PickleValue> items);
  void set_items(const std::vector<PickleValue>& items);
  void memoize(std::uint32_t index);
  [[noreturn]] void fail(const std::string& what) const;

  // What the names of the allow-list stand for (pickle_globals.cc).
  PickleValue global(std::string_view module, std::string_view name) const;
  PickleValue apply(const PickleValue& function, const PickleValue& arguments);
  PickleValue ordered_dict(const std::vector<PickleValue>& arguments);
  PickleValue rebuild_tensor(const std::vector<PickleValue>& arguments);
  PickleValue storage_of(const PickleValue& persistent_id);
  std::size_t require_extents(const PickleValue& tuple);
  void set_state(const PickleValue& object, const PickleValue& state);

  std::string_view bytes_;
  std::size_t position_ = 0;
  std::size_t operations_ = 0;
  std::size_t objects_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint32_t, PickleValue> memo_;
  Pickled result_;
};

template <typename Object>
PickleValue PickleMachine::add(Kind kind, std::vector<Object>& list, Object object) {
  count_objects(1);
  list.push_back(std::move(object));
  return {.kind = kind, .place = static_cast<std::uint32_t>(list.size() - 1)};
}

}  // namespace segmentum
