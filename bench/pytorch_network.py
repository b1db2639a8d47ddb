"""The network of a .segmentum file in PyTorch, node by node, timed by the protocol of compare.py.

Its graph is a list of operators in an order in which they run (docs/model-file.md); each becomes what a person would
write for it in PyTorch. A value is let go after its last reader, as local variables are.
"""

import argparse
import json
import os
import struct
import warnings

import numpy
import torch
from torch import nn
from torch.nn import functional as F

import protocol

# Traces are for one size on purpose.
warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)

ACTIVATIONS = {
    "relu": lambda x, i: F.relu(x, inplace=i),
    "relu6": lambda x, i: F.relu6(x, inplace=i),
    "sigmoid": lambda x, i: x.sigmoid_() if i else x.sigmoid(),
    "hard_sigmoid": lambda x, i: F.hardsigmoid(x, inplace=i),
    "hard_swish": lambda x, i: F.hardswish(x, inplace=i),
    "gelu": lambda x, i: F.gelu(x),
}
LAYERS = {}


def layer(name):
    def register(function):
        LAYERS[name] = function
        return function

    return register


def read_model(path):
    """Graph and tensors of a model file."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    graph = json.loads(header.pop("__metadata__")["graph"])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data, "<f4", (end - begin) // 4, begin)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return graph, tensors


def both(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def sides(padding):
    """Top, left, bottom, right."""
    return (padding,) * 4 if isinstance(padding, int) else tuple(padding)


def symmetric(padding, node):
    top, left, bottom, right = sides(padding)
    if (top, left) != (bottom, right):
        raise SystemExit(f"{node['name']}: PyTorch pads both ends alike")
    return top, left


def activated(x, node, inplace):
    kind = node.get("activation", "none")
    if isinstance(kind, dict):
        return F.leaky_relu(x, kind["slope"], inplace)
    if kind == "leaky_relu":
        return F.leaky_relu(x, 0.01, inplace)
    return x if kind == "none" else ACTIVATIONS[kind](x, inplace)


# --- operators: each makes a function of the inputs from a node; parameters live in modules ---


@layer("conv")
def conv(node, module):
    def run(x, other=None):
        x = module(x)
        return activated(x if other is None else x + other, node, inplace=True)

    return run


@layer("transposed_conv")
@layer("batch_norm")
@layer("group_norm")
def parametrised(node, module):
    return lambda x: activated(module(x), node, inplace=True)


@layer("layer_norm")
def layer_norm(node, module):
    return lambda x: module(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@layer("activate")
def activate(node, module):
    return lambda x: activated(x, node, inplace=node["alone"])


@layer("max_pool")
def max_pool(node, module):
    kernel, stride = both(node.get("kernel", 2)), both(node.get("stride", 2))
    padding = symmetric(node.get("padding", 0), node)
    return lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=node.get("ceil", False))


@layer("average_pool")
def average_pool(node, module):
    kernel, stride = both(node.get("kernel", 2)), both(node.get("stride", 2))
    padding = symmetric(node.get("padding", 0), node)
    return lambda x: F.avg_pool2d(
        x, kernel, stride, padding, node.get("ceil", False), node.get("count_padding", True)
    )


@layer("global_average_pool")
def global_average_pool(node, module):
    return lambda x: F.adaptive_avg_pool2d(x, 1)


@layer("resize")
def resize(node, module):
    scale, divisor = node.get("scale", 0), node.get("divisor", 1)
    bilinear = node.get("mode", "bilinear") == "bilinear"
    corners = node.get("align_corners", False)

    def run(x, like=None):
        h, w = x.shape[2:] if like is None else like.shape[2:]
        size = (h, w) if like is not None else (-(-h * scale // divisor), -(-w * scale // divisor))
        if not bilinear:
            return F.interpolate(x, size, mode="nearest-exact")
        return F.interpolate(x, size, mode="bilinear", align_corners=corners)

    return run


@layer("concat")
def concat(node, module):
    return lambda *values: torch.cat(values, dim=1)


@layer("add")
def add(node, module):
    return lambda a, b: activated(a + b, node, inplace=True)


@layer("multiply")
def multiply(node, module):
    return lambda a, b: a * b


@layer("maximum")
def maximum(node, module):
    return torch.maximum


@layer("softmax")
def softmax(node, module):
    return lambda x: x.softmax(1)


@layer("dropout")
def dropout(node, module):
    return module


@layer("pad")
def pad(node, module):
    top, left, bottom, right = sides(node.get("margin", 0))
    multiple, remainder = node.get("multiple", 1), node.get("remainder", 0)
    mode = {"mirror": "reflect", "edge": "replicate", "zero": "constant"}[node.get("mode", "zero")]

    def run(x):
        h, w = x.shape[2:]
        below = bottom + (remainder - (h + top + bottom)) % multiple
        after = right + (remainder - (w + left + right)) % multiple
        margins = (left, after, top, below)
        return F.pad(x, margins, mode) if any(margins) else x

    return run


@layer("crop")
def crop(node, module):
    offset = both(node.get("offset", 0))

    def run(x, like):
        (h, w), (wide_h, wide_w) = like.shape[2:], x.shape[2:]
        top, left = ((wide_h - h) // 2, (wide_w - w) // 2) if node.get("centre") else offset
        return x if (h, w) == (wide_h, wide_w) else x[:, :, top : top + h, left : left + w]

    return run


def module_of(node, tensors):
    """The module that holds a node's parameters, filled; None for operators that have none."""
    name, op = node["name"], node["op"]
    weight = tensors.get(f"{name}.weight")
    if op in ("conv", "transposed_conv"):
        groups = node.get("groups", 1)
        transposed = op == "transposed_conv"
        channels = (weight.shape[0], node["channels"])
        if not transposed:
            channels = (weight.shape[1] * groups, node["channels"])
        settings = {
            "kernel_size": weight.shape[2:],
            "stride": both(node.get("stride", 2 if transposed else 1)),
            "padding": symmetric(node.get("padding", 0), node),
            "groups": groups,
            "bias": node.get("bias", True),
        }
        if transposed:
            settings["output_padding"] = both(node.get("output_padding", 0))
            module = nn.ConvTranspose2d(*channels, **settings)
        else:
            module = nn.Conv2d(*channels, **settings, dilation=both(node.get("dilation", 1)))
    elif op == "batch_norm":
        module = nn.BatchNorm2d(
            weight.shape[0], node.get("epsilon", 1e-5), node.get("momentum", 0.1)
        )
    elif op == "group_norm":
        module = nn.GroupNorm(node["groups"], weight.shape[0], node.get("epsilon", 1e-5))
    elif op == "layer_norm":
        module = nn.LayerNorm(weight.shape[0], node.get("epsilon", 1e-5))
    elif op == "dropout":
        return nn.Dropout(node.get("rate", 0.5))
    else:
        return None
    own = {key: tensors[f"{name}.{key}"] for key in module.state_dict() if f"{name}.{key}" in tensors}
    module.load_state_dict(own, strict=False)
    return module


