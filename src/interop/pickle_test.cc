#include "interop/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "interop/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = PickleValue::Kind;
using namespace std::string_literals;

const std::string kProtocol2 = "\x80\x02"s;

/// Programs are kept alive for the texts that look into them.
Pickled run(const std::string& program) {
  std::string_view bytes = program;
  Pickled pickled = unpickle(bytes);
  EXPECT_TRUE(bytes.empty());
  return pickled;
}

std::string says(const std::string& program) {
  return complaint([&] {
    std::string_view bytes = program;
    unpickle(bytes);
  });
}

TEST(Pickle, WholeNumbersOfEverySize) {
  const auto number = [](const std::string& program) {
    const Pickled pickled = run(program);
    EXPECT_EQ(pickled.root.kind, Kind::integer);
    return pickled.root.number;
  };
  EXPECT_EQ(number("\x80\x02K\xff."s), 255);
  EXPECT_EQ(number("\x80\x02M\x01\x02."s), 0x0201);
  EXPECT_EQ(number("\x80\x02J\xfe\xff\xff\xff."s), -2);
  EXPECT_EQ(number("\x80\x02\x8a\x00."s), 0);
  EXPECT_EQ(number("\x80\x02\x8a\x01\xff."s), -1);
  EXPECT_EQ(number("\x80\x02\x8a\x02\xff\x00."s), 255);
  EXPECT_EQ(number("\x80\x02\x8a\x08"s + raw(INT64_MIN) + "."), INT64_MIN);
  EXPECT_EQ(run("\x80\x02\x8a\x09"s + std::string(9, '\1') + ".").root.kind, Kind::bytes);
}

TEST(Pickle, ContainersShareWhatTheMemoRecalls) {
  // a = [1]; result = {"x": a, "y": (a, a, True)}, with a changed after it was used.
  const std::string program = kProtocol2 + "}(" + pickled_text("x") + "]q\x05K\x01" + "a" +
                              pickled_text("y") + "h\x05h\x05\x88\x87uh\x05K\x02" + "a0.";
  const Pickled pickled = run(program);
  ASSERT_EQ(pickled.root.kind, Kind::dict);
  const PickleValue& x = *pickled.find(pickled.root, "x");
  const PickleValue& y = *pickled.find(pickled.root, "y");
  ASSERT_EQ(x.kind, Kind::list);
  ASSERT_EQ(pickled.items(x).size(), 2u);
  EXPECT_EQ(pickled.items(x)[1].number, 2);
  ASSERT_EQ(y.kind, Kind::tuple);
  EXPECT_EQ(pickled.items(y)[0].place, x.place);
  EXPECT_EQ(pickled.items(y)[2].number, 1);
  EXPECT_EQ(pickled.find(pickled.root, "z"), nullptr);
}

TEST(Pickle, AListThatContainsItself) {
  const Pickled pickled = run("\x80\x02]q\x01h\x01"s + "a.");
  EXPECT_EQ(pickled.items(pickled.root)[0].place, pickled.root.place);
}

TEST(Pickle, OrderedDictOfPython2IsOneOfPairs) {
  const std::string program =
      kProtocol2 + "ccollections\nOrderedDict\n]]" + "(" + pickled_text("a") + "K\x07" + "ea\x85R.";
  const Pickled pickled = run(program);
  EXPECT_EQ(pickled.find(pickled.root, "a")->number, 7);
}

TEST(Pickle, OnePickleAtATime) {
  std::string_view bytes = "\x80\x02K\x01.\x80\x02K\x02.rest";
  EXPECT_EQ(unpickle(bytes).root.number, 1);
  EXPECT_EQ(unpickle(bytes).root.number, 2);
  EXPECT_EQ(bytes, "rest");
}

TEST(Pickle, NamesOutsideTheListAreRefused) {
  EXPECT_THAT(says(kProtocol2 + "cposix\nsystem\n" + pickled_text("touch /tmp/x") + "\x85R."),
              HasSubstr("it needs the Python object posix.system, which is refused"));
  EXPECT_THAT(says("\x80\x04\x8c\x08"
                   "builtins\x8c\x04"
                   "eval\x93."s),
              HasSubstr("builtins.eval, which is refused"));
  EXPECT_THAT(says(kProtocol2 + "ctorch\nload\n."), HasSubstr("torch.load, which is refused"));
  EXPECT_THAT(says(kProtocol2 + "ca\x1b[31m\nb\n."), HasSubstr("object a?[31m.b"));
  EXPECT_THAT(says(kProtocol2 + "c" + std::string(500, 'a') + "\nb\n."),
              HasSubstr(std::string(80, 'a') + "....b"));
}

TEST(Pickle, OpcodesOutsideTheListAreRefused) {
  EXPECT_THAT(says(kProtocol2 + "(ios\nsystem\n."), HasSubstr("has the opcode 0x69, which"));
  EXPECT_THAT(says("\x80\x02\x82\x01."s), HasSubstr("has the opcode 0x82"));  // EXT1
  EXPECT_THAT(says("\x80\x02P1\n."s), HasSubstr("has the opcode 0x50"));      // PERSID
  EXPECT_THAT(says("\x80\x00]."s), HasSubstr("is of protocol 0; 2 to 5 are read"));
  EXPECT_THAT(says("\x80\x09]."s), HasSubstr("is of protocol 9"));
}

