// The names that a checkpoint's pickle may use, and the data that they stand for.
#include <algorithm>
#include <array>
#include <optional>

#include "interop/pickle_machine.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

enum class Global { ordered_dict, counter, set, size, record, tensor, parameter, storage };

struct GlobalName {
  std::string_view module;
  std::string_view name;
  Global global;
};

constexpr std::array kAllowed{
    GlobalName{"collections", "OrderedDict", Global::ordered_dict},
    GlobalName{"collections", "Counter", Global::counter},
    GlobalName{"builtins", "set", Global::set},
    GlobalName{"builtins", "frozenset", Global::set},
    GlobalName{"__builtin__", "set", Global::set},  // the same, as protocol 2 calls them
    GlobalName{"__builtin__", "frozenset", Global::set},
    GlobalName{"torch", "Size", Global::size},
    GlobalName{"argparse", "Namespace", Global::record},
    GlobalName{"torch._utils", "_rebuild_tensor", Global::tensor},
    GlobalName{"torch._utils", "_rebuild_tensor_v2", Global::tensor},
    GlobalName{"torch._utils", "_rebuild_parameter", Global::parameter},
};

}  // namespace

PickleValue PickleMachine::global(std::string_view module, std::string_view name) const {
  for (const GlobalName& allowed : kAllowed) {
    if (allowed.module == module && allowed.name == name) {
      return {.kind = Kind::global, .place = static_cast<std::uint32_t>(allowed.global)};
    }
  }
  const auto type = module == "torch" ? type_of_storage_class(name) : std::nullopt;
  if (type) {
    return {.kind = Kind::global,
            .place = static_cast<std::uint32_t>(Global::storage),
            .number = static_cast<std::int64_t>(*type)};
  }
  throw Error("it needs the Python object " + printable(module) + "." + printable(name) +
              ", which is refused: only tensors and plain containers are read; in Python, "
              "torch.save(model.state_dict(), FILE) saves the weights alone");
}

PickleValue PickleMachine::apply(const PickleValue& function, const PickleValue& arguments) {
  if (function.kind != Kind::global) fail("calls what is no function");
  if (arguments.kind != Kind::tuple) fail("calls a function without a tuple of arguments");
  const std::vector<PickleValue>& given = result_.items(arguments);
  const auto only = [&](Kind kind) {
    return given.size() == 1 && given[0].kind == kind ? std::optional(given[0]) : std::nullopt;
  };
  switch (static_cast<Global>(function.place)) {
    case Global::ordered_dict:
      return ordered_dict(given);
    case Global::counter:
      if (const auto dict = only(Kind::dict)) return *dict;
      if (given.empty()) return add(Kind::dict, result_.dicts, {});
      break;
    case Global::set:
      if (const auto list = only(Kind::list)) return *list;
      break;
    case Global::size:
      if (const auto tuple = only(Kind::tuple)) return *tuple;
      break;
    case Global::record:
      if (given.empty()) return add(Kind::record, result_.dicts, {});
      break;
    case Global::tensor:
      return rebuild_tensor(given);
    case Global::parameter:
      if (!given.empty() && given[0].kind == Kind::tensor) return given[0];
      break;
    case Global::storage:
      break;
  }
  fail("calls a function with arguments that it does not take");
}

/// OrderedDict(), or as Python 2 wrote it: OrderedDict([[key, value], ...]).
PickleValue PickleMachine::ordered_dict(const std::vector<PickleValue>& arguments) {
  std::vector<Pickled::Pair> pairs;
  if (!arguments.empty()) {
    if (arguments.size() != 1 || arguments[0].kind != Kind::list) {
      fail("makes an OrderedDict of what is no list");
    }
    for (const PickleValue& item : result_.items(arguments[0])) {
      count_objects(1);
      const bool is_pair =
          (item.kind == Kind::list || item.kind == Kind::tuple) && result_.items(item).size() == 2;
      if (!is_pair) fail("makes an OrderedDict of what are no pairs");
      pairs.emplace_back(result_.items(item)[0], result_.items(item)[1]);
    }
  }
  return add(Kind::dict, result_.dicts, std::move(pairs));
}

/// The number of axes that the tuple is about.
std::size_t PickleMachine::require_extents(const PickleValue& tuple) {
  const auto is_extent = [](const PickleValue& value) {
    return value.kind == Kind::integer && value.number >= 0;
  };
  if (tuple.kind == Kind::tuple) {
    spend(result_.items(tuple).size());
    if (std::ranges::all_of(result_.items(tuple), is_extent)) return result_.items(tuple).size();
  }
  fail("gives a tensor a shape or strides that are no tuple of whole numbers");
}

/// (storage, offset, shape, strides, requires_grad, hooks[, metadata])
PickleValue PickleMachine::rebuild_tensor(const std::vector<PickleValue>& arguments) {
  if (arguments.size() < 4 || arguments[0].kind != Kind::storage ||
      arguments[1].kind != Kind::integer || arguments[1].number < 0) {
    fail("makes a tensor of what is no storage and offset");
  }
  if (require_extents(arguments[2]) != require_extents(arguments[3])) {
    fail("gives a tensor another number of strides than axes");
  }
  return add(Kind::tensor, result_.tensors,
             PickledTensor{.storage = arguments[0].place,
                           .offset = arguments[1].number,
                           .shape = arguments[2].place,
                           .strides = arguments[3].place});
}

/// ('storage', class, key, location, count[, view]), where view is None or (key, offset, count).
PickleValue PickleMachine::storage_of(const PickleValue& persistent_id) {
  if (persistent_id.kind != Kind::tuple) fail("refers to what is no storage");
  const std::vector<PickleValue>& id = result_.items(persistent_id);
  const auto is = [&](std::size_t i, Kind kind) { return i < id.size() && id[i].kind == kind; };
  const bool fits = is(0, Kind::text) && result_.text(id[0]) == "storage" && is(1, Kind::global) &&
                    id[1].place == static_cast<std::uint32_t>(Global::storage) &&
                    is(2, Kind::text) && is(4, Kind::integer) && id[4].number >= 0;
  if (!fits) fail("refers to what is no storage");
  PickledStorage storage{.type = static_cast<NumberType>(id[1].number),
                         .key = result_.text(id[2]),
                         .count = id[4].number,
                         .view_count = id[4].number};
  if (is(5, Kind::tuple)) {
    const std::vector<PickleValue>& view = result_.items(id[5]);
    const auto lies_within = [&] {
      return view[1].number >= 0 && view[2].number >= 0 && view[1].number <= storage.count &&
             view[2].number <= storage.count - view[1].number;
    };
    if (view.size() != 3 || view[1].kind != Kind::integer || view[2].kind != Kind::integer ||
        !lies_within()) {
      fail("has a view that does not lie in its storage");
    }
    storage.offset = view[1].number;
    storage.view_count = view[2].number;
  }
  return add(Kind::storage, result_.storages, storage);
}

void PickleMachine::set_state(const PickleValue& object, const PickleValue& state) {
  if (object.kind == Kind::dict) return;  // attributes of an OrderedDict: _metadata
  if (object.kind != Kind::record || state.kind != Kind::dict) {
    fail("sets the state of an object that has none");
  }
  count_objects(result_.pairs(state).size());
  const std::vector<Pickled::Pair> pairs = result_.pairs(state);
  auto& record = result_.dicts[object.place];
  record.insert(record.end(), pairs.begin(), pairs.end());
}

}  // namespace segmentum
