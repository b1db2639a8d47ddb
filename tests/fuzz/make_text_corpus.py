#!/usr/bin/env python3
"""Writes tests/fuzz/text_corpus: what people write and bring along, and what must be refused. The first byte names the reader.

    python3 tests/fuzz/make_text_corpus.py
"""
import pathlib
import struct

FOLDER = pathlib.Path(__file__).parent / "text_corpus"

DATASET = b"""
root = "."
channels = 1
[masks]
ignore = [255]
[[classes]]
name = "sky"
values = [0]
[[classes]]
name = "road"
values = [1]
[splits]
train = [["a.png", "b.png"]]
"""
BOXES = b'[{"image": "a.png", "box": [1, 2, 3, 4], "score": 0.5, "class": "cat"}]'
VOC = b"""<annotation><filename>a.jpg</filename><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin>
<xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>"""


def npy(header, body=b"", version=b"\1\0"):
    header = header.encode().ljust(54) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + body


def files():
    yield "dataset", b"d" + DATASET
    yield "dataset_deep", b"d" + b"a = " + b"[" * 3000
    yield "dataset_dots", b"d" + b".".join(b"a" for _ in range(2000)) + b" = 1"
    yield "dataset_twice", b"d" + DATASET + DATASET
    yield "dataset_value_huge", b"d" + DATASET.replace(b"[1]", b"[99999999999999999999]")
    yield "dataset_value_negative", b"d" + DATASET.replace(b"[1]", b"[-1]")
    yield "dataset_nan", b"d" + DATASET.replace(b"[masks]", b"mean = [nan]\nstd = [inf]\n[masks]")
    yield "dataset_outside", b"d" + DATASET.replace(b'"."', b'"../../../../.."')
    yield "dataset_of_other_types", b"d" + b"root = 1\nclasses = 2\nsplits = 3\nignore = []\n"
    yield "dataset_no_utf8", b"d" + b'root = "\xff\xfe"\n'
    yield "list", b"l" + b"a.png b.png\n\"a b.png\",c.png\nc.png\n"
    yield "list_twice", b"l" + b"a.png b.png\na.png b.png\n"
    yield "list_quote_open", b"l" + b'"a.png b.png\n'
    yield "list_separators", b"l" + b",,,\n;;;\n\t\t\n   \n"
    yield "list_zero_bytes", b"l" + b"a\0b.png c.png\n"
    yield "legend", b"c" + b"id,name,r,g,b\n0,sky,1,2,3\n1,road,4,5,6\n"
    yield "legend_numbers_huge", b"c" + b"id,name\n99999999999,sky\n-5,road\n"
    yield "legend_colours", b"c" + b"sky:300,2,3\nroad:1,2\n"
    yield "boxes", b"b" + BOXES
    yield "boxes_xml", b"b" + VOC
    yield "boxes_csv", b"b" + b"image,x0,y0,x1,y1\na.png,1,2,3,4\n"
    yield "boxes_nan", b"b" + BOXES.replace(b"3", b"1e999")
    yield "boxes_deep", b"b" + b"[" * 5000
    yield "boxes_empty_box", b"b" + BOXES.replace(b"3, 4", b"1, 2")
    yield "boxes_xml_open", b"b" + VOC[: len(VOC) // 2]
    yield "boxes_cut", b"b" + BOXES[:-5]
    numbers = struct.pack("<6f", *range(6))
    yield "npy", b"n" + npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", numbers)
    yield "npy_cut", b"n" + npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", numbers[:-1])
    yield "npy_overflow", b"n" + npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }")
    yield "npy_negative", b"n" + npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }")
    yield "npy_objects", b"n" + npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")
    yield "npy_header_long", b"n\x93NUMPY\2\0\xff\xff\xff\xff"
    yield "config", b"t" + b'steps = 5\nlr = 0.1\n[model]\nname = "unet"\n'
    yield "config_types", b"t" + b'steps = "five"\nlr = []\n'
    yield "config_nan", b"t" + b"lr = nan\n"
    yield "config_deep", b"t" + b"a = " + b"{a=" * 2000
    graph = b'{"architecture": "a", "nodes": [{"name": "image", "op": "input", "inputs": []}], "outputs": {"logits": "image"}}'
    yield "graph", b"g" + graph
    yield "graph_deep", b"g" + b"[" * 5000
    yield "graph_cut", b"g" + graph[:-10]
    yield "graph_reads_itself", b"g" + graph.replace(b'"inputs": []', b'"inputs": ["image"]')
    yield "graph_channels", b"g" + graph.replace(b'"inputs": []', b'"inputs": [], "channels": 99999999999999999999')
    yield "nobody", b"?" + b"hello"
    yield "empty", b""


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, content in files():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
