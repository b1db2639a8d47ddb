#!/usr/bin/env python3
"""Writes tests/fuzz/model_corpus from a model file of the smallest kind: itself (valid_), and what must be refused.

    python3 tests/fuzz/make_model_corpus.py SMALL.segmentum
"""
import json
import pathlib
import struct
import sys

FOLDER = pathlib.Path(__file__).parent / "model_corpus"


def packed(header, body):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def main():
    whole = pathlib.Path(sys.argv[1]).read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header, body = json.loads(whole[8:8 + length]), whole[8 + length:]
    about = header["__metadata__"]
    tensors = [name for name in header if name != "__metadata__"]

    def changed(**metadata):
        return packed({**header, "__metadata__": {**about, **metadata}}, body)

    def with_tensor(name, **fields):
        return packed({**header, name: {**header[name], **fields}}, body)

    files = {
        "valid_small": whole,
        "cut_in_header": whole[:length // 2],
        "cut_in_numbers": whole[:-3],
        "header_too_long": struct.pack("<Q", 2**62) + whole[8:],
        "header_no_json": packed(b"{" * 3000, body),
        "no_metadata": packed({name: header[name] for name in tensors}, body),
        "tensor_missing": packed({name: header[name] for name in header if name != tensors[0]}, body),
        "tensor_of_other_type": with_tensor(tensors[0], dtype="I64"),
        "tensor_shape_huge": with_tensor(tensors[0], shape=[2**40, 2**40]),
        "tensor_outside": with_tensor(tensors[0], data_offsets=[2**40, 2**41]),
        "tensor_backwards": with_tensor(tensors[0], data_offsets=[8, 0]),
        "bytes_behind": whole + b"more",
        "empty": b"",
    }
    for name in about:
        files["metadata_without_" + name] = packed(
            {**header, "__metadata__": {key: value for key, value in about.items() if key != name}}, body)
        files["metadata_text_" + name] = changed(**{name: "hello"})
    files["metadata_deep"] = changed(graph="[" * 2000)
    FOLDER.mkdir(exist_ok=True)
    for name, content in files.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