class Network(nn.Module):
    """The graph up to its output "logits"."""

    def __init__(self, graph, tensors):
        super().__init__()
        self.input = graph["inputs"][0]
        self.result = graph["outputs"]["logits"]
        nodes = needed(graph["nodes"], self.result)
        readers = {}
        for node in nodes:
            for name in node.get("inputs", []):
                readers.setdefault(name, []).append(node["name"])
        self.parts = nn.ModuleDict()
        self.steps = []
        for node in nodes:
            if node["op"] == "input":
                continue
            if node["op"] not in LAYERS:
                raise SystemExit(f"{node['name']}: there is no {node['op']} in pytorch_network.py")
            inputs = node["inputs"]
            # In place where nobody else reads the input, as people write it after a convolution.
            node["alone"] = len(readers[inputs[0]]) == 1 and inputs[0] != self.input
            module = module_of(node, tensors)
            if module is not None:
                self.parts[node["name"].replace(".", "/")] = module
            last = [name for name in dict.fromkeys(inputs) if readers[name][-1] == node["name"]]
            self.steps.append((node["name"], LAYERS[node["op"]](node, module), inputs, last))

    def forward(self, image):
        values = {self.input: image}
        for name, run, inputs, last in self.steps:
            values[name] = run(*(values[i] for i in inputs))
            for done in last:
                del values[done]
        return values[self.result]


def needed(nodes, result):
    wanted = {result}
    for node in reversed(nodes):
        if node["name"] in wanted:
            wanted.update(node.get("inputs", []))
    return [node for node in nodes if node["name"] in wanted]


# --- inference and training, in the forms that PyTorch offers ---


def inference(model, image, variant):
    """The fastest forms that PyTorch offers; compare.py takes the best of them."""
    model.eval()
    if "channels_last" in variant:
        model, image = channels_last(model, image)
    if "frozen" in variant or "optimized" in variant:
        model = torch.jit.freeze(torch.jit.trace(model, image))
    if "optimized" in variant:  # folds batch norm and keeps oneDNN's layouts between layers
        model = torch.jit.optimize_for_inference(model)

    def run():
        with torch.inference_mode():
            return model(image)

    return run


def training(model, image, variant):
    model.train()
    if "channels_last" in variant:
        model, image = channels_last(model, image)
    n, _, h, w = image.shape
    with torch.inference_mode():
        classes = model.eval()(image[:1]).shape[1]
    model.train()
    labels = torch.randint(0, classes, (n, h, w))
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss(model(image), labels).backward()
        optimizer.step()

    return run


def channels_last(model, image):
    return (
        model.to(memory_format=torch.channels_last),
        image.to(memory_format=torch.channels_last),
    )


def blas_library():
    """The file behind BLAS, which the first product loads."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps") as file:
        paths = {line.split()[-1] for line in file if "blas" in line}
    return os.path.realpath(sorted(paths)[0]) if paths else ""


def largest_difference(model, tensors):
    """Of the logits for the file's golden pair, as a part of their range."""
    logits = tensors["golden.logits"]
    with torch.inference_mode():
        ours = model.eval()(tensors["golden.input"])
    return float((ours - logits).abs().max() / (logits.max() - logits.min()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="a .segmentum file")
    parser.add_argument("--mode", choices=["infer", "train"], default="infer")
    parser.add_argument("--variant", default="eager", help="eager | channels_last | frozen | ...")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    blas = blas_library()
    start_rss_bytes = protocol.rss_bytes()
    graph, tensors = read_model(options.file)
    model = Network(graph, tensors)
    difference = largest_difference(model, tensors)
    image = torch.randn(options.batch, tensors["golden.input"].shape[1], options.size, options.size)
    del graph, tensors
    make = inference if options.mode == "infer" else training
    run = make(model, image, options.variant)
    for _ in range(3):  # the just-in-time compiler specialises in its second run
        run()
    protocol.serve(
        run,
        version=torch.__version__,
        blas=blas,
        parameters=sum(p.numel() for p in model.parameters()),
        golden_difference=difference,
        start_rss_bytes=start_rss_bytes,
    )


main()