TEST(Pickle, ProgramsThatMakeNoSense) {
  EXPECT_THAT(says(""), HasSubstr("is cut short (byte 0)"));
  EXPECT_THAT(says(kProtocol2 + "X\xff\xff\xff\xff" + "abc"), HasSubstr("is cut short"));
  EXPECT_THAT(says("\x80\x04\x8d"s + raw(UINT64_MAX) + "abc"), HasSubstr("is cut short"));
  EXPECT_THAT(says(kProtocol2 + "."), HasSubstr("uses a value that is not there"));
  EXPECT_THAT(says(kProtocol2 + "K\x01(0t."), HasSubstr("uses a mark that is not there"));
  EXPECT_THAT(says(kProtocol2 + "K\x01(\x85."), HasSubstr("uses a value that is not there"));
  EXPECT_THAT(says(kProtocol2 + "h\x01."), HasSubstr("recalls object 1, never seen"));
  EXPECT_THAT(says(kProtocol2 + "]]s."), HasSubstr("uses a value that is not there"));
  EXPECT_THAT(says(kProtocol2 + "]K\x01K\x01s."), HasSubstr("sets an item of what is no dict"));
  EXPECT_THAT(says(kProtocol2 + "}(K\x01u."), HasSubstr("a key without a value"));
  EXPECT_THAT(says(kProtocol2 + ")K\x01" + "a."), HasSubstr("appends to what is no list"));
  EXPECT_THAT(says(kProtocol2 + "K\x01)R."), HasSubstr("calls what is no function"));
  EXPECT_THAT(says(kProtocol2 + "ccollections\nOrderedDict\nK\x01R."),
              HasSubstr("without a tuple of arguments"));
  EXPECT_THAT(says(kProtocol2 + "ctorch\nFloatStorage\n)R."),
              HasSubstr("arguments that it does not take"));
  EXPECT_THAT(says(kProtocol2 + "]}b."), HasSubstr("sets the state of an object that has none"));
}

/// (storage, offset, shape, strides) for _rebuild_tensor_v2 on a storage of 12 floats.
std::string tensor_of(const std::string& arguments) {
  return kProtocol2 + "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled_text("storage") +
         "ctorch\nFloatStorage\n" + pickled_text("0") + pickled_text("cpu") + "K\x0ctQ" +
         arguments + "tR.";
}

TEST(Pickle, ATensorIsItsArguments) {
  const std::string program = tensor_of("K\x01K\x02K\x03\x86K\x06K\x02\x86");
  const Pickled pickled = run(program);
  ASSERT_EQ(pickled.root.kind, Kind::tensor);
  const PickledTensor& tensor = pickled.tensors[pickled.root.place];
  EXPECT_EQ(tensor.offset, 1);
  EXPECT_EQ(pickled.sequences[tensor.shape][1].number, 3);
  EXPECT_EQ(pickled.sequences[tensor.strides][0].number, 6);
  EXPECT_EQ(pickled.storages[tensor.storage].count, 12);
  EXPECT_EQ(pickled.storages[tensor.storage].key, "0");
}

TEST(Pickle, TensorsThatMakeNoSense) {
  EXPECT_THAT(says(tensor_of("K\x01")), HasSubstr("a tensor of what is no storage and offset"));
  EXPECT_THAT(says(tensor_of("J\xff\xff\xff\xffK\x02\x85K\x01\x85")), HasSubstr("no storage and"));
  EXPECT_THAT(says(tensor_of("K\x01K\x02\x85)")), HasSubstr("another number of strides"));
  EXPECT_THAT(says(tensor_of("K\x01]]")), HasSubstr("no tuple of whole numbers"));
  EXPECT_THAT(says(tensor_of("K\x01J\xff\xff\xff\xff\x85K\x01\x85")), HasSubstr("no tuple of"));
  EXPECT_THAT(says(kProtocol2 + pickled_text("storage") + "\x85Q."),
              HasSubstr("refers to what is no storage"));
  EXPECT_THAT(says(kProtocol2 + "K\x01Q."), HasSubstr("refers to what is no storage"));
}

/// Small programs that ask for much: each ends by a limit, at once.
TEST(Pickle, ExpansionIsBounded) {
  EXPECT_THAT(says(kProtocol2 + std::string(3 << 20, ']')), HasSubstr("than that of any"));
  EXPECT_THAT(says(kProtocol2 + std::string(3 << 20, '(')), HasSubstr("stacks more marks"));
  std::string many = kProtocol2;
  for (int i = 0; i < (5 << 19); ++i) many += "]0";
  EXPECT_THAT(says(many), HasSubstr("holds more objects"));
  // An OrderedDict of a list of 60 000 pairs, made a thousand times.
  std::string copies = kProtocol2 + "](";
  for (int i = 0; i < 60'000; ++i) copies += i == 0 ? "NN\x86q\x02" : "h\x02";
  copies += "eq\x01";
  for (int i = 0; i < 1000; ++i) copies += "ccollections\nOrderedDict\nh\x01\x85R0";
  EXPECT_THAT(says(copies + "."), HasSubstr("holds more objects"));
}

}  // namespace
}  // namespace segmentum
