#!/usr/bin/env python3
"""Writes the checkpoints in tests/golden/checkpoints, a few KB each, with PyTorch (1.13 was used).

Every number is a small count, so that tests state what they expect: a tensor called NAME of n numbers begins at the
value in its comment and counts up by one. Run from anywhere: python3 tests/golden/make_checkpoint_goldens.py
"""
import argparse
import json
import os
import struct
from collections import OrderedDict

import torch

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints")


def counting(start, *shape, dtype=torch.float32):
    count = 1
    for extent in shape:
        count *= extent
    return torch.arange(start, start + count, dtype=torch.float32).reshape(shape).to(dtype)


def tiny_module():
    """A convolution and a batch norm; conv.weight from 0, conv.bias from 100, bn.* from 200, 300, 400, 500."""
    module = torch.nn.Sequential(OrderedDict(conv=torch.nn.Conv2d(3, 2, 2), bn=torch.nn.BatchNorm2d(2)))
    starts = {"conv.weight": 0, "conv.bias": 100, "bn.weight": 200, "bn.bias": 300, "bn.running_mean": 400,
              "bn.running_var": 500}
    state = module.state_dict()
    for name, start in starts.items():
        state[name].copy_(counting(start, *state[name].shape))
    return module


def views():
    """Tensors that are not their storage: tied, sliced, transposed; and every type of number."""
    base = counting(0, 4, 6)
    state = OrderedDict()
    state["whole"] = base
    state["tied"] = base
    state["row"] = base[2]  # 12 .. 17
    state["column"] = base[:, 1]  # 1 7 13 19
    state["transposed"] = base.t()  # [6,4]
    state["block"] = base[1:3, 2:5]  # 8 9 10 / 14 15 16
    state["expanded"] = torch.ones(1).expand(5)
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.empty(0, 3)
    state["five_axes"] = counting(0, 1, 2, 1, 2, 1)
    for name, dtype in (("half", torch.float16), ("bfloat16", torch.bfloat16), ("double", torch.float64),
                        ("long", torch.int64), ("int", torch.int32), ("short", torch.int16), ("char", torch.int8),
                        ("byte", torch.uint8)):
        state[name] = counting(-1 if name != "byte" else 1, 3, dtype=dtype)
    state["bool"] = torch.tensor([True, False, True])
    state["parameter"] = torch.nn.Parameter(counting(7, 2))
    return state


def training_checkpoint():
    """What training scripts leave behind: the weights under "model", names of DataParallel, an optimizer's state."""
    module = torch.nn.DataParallel(tiny_module())
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    module.eval()
    module.module(torch.ones(1, 3, 4, 4)).sum().backward()
    optimizer.step()
    state = tiny_module().state_dict()
    return {"model": OrderedDict(("module." + name, value) for name, value in state.items()),
            "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5, "tags": {"a"}, "history": [1, 2.5, None, True],
            "args": argparse.Namespace(lr=0.1, data=None)}


def write_safetensors(path, state):
    names = {"torch.float32": "F32", "torch.int64": "I64", "torch.float16": "F16"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in state.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": names[str(tensor.dtype)], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    torch.manual_seed(0)

    def save(name, value, **options):
        torch.save(value, os.path.join(FOLDER, name), **options)

    tiny = tiny_module().state_dict()
    save("tiny_zip.pth", tiny)
    save("tiny_legacy.pth", tiny, _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        save(f"tiny_protocol{protocol}.pth", tiny, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    write_safetensors(os.path.join(FOLDER, "tiny.safetensors"), tiny)
    save("views_zip.pth", views())
    save("views_legacy.pth", views(), _use_new_zipfile_serialization=False)
    save("training_legacy.pth", training_checkpoint(), _use_new_zipfile_serialization=False)
    save("module_legacy.pth", torch.nn.ReLU(), _use_new_zipfile_serialization=False)  # code, not weights


main()
