#!/usr/bin/env python3
"""Writes what PyTorch computes for single operators, forward and backward: operators/*.json.

    python3 tests/golden/make_operator_goldens.py

The stored files were made with PyTorch 1.13.1 on a CPU. Each case holds the node (names and
settings as in src/graph/operators.h; settings that are left out have their defaults), the mode,
and plain float32 numbers: inputs, parameters, output, the gradient of the output that was fed
back, and what came of it. engine/operator_goldens_test.cc reads them.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_num_threads(2)
FOLDER = pathlib.Path(__file__).parent / "operators"


def tensor(values):
    values = values.detach()
    return {"shape": list(values.shape),
            "values": [float(f"{v:.9g}") for v in values.flatten().tolist()]}


class Family:
    """The cases of one file. Inputs have three decimals, to be short and exactly the same anywhere."""

    def __init__(self, name, seed):
        self.name, self.cases = name, []
        self.generator = torch.Generator().manual_seed(seed)

    def random(self, *shape, scale=1.0):
        numbers = torch.randn(*shape, generator=self.generator, dtype=torch.float64) * scale
        return torch.round(numbers * 1000).div(1000).float()

    def add(self, name, op, run, shapes, parameters=None, settings=None, mode="train", scale=1.0,
            running=None):
        """run(*inputs, **parameters) -> output; parameters by the last part of their names."""
        inputs = [self.random(*shape, scale=scale).requires_grad_() for shape in shapes]
        parameters = {k: v.requires_grad_() for k, v in (parameters or {}).items()}
        running = running or {}
        before = {k: v.clone() for k, v in running.items()}
        output = run(*inputs, **parameters, **running)
        case = {"name": name, "op": op, "settings": settings or {}, "mode": mode,
                "inputs": [tensor(x) for x in inputs],
                "parameters": {k: tensor(v) for k, v in {**parameters, **before}.items()},
                "output": tensor(output)}
        if mode != "infer":
            gradient = self.random(*output.shape)
            output.backward(gradient)
            case["output_gradient"] = tensor(gradient)
            # An input whose shape alone is read has no gradient.
            case["input_gradients"] = [tensor(torch.zeros_like(x) if x.grad is None else x.grad)
                                       for x in inputs]
            case["parameter_gradients"] = {k: tensor(v.grad) for k, v in parameters.items()}
            case["running"] = {k: tensor(v) for k, v in running.items()}
        self.cases.append(case)

    def write(self):
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in self.cases)
        (FOLDER / f"{self.name}.json").write_text(f"[\n{lines}\n]\n")


def padded(x, padding):
    top, left, bottom, right = padding
    return F.pad(x, (left, right, top, bottom))


def convolutions():
    family = Family("convolution", 1)

    def conv(name, shape, channels, kernel, stride=(1, 1), dilation=(1, 1), padding=(0, 0, 0, 0),
             groups=1, bias=True):
        parameters = {"weight": family.random(channels, shape[1] // groups, *kernel, scale=0.5)}
        if bias:
            parameters["bias"] = family.random(channels)
        family.add(name, "conv",
                   lambda x, weight, bias=None: F.conv2d(padded(x, padding), weight, bias, stride, 0,
                                                         dilation, groups),
                   [shape], parameters,
                   dict(channels=channels, kernel=kernel, stride=stride, dilation=dilation,
                        padding=padding, groups=groups, bias=bias))

    def transposed(name, shape, channels, kernel, stride, padding=0, output_padding=(0, 0), groups=1,
                   bias=True):
        parameters = {"weight": family.random(shape[1], channels // groups, *kernel, scale=0.5)}
        if bias:
            parameters["bias"] = family.random(channels)
        family.add(name, "transposed_conv",
                   lambda x, weight, bias=None: F.conv_transpose2d(
                       x, weight, bias, stride, padding, output_padding, groups),
                   [shape], parameters,
                   dict(channels=channels, kernel=kernel, stride=stride, padding=[padding] * 4,
                        output_padding=output_padding, groups=groups, bias=bias))

    conv("k3_pad1", (2, 3, 5, 7), 4, (3, 3), padding=(1, 1, 1, 1))
    conv("k1", (1, 5, 3, 4), 3, (1, 1))
    conv("k3_stride2_no_bias", (1, 3, 7, 6), 2, (3, 3), stride=(2, 2), padding=(1, 1, 1, 1),
         bias=False)
    conv("k3x5_stride1x2", (1, 2, 6, 9), 3, (3, 5), stride=(1, 2), padding=(1, 2, 1, 2))
    conv("dilation2", (1, 2, 7, 8), 3, (3, 3), dilation=(2, 2), padding=(2, 2, 2, 2))
    conv("dilation3_stride2", (1, 2, 9, 8), 2, (3, 3), stride=(2, 2), dilation=(3, 3),
         padding=(3, 3, 3, 3))
    conv("groups3", (1, 6, 5, 4), 3, (3, 3), padding=(1, 1, 1, 1), groups=3)
    conv("depthwise", (1, 5, 5, 6), 5, (3, 3), padding=(1, 1, 1, 1), groups=5)
    conv("asymmetric_padding", (1, 2, 6, 5), 3, (3, 3), stride=(2, 2), padding=(0, 1, 2, 0))
    conv("of_1x1", (2, 3, 1, 1), 4, (3, 3), padding=(1, 1, 1, 1))
    transposed("transposed_k2_stride2", (2, 4, 3, 4), 3, (2, 2), (2, 2))
    transposed("transposed_k4_stride2_pad1", (1, 3, 4, 3), 2, (4, 4), (2, 2), 1)
    transposed("transposed_k3_output_padding", (1, 3, 3, 4), 2, (3, 3), (2, 2), 1, (1, 1))
    transposed("transposed_k4_stride2_groups", (1, 4, 3, 3), 6, (4, 4), (2, 2), 1, groups=2,
               bias=False)
    transposed("transposed_k8_stride4_pad2", (1, 2, 2, 3), 2, (8, 8), (4, 4), 2, bias=False)
    transposed("transposed_k2_stride3", (1, 2, 3, 2), 2, (2, 2), (3, 3))
    family.write()


def normalisations():
    family = Family("normalisation", 2)

    def batch_norm(name, shape, mode="train", eps=1e-5, momentum=0.1):
        c = shape[1]
        family.add(name, "batch_norm",
                   lambda x, weight, bias, running_mean, running_var: F.batch_norm(
                       x, running_mean, running_var, weight, bias, mode == "train", momentum, eps),
                   [shape], dict(weight=family.random(c) + 1.5, bias=family.random(c)),
                   dict(epsilon=eps, momentum=momentum), mode,
                   running=dict(running_mean=family.random(c),
                                running_var=family.random(c).abs() + 0.5))

    def group_norm(name, shape, groups, eps=1e-5):
        c = shape[1]
        family.add(name, "group_norm",
                   lambda x, weight, bias: F.group_norm(x, groups, weight, bias, eps),
                   [shape], dict(weight=family.random(c) + 1.5, bias=family.random(c)),
                   dict(groups=groups, epsilon=eps))

    def layer_norm(name, shape, eps=1e-6):
        c = shape[1]
        family.add(name, "layer_norm",
                   lambda x, weight, bias: F.layer_norm(
                       x.permute(0, 2, 3, 1), (c,), weight, bias, eps).permute(0, 3, 1, 2),
                   [shape], dict(weight=family.random(c) + 1.5, bias=family.random(c)),
                   dict(epsilon=eps))

    batch_norm("batch_norm", (3, 5, 3, 5))
    batch_norm("batch_norm_one_picture", (1, 3, 5, 4), eps=1e-3, momentum=0.01)
    batch_norm("batch_norm_frozen", (2, 3, 3, 4), mode="frozen")
    batch_norm("batch_norm_infer", (2, 3, 3, 4), mode="infer")
    group_norm("group_norm", (2, 6, 3, 4), 3)
    group_norm("group_norm_layer", (2, 3, 3, 3), 1, 1e-3)
    group_norm("group_norm_instance", (1, 4, 3, 5), 4)
    layer_norm("layer_norm", (2, 5, 3, 4))
    layer_norm("layer_norm_of_many", (1, 19, 2, 3), 1e-3)
    family.write()


def pointwise():
    family = Family("pointwise", 3)
    shape = (1, 3, 5, 4)
    for kind, run in [("relu", F.relu), ("leaky_relu", lambda x: F.leaky_relu(x, 0.2)),
                      ("relu6", F.relu6), ("sigmoid", torch.sigmoid),
                      ("hard_sigmoid", F.hardsigmoid), ("hard_swish", F.hardswish)]:
        settings = dict(kind=kind, slope=0.2) if kind == "leaky_relu" else dict(kind=kind)
        family.add(kind, "activate", run, [shape], settings=settings, scale=3.0)
    family.add("softmax", "softmax", lambda x: F.softmax(x, dim=1), [(2, 5, 3, 3)], scale=3.0)
    family.add("add", "add", torch.add, [shape, shape])
    family.add("multiply", "multiply", torch.mul, [shape, shape])
    family.add("multiply_broadcast", "multiply", torch.mul, [(2, 3, 3, 5), (2, 3, 1, 1)])
    family.add("concat", "concat", lambda *x: torch.cat(x, dim=1),
               [(2, 3, 2, 3), (2, 1, 2, 3), (2, 2, 2, 3)])
    family.add("maximum", "maximum", torch.maximum, [shape, shape])
    family.add("gelu", "activate", F.gelu, [shape], settings=dict(kind="gelu"), scale=3.0)
    family.write()


def poolings():
    family = Family("pooling", 4)

    def settings(kernel, stride, padding, ceil):
        return dict(kernel=kernel, stride=stride, padding=[padding[0], padding[1]] * 2, ceil=ceil)

    def max_pool(name, shape, kernel, stride, padding=(0, 0), ceil=False):
        family.add(name, "max_pool",
                   lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil), [shape],
                   settings=settings(kernel, stride, padding, ceil))

    def average_pool(name, shape, kernel, stride, padding=(0, 0), ceil=False, count=True):
        family.add(name, "average_pool",
                   lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, count), [shape],
                   settings=dict(**settings(kernel, stride, padding, ceil), count_padding=count))

    max_pool("max_k2", (2, 3, 5, 6), (2, 2), (2, 2))
    max_pool("max_k2_ceil", (1, 2, 7, 5), (2, 2), (2, 2), ceil=True)
    max_pool("max_k3_stride2_pad1", (1, 2, 8, 7), (3, 3), (2, 2), (1, 1))
    max_pool("max_k3_stride2_pad1_ceil", (1, 2, 8, 6), (3, 3), (2, 2), (1, 1), ceil=True)
    max_pool("max_k3x2_stride1x2", (1, 2, 5, 6), (3, 2), (1, 2), (1, 0))
    average_pool("average_k2", (2, 3, 5, 6), (2, 2), (2, 2))
    average_pool("average_k3_stride2_pad1", (1, 2, 7, 8), (3, 3), (2, 2), (1, 1))
    average_pool("average_k3_stride2_pad1_left_out", (1, 2, 7, 8), (3, 3), (2, 2), (1, 1),
                 count=False)
    average_pool("average_k3_stride2_pad1_ceil", (1, 2, 8, 6), (3, 3), (2, 2), (1, 1), ceil=True)
    average_pool("average_k3_stride2_ceil_left_out", (1, 2, 8, 6), (3, 3), (2, 2), (1, 1), ceil=True,
                 count=False)
    average_pool("average_k2_ceil", (1, 2, 5, 7), (2, 2), (2, 2), ceil=True)
    family.add("global_average", "global_average_pool", lambda x: F.adaptive_avg_pool2d(x, 1),
               [(2, 3, 4, 5)])
    family.write()


def resampling():
    family = Family("resampling", 5)

    def resize(name, shape, to, mode, align=False):
        scale = to[0] // shape[2]
        whole = (shape[2] * scale, shape[3] * scale) == to
        arguments = dict(align_corners=align) if mode == "bilinear" else {}
        settings = dict(mode="bilinear" if mode == "bilinear" else "nearest", align_corners=align)
        if whole:
            family.add(name, "resize",
                       lambda x: F.interpolate(x, size=to, mode=mode, **arguments), [shape],
                       settings=dict(**settings, scale=scale))
        else:
            family.add(name, "resize",
                       lambda x, like: F.interpolate(x, size=to, mode=mode, **arguments),
                       [shape, (shape[0], 1, *to)], settings=settings)

    for align in (False, True):
        suffix = "_aligned" if align else ""
        resize("bilinear_x2" + suffix, (1, 2, 3, 4), (6, 8), "bilinear", align)
        resize("bilinear_odd_up" + suffix, (1, 2, 3, 4), (7, 5), "bilinear", align)
        resize("bilinear_odd_down" + suffix, (1, 2, 7, 5), (3, 4), "bilinear", align)
        resize("bilinear_to_1x1" + suffix, (1, 2, 5, 4), (1, 1), "bilinear", align)
        resize("bilinear_of_1x1" + suffix, (2, 3, 1, 1), (3, 3), "bilinear", align)
    resize("nearest_x2", (1, 2, 3, 4), (6, 8), "nearest")
    resize("nearest_x3", (1, 2, 2, 3), (6, 9), "nearest")
    resize("nearest_exact_odd_up", (1, 2, 3, 4), (7, 5), "nearest-exact")
    resize("nearest_exact_odd_down", (1, 2, 7, 5), (3, 4), "nearest-exact")

    def pad(name, shape, margin, mode):
        top, left, bottom, right = margin
        family.add(name, "pad",
                   lambda x: F.pad(x, (left, right, top, bottom),
                                   {"mirror": "reflect", "edge": "replicate", "zero": "constant"}[mode]),
                   [shape], settings=dict(mode=mode, margin=margin))

    pad("pad_zero", (2, 2, 3, 4), (1, 2, 0, 3), "zero")
    pad("pad_mirror", (2, 2, 4, 5), (3, 2, 1, 4), "mirror")
    family.add("crop_offset", "crop", lambda x, like: x[:, :, 2:5, 1:5], [(1, 2, 6, 7), (1, 1, 3, 4)],
               settings=dict(offset=(2, 1)))
    family.add("crop_centre", "crop", lambda x, like: x[:, :, 1:4, 1:5], [(1, 2, 6, 7), (1, 1, 3, 4)],
               settings=dict(centre=True))

    def location_grid(name, shape, grid):
        h, w = shape[2:]
        cells = torch.eye(grid * grid).reshape(1, grid * grid, grid, grid)
        weights = F.interpolate(cells, size=(h, w), mode="bilinear", align_corners=False)
        family.add(name, "location_grid",
                   lambda x: (x.reshape(shape[0], -1, grid * grid, h, w) * weights).sum(dim=2),
                   [shape], settings=dict(grid=grid))

    location_grid("location_grid", (2, 8, 5, 6), 2)
    location_grid("location_grid_3", (1, 9, 7, 2), 3)
    pad("pad_edge", (1, 2, 3, 4), (2, 3, 5, 1), "edge")
    family.write()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    convolutions()
    normalisations()
    pointwise()
    poolings()
    resampling()
