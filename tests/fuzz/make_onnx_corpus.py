#!/usr/bin/env python3
"""Writes tests/fuzz/onnx_corpus: small ONNX files that mean harm, and with "valid_" some that only look odd.

What the fuzzer starts from and the suite replays: every file but the valid ones must be refused with an Error. Run from
anywhere, with nothing but Python: python3 tests/fuzz/make_onnx_corpus.py
"""
import os
import struct

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx_corpus")
F32, I64, BOOL, F64 = 1, 7, 9, 11


def varint(number):
    number &= (1 << 64) - 1
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def whole(field, number):
    return varint(field << 3) + varint(number)


def part(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def real(field, number):
    return varint(field << 3 | 5) + struct.pack("<f", number)


def tensor(name, dims, kind, data, extra=b""):
    return b"".join(whole(1, d) for d in dims) + whole(2, kind) + part(8, name) + part(9, data) + extra


def reals(name, dims, *numbers):
    return tensor(name, dims, F32, struct.pack(f"<{len(numbers)}f", *numbers))


def wholes(name, *numbers):
    return tensor(name, [len(numbers)], I64, struct.pack(f"<{len(numbers)}q", *numbers))


def scalar(name, number):
    return tensor(name, [], I64, struct.pack("<q", number))


def attribute(name, value):
    if isinstance(value, bytes):
        return part(5, part(1, name) + value)
    if isinstance(value, float):
        return part(5, part(1, name) + real(2, value) + whole(20, 1))
    if isinstance(value, int):
        return part(5, part(1, name) + whole(3, value) + whole(20, 2))
    if isinstance(value, str):
        return part(5, part(1, name) + part(4, value) + whole(20, 3))
    return part(5, part(1, name) + b"".join(whole(8, v) for v in value) + whole(20, 7))


def node(op, inputs, output="y", **attributes):
    return part(1, b"".join(part(1, i) for i in inputs) + part(2, output) + part(4, op) +
                b"".join(attribute(name, value) for name, value in attributes.items()))


def picture(*dims, name="x", kind=F32):
    axes = b"".join(part(1, part(2, d) if isinstance(d, str) else whole(1, d)) for d in dims)
    return part(1, name) + part(2, part(1, whole(1, kind) + part(2, axes)))


def model(nodes, tensors=(), inputs=None, output="y", opset=17):
    inputs = [picture("n", 2, "h", "w")] if inputs is None else inputs
    graph = b"".join(nodes) + b"".join(part(5, t) for t in tensors) + b"".join(part(11, i) for i in inputs)
    return whole(1, 8) + part(7, graph + part(12, picture(name=output))) + part(8, part(1, "") + whole(2, opset))


RELU = node("Relu", ["x"])
GOOD = model([RELU])
SHAPE = node("Shape", ["x"], "s")
FOUR = [1, 1, 1, 1]


def alone(op, tensors=(), inputs=("x",), **attributes):
    return model([node(op, inputs, **attributes)], tensors)


def conv(weight, **attributes):
    return alone("Conv", [weight], ("x", "w"), **attributes)


def resize(factors=(1, 1, 2, 2), **attributes):
    return alone("Resize", [reals("f", [4], *factors)], ("x", "", "f"), **attributes)


def computed(*nodes, tensors=()):
    """Arithmetic on sizes that ends in a Reshape."""
    return model([*nodes, node("Reshape", ["x", "to"])], tensors)


WEIGHT = reals("w", [2, 2, 1, 1], 1, 0, 0, 1)
HUGE = 1 << 62

FILES = {
    "valid_relu": GOOD,
    "valid_unknown_fields": GOOD + part(99, "later") + whole(98, 5),
    "valid_conv": conv(WEIGHT),
    "valid_pooled_and_resized": model(
        [node("MaxPool", ["x"], "p", kernel_shape=[2, 2], strides=[2, 2]),
         node("Resize", ["p", "", "f"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
        [reals("f", [4], 1, 1, 2, 2)]),
    "valid_size_of_the_picture": model(
        [node("GlobalAveragePool", ["x"], "p"), SHAPE, node("Resize", ["p", "", "", "s"], mode="linear")]),
    "valid_group_norm": model(
        [node("Reshape", ["x", "g"], "a"), node("InstanceNormalization", ["a", "one", "zero"], "b"), SHAPE,
         node("Reshape", ["b", "s"])], [wholes("g", 0, 1, -1), reals("one", [1], 1), reals("zero", [1], 0)]),
    "valid_layer_norm": model(
        [node("ReduceMean", ["x"], "m", axes=[1]), node("Sub", ["x", "m"], "c"), node("Pow", ["c", "two"], "q"),
         node("ReduceMean", ["q"], "v", axes=[1]), node("Add", ["v", "one"], "a"), node("Sqrt", ["a"], "d"),
         node("Div", ["c", "d"])], [reals("one", [], 1), reals("two", [], 2)]),
    "valid_gelu": model(
        [node("Div", ["x", "root"], "u"), node("Erf", ["u"], "e"), node("Add", ["e", "one"], "b"),
         node("Mul", ["x", "b"])], [reals("one", [], 1), reals("root", [], 1.41421356)]),
    "valid_labels": alone("ArgMax", axis=1),
    "split_of_nothing": model([node("Split", ["x", "z"], axis=1)], [wholes("z", 0)]),
    "split_beyond": model([node("Split", ["x", "z"], axis=1)], [wholes("z", HUGE)]),
    "half_a_layer_norm": alone("ReduceMean", axes=[1], keepdims=0),
    "variance_below_zero": model(
        [node("ReduceMean", ["x"], "m", axes=[1]), node("Sub", ["x", "m"], "c"), node("Mul", ["c", "c"], "q"),
         node("ReduceMean", ["q"], "v", axes=[1]), node("Add", ["v", "e"], "a"), node("Sqrt", ["a"], "d"),
         node("Div", ["c", "d"])], [reals("e", [], float("-inf"))]),
    "empty": b"",
    "text": b"this is no model",
    "cut_number": GOOD[:-1] + b"\xff",
    "cut_length": GOOD[:-4],
    "group": whole(1, 8) + b"\x3b\x3c",
    "field_zero": b"\x00\x01" + GOOD,
    "graph_is_a_number": whole(7, 1) + part(8, whole(2, 17)),
    "no_graph": whole(1, 8) + part(8, whole(2, 17)),
    "no_opset": whole(1, 8) + part(7, RELU),
    "no_nodes": model([]),
    "parts": whole(1, 8) + part(7, b"\x0a\x00" * 20000) + part(8, whole(2, 17)),
    "segments": model([RELU], [part(3, whole(1, 0))]),
    "sparse": whole(1, 8) + part(7, RELU + part(15, b"")) + part(8, whole(2, 17)),
    "axes_of_a_tensor": model([RELU, node("Add", ["x", "w"], "z")], [reals("w", [1] * 40, 1)]),
    "dims_negative": conv(reals("w", [2, -2, 1, 1], 1)),
    "dims_overflow": conv(reals("w", [HUGE, HUGE, 1, 1], 1)),
    "fewer_numbers": conv(reals("w", [2, 2, 1, 1], 1)),
    "type_unknown": conv(tensor("w", [2, 2, 1, 1], 77, b"1234")),
    "not_finite": conv(reals("w", [2, 2, 1, 1], 1, float("nan"), 0, 1)),
    "outside": conv(tensor("w", [2, 2, 1, 1], F32, b"", part(13, part(1, "location") + part(2, "/etc/passwd")) +
                           whole(14, 1))),
    "outside_offset": conv(tensor("w", [2, 2, 1, 1], F32, b"", part(13, part(1, "offset") + part(2, "9" * 30)) +
                                  whole(14, 1))),
    "weights_absent": conv(reals("v", [1], 1)),
    "pads_negative": conv(WEIGHT, pads=[-1, 0, 0, 0]),
    "pads_two": conv(WEIGHT, pads=[1, 1]),
    "pads_huge": conv(WEIGHT, pads=[HUGE] * 4),
    "stride_zero": conv(WEIGHT, strides=[0, 0]),
    "stride_huge": conv(WEIGHT, strides=[HUGE, 1]),
    "group_zero": conv(WEIGHT, group=0),
    "group_huge": conv(WEIGHT, group=HUGE),
    "attribute_of_another_kind": conv(WEIGHT, group="two"),
    "kernel_zero": alone("MaxPool", kernel_shape=[0, 0]),
    "kernel_absent": alone("AveragePool"),
    "transposed_huge": alone("ConvTranspose", [WEIGHT], ("x", "w"), strides=[1 << 20, 1 << 20]),
    "transposed_again": model([node("ConvTranspose", ["x", "w"], "a", strides=[1 << 15] * 2),
                               node("ConvTranspose", ["a", "w"], strides=[1 << 15] * 2)], [WEIGHT]),
    "range_huge": computed(node("Range", ["zero", "huge", "one"], "to"),
                           tensors=[scalar("zero", 0), scalar("huge", HUGE), scalar("one", 1)]),
    "constant_of_shape_huge": computed(node("ConstantOfShape", ["big"], "to"), tensors=[wholes("big", 1 << 40)]),
    "expand_huge": computed(node("Expand", ["big", "big"], "to"), tensors=[wholes("big", 1 << 13, 1 << 13)]),
    "gather_beyond": computed(SHAPE, node("Gather", ["s", "i"], "to"), tensors=[wholes("i", 4)]),
    "slice_step_zero": computed(SHAPE, node("Slice", ["s", "i", "i", "i", "i"], "to"), tensors=[wholes("i", 0)]),
    "divide_by_zero": computed(SHAPE, node("Div", ["s", "i"], "to"), tensors=[wholes("i", 0)]),
    "modulo_zero": computed(SHAPE, node("Mod", ["s", "i"], "to"), tensors=[wholes("i", 0)]),
    "cast_of_nan": computed(node("Cast", ["i"], "to", to=I64), tensors=[reals("i", [1], float("nan"))]),
    "reshape_two_open": alone("Reshape", [wholes("to", -1, -1)], ("x", "to")),
    "reshape_zeros": alone("Reshape", [wholes("to", 0, 0, 0, 0, 0)], ("x", "to")),
    "reshape_no_groups": alone("Reshape", [wholes("to", 0, 0, -1)], ("x", "to"), allowzero=1),
    "reshape_overflow": alone("Reshape", [wholes("to", HUGE, HUGE, -1)], ("x", "to")),
    "unsqueeze_far": alone("Unsqueeze", [wholes("a", 99)], ("x", "a")),
    "transpose_twice_the_axis": alone("Transpose", perm=[0, 2, 2, 1]),
    "concat_of_nothing": model([node("Concat", [], axis=1)]),
    "concat_of_constants": alone("Concat", [WEIGHT], ("w", "x"), axis=1),
    "softmax_far": alone("Softmax", axis=99),
    "argmax_far": alone("ArgMax", axis=-99),
    "resize_nan": resize((1, 1, float("nan"), 1)),
    "resize_infinite": resize((1, 1, float("inf"), 1)),
    "resize_negative": resize((1, 1, -2, 1)),
    "resize_huge": resize((1, 1, 1e30, 1)),
    "resize_two_factors": alone("Resize", [reals("f", [2], 1, 1)], ("x", "", "f")),
    "resize_to_nothing": alone("Resize", [wholes("s", 1, 2, 0, 0)], ("x", "", "", "s")),
    "resize_to_huge": alone("Resize", [wholes("s", 1, 2, HUGE, HUGE)], ("x", "", "", "s")),
    "frames_pile_up": model([node("Pad", ["x" if i == 0 else f"p{i - 1}", "m"], f"p{i}") for i in range(600)] +
                            [node("Relu", ["p599"])], [wholes("m", 0, 0, 1 << 20, 0, 0, 0, 0, 0)]),
    "pad_channels": alone("Pad", [wholes("m", 0, 1, 0, 0, 0, 1, 0, 0)], ("x", "m")),
    "crop_to_nothing": alone("Slice", [wholes("b", HUGE), wholes("e", HUGE), wholes("a", 2)], ("x", "b", "e", "a")),
    "rows_in_disorder": alone("Gather", [wholes("i", *([0, 1] * 300 + [0, 0]))], ("x", "i"), axis=2),
    "blocks_of_zero": alone("DepthToSpace", blocksize=0),
    "blocks_huge": alone("DepthToSpace", blocksize=1 << 40),
    "clip_to_nothing": alone("Clip", [reals("a", [], 2), reals("b", [], 1)], ("x", "a", "b")),
    "reads_itself": model([node("Relu", ["y"])]),
    "reads_later": model([node("Relu", ["b"], "a"), node("Relu", ["x"], "b"), node("Relu", ["a"])]),
    "no_output": model([RELU], output="z"),
    "no_input": model([RELU], inputs=[]),
    "two_inputs": model([RELU], inputs=[picture("n", 2, "h", "w"), picture("n", 2, "h", "w", name="z")]),
    "input_of_two_axes": model([RELU], inputs=[picture("n", 2)]),
    "input_without_channels": model([RELU], inputs=[picture("n", 0, "h", "w")]),
    "input_of_huge_channels": model([RELU], inputs=[picture("n", HUGE, "h", "w")]),
    "input_of_huge_size": model([RELU], inputs=[picture(1, 2, HUGE, HUGE)]),
    "weights_from_nothing": model([node("Sub", ["one", "x" if i == 0 else f"p{i - 1}"], f"p{i}") for i in range(200)] +
                                  [node("Relu", ["p199"])], [reals("one", [], 1)],
                                  inputs=[picture("n", 1 << 20, "h", "w")]),
    "subgraph": alone("If", then_branch=part(6, b"") + whole(20, 5)),
    "other_domain": model([part(1, part(1, "x") + part(2, "y") + part(4, "Relu") + part(7, "com.example"))]),
}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, content in FILES.items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(content)
    print(f"{len(FILES)} files in {FOLDER}")


if __name__ == "__main__":
    main()
