#!/usr/bin/env python3
"""Writes tests/fuzz/checkpoint_corpus: small checkpoints that mean harm, and with "valid_" some that only look odd.

What the fuzzer starts from and the suite replays: every file but the valid ones must be refused with an Error. Run from
anywhere, with nothing but Python: python3 tests/fuzz/make_checkpoint_corpus.py
"""
import io
import os
import struct
import zipfile

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoint_corpus")
P2 = b"\x80\x02"
PROLOGUE = (P2 + b"\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"." + P2 + b"M\xe9\x03." + P2 +
            b"}X\x0d\x00\x00\x00little_endian\x88s.")
HUGE = b"\x8a\x08" + (1 << 62).to_bytes(8, "little")
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def text(word):
    return b"X" + struct.pack("<I", len(word)) + word


def storage(count=b"K\x04", kind=b"Float", view=b"N", key=b"0"):
    return b"(" + text(b"storage") + b"ctorch\n" + kind + b"Storage\n" + text(key) + text(b"cpu") + count + view + b"tQ"


def tensor(of=None, offset=b"K\x00", shape=b"K\x04\x85", strides=b"K\x01\x85"):
    return REBUILD + b"(" + (of or storage()) + offset + shape + strides + b"tR"


def legacy(pickled, keys=(b"0",), numbers=struct.pack("<Q4f", 4, 1, 2, 3, 4)):
    """A stream of torch.save around the program of one object."""
    return PROLOGUE + P2 + pickled + b"." + P2 + b"]" + b"".join(text(key) + b"a" for key in keys) + b"." + numbers


def state(*named):
    return b"}" + b"".join(text(name) + value + b"s" for name, value in named)


def archive(entries, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as out:
        for name, data in entries:
            out.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def safetensors(header, data=b""):
    return struct.pack("<Q", len(header)) + header + data


GOOD = legacy(state((b"w", tensor())))
NUMBERS = struct.pack("<4f", 1, 2, 3, 4)
PROGRAM = P2 + state((b"w", tensor())) + b"."

FILES = {
    "valid_one_tensor": GOOD,
    "valid_view": legacy(state((b"w", tensor(storage(view=b"(" + text(b"v") + b"K\x01K\x03t"), shape=b"K\x03\x85")))),
    "valid_zip": archive([("a/data.pkl", PROGRAM), ("a/data/0", NUMBERS)]),
    "valid_stride_0": legacy(state((b"w", tensor(shape=HUGE + b"\x85", strides=b"K\x00\x85")))),
    "valid_dict_in_itself": legacy(b"}q\x01" + text(b"w") + tensor() + b"s" + text(b"state_dict") + b"h\x01s"),
    "calls_system": legacy(b"cposix\nsystem\n" + text(b"id") + b"\x85R"),
    "calls_eval_by_stack": legacy(b"\x8c\x08builtins\x8c\x04eval\x93" + text(b"1") + b"\x85R"),
    "opcode_inst": legacy(b"(" + text(b"id") + b"iposix\nsystem\n"),
    "opcode_extension": legacy(b"\x82\x01"),
    "builds_a_tensor": legacy(state((b"w", tensor() + b"}b"))),
    "memo_never_seen": legacy(state((b"w", b"h\x07"))),
    "memo_far_away": legacy(b"}r\xff\xff\xff\xffj\xfe\xff\xff\xff"),
    "marks": legacy(b"(" * 5000),
    "lists": legacy(b"]" * 5000),
    "long_text": legacy(b"X\xff\xff\xff\xff"),
    "offset_past_end": legacy(state((b"w", tensor(offset=b"K\x01")))),
    "offset_huge": legacy(state((b"w", tensor(offset=HUGE)))),
    "offset_negative": legacy(state((b"w", tensor(offset=b"J\xff\xff\xff\xff")))),
    "stride_past_end": legacy(state((b"w", tensor(strides=b"K\x02\x85")))),
    "stride_negative": legacy(state((b"w", tensor(strides=b"J\xff\xff\xff\xff\x85")))),
    "shape_overflows": legacy(state((b"w", tensor(shape=HUGE + HUGE + b"\x86", strides=HUGE + HUGE + b"\x86")))),
    "shape_of_texts": legacy(state((b"w", tensor(shape=text(b"4") + b"\x85")))),
    "strides_too_few": legacy(state((b"w", tensor(shape=b"K\x02K\x02\x86")))),
    "view_past_end": legacy(state((b"w", tensor(storage(view=b"(" + text(b"v") + b"K\x02K\x03t"))))),
    "name_twice": legacy(state((b"w", tensor()), (b"w", tensor()))),
    "name_twice_by_prefix": legacy(state((b"w", tensor()), (b"model.w", tensor()), (b"model.v", tensor()))),
    "storage_of_two_types": legacy(state((b"w", tensor()), (b"v", tensor(storage(kind=b"Int"))))),
    "storage_huge": legacy(state((b"w", tensor(storage(count=HUGE))))),
    "storage_twice": legacy(state((b"w", tensor())), keys=(b"0", b"0")),
    "storage_missing": legacy(state((b"w", tensor())), keys=()),
    "storage_count_lies": legacy(state((b"w", tensor())), numbers=struct.pack("<Q4f", 1 << 62, 1, 2, 3, 4)),
    "cut_in_numbers": GOOD[:-3],
    "cut_in_pickle": GOOD[:100],
    "no_tensors": legacy(state((b"epoch", b"K\x03"))),
    "zip_bomb": archive([("a/data.pkl", PROGRAM), ("a/data/0", bytes(1 << 18))], zipfile.ZIP_DEFLATED),
    "zip_entry_twice": archive([("a/data.pkl", PROGRAM), ("a/data/0", NUMBERS), ("a/data/1", NUMBERS)]).replace(
        b"a/data/1", b"a/data/0"),
    "zip_of_two": archive([("a/data.pkl", PROGRAM), ("b/data.pkl", PROGRAM), ("a/data/0", NUMBERS)]),
    "zip_cut": archive([("a/data.pkl", PROGRAM), ("a/data/0", NUMBERS)])[:-30],
    "safetensors_overlap": safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                                       b'"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    "safetensors_overflow": safetensors(b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
    "safetensors_header_too_long": struct.pack("<Q", 1 << 60) + b"{}",
    "safetensors_name_twice": safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                                          b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
}

os.makedirs(FOLDER, exist_ok=True)
for name, content in FILES.items():
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(content)
