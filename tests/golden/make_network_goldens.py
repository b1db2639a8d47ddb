#!/usr/bin/env python3
"""Writes tests/golden/networks.json: what whole published networks compute in PyTorch.

    python3 tests/golden/make_network_goldens.py

Needs torch and torchvision (made with 1.13.1 and 0.14.1 on a CPU). torchvision's networks are its
own; those of segmentation_models.pytorch are put together here from its names and rules. Weights
and pictures follow from names by `uniform`, which tests/parity/published_networks_test.cc has too,
so the file holds only a sample of each output, its range, and a hash of all names and shapes.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torchvision.models import mobilenetv3, resnet, segmentation
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3
from torchvision.models.segmentation.fcn import FCN, FCNHead

torch.set_num_threads(2)
SAMPLES = 64
MASK = 0xFFFFFFFF


def name_key(text):
    """FNV-1a of 32 bits."""
    key = 0x811C9DC5
    for letter in text.encode():
        key = ((key ^ letter) * 0x01000193) & MASK
    return key


def uniform(name, count):
    """`count` numbers in [-1, 1), exact in double."""
    x = (name_key(name) * 0x9E3779B1 + np.arange(count, dtype=np.uint64) * 0x85EBCA6B + 1) & MASK
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & MASK
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & MASK
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2.0**31 - 1


def seeded(name, shape):
    """The parameter `name`: activations stay in range, and every part of every layer matters."""
    u = uniform(name, int(np.prod(shape)))
    if len(shape) == 4:
        u *= np.sqrt(6.0 * shape[0] / np.prod(shape))  # He et al.: uniform of variance 2 / fan-in
    elif name.endswith("weight"):
        u = 0.75 + 0.25 * u
    elif name.endswith("running_var"):
        u = 1 + 0.25 * u
    else:
        u *= 0.1
    return torch.from_numpy(u.reshape(shape).astype(np.float32))


# --- segmentation_models.pytorch ---


def dilated(stage, rate):
    """Its rule: every convolution of the stage, the first block's too."""
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            module.stride, module.dilation = (1, 1), (rate, rate)
            module.padding = tuple(k // 2 * rate for k in module.kernel_size)


class Encoder(nn.Module):
    def __init__(self, layers, output_stride=32):
        super().__init__()
        net = getattr(resnet, f"resnet{layers}")()
        for name in ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"):
            setattr(self, name, getattr(net, name))
        if output_stride == 8:
            dilated(self.layer3, 2)
        if output_stride < 32:
            dilated(self.layer4, 32 // output_stride)
        wide = 1 if layers < 50 else 4
        self.channels = [64] + [wide * c for c in (64, 128, 256, 512)]

    def forward(self, x):
        features = [F.relu(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            features.append(x)
        return features


def conv_unit(inputs, outputs, kernel=1, dilation=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * dilation,
                                   dilation=dilation, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU())


def separable(inputs, outputs, dilation=1):
    return nn.Sequential(nn.Conv2d(inputs, inputs, 3, padding=dilation, dilation=dilation,
                                   groups=inputs, bias=False),
                         nn.Conv2d(inputs, outputs, 1, bias=False))


def separable_unit(inputs, outputs, dilation=1):
    return nn.Sequential(separable(inputs, outputs, dilation), nn.BatchNorm2d(outputs), nn.ReLU())


class UnetBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.conv2 = conv_unit(inputs, outputs, 3), conv_unit(outputs, outputs, 3)


class Unet(nn.Module):
    def __init__(self, layers, classes):
        super().__init__()
        self.encoder = Encoder(layers)
        below = self.encoder.channels[::-1]
        outputs = [256, 128, 64, 32, 16]
        inputs = [a + b for a, b in zip(below[:1] + outputs, below[1:] + [0])]
        self.decoder = nn.Module()
        self.decoder.blocks = nn.ModuleList(UnetBlock(*io) for io in zip(inputs, outputs))
        self.segmentation_head = nn.Sequential(nn.Conv2d(16, classes, 3, padding=1))

    def forward(self, image):
        features = self.encoder(image)
        x = features.pop()
        for block in self.decoder.blocks:
            skip = features.pop() if features else None
            size = (image if skip is None else skip).shape[-2:]
            x = F.interpolate(x, size=size, mode="nearest")
            x = x if skip is None else torch.cat([x, skip], 1)
            x = block.conv2(block.conv1(x))
        return {"logits": self.segmentation_head(x)}


class Aspp(nn.Module):
    def __init__(self, inputs, unit):
        super().__init__()
        pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_unit(inputs, 256))
        self.convs = nn.ModuleList([conv_unit(inputs, 256),
                                    *(unit(inputs, 256, dilation=r) for r in (12, 24, 36)), pooling])
        self.project = conv_unit(5 * 256, 256)

    def forward(self, x):
        parts = [conv(x) for conv in self.convs]
        parts[-1] = F.interpolate(parts[-1], size=x.shape[-2:], mode="bilinear")
        return self.project(torch.cat(parts, 1))


class SmpDeeplab(nn.Module):
    """What v3 and v3+ share; a size that smp rejects is mirrored up to the next multiple."""

    def __init__(self, layers, classes, output_stride):
        super().__init__()
        self.encoder = Encoder(layers, output_stride)
        self.output_stride = output_stride
        self.segmentation_head = nn.Sequential(nn.Conv2d(256, classes, 1))
        self.decoder = nn.Module()

    def forward(self, image):
        h, w = image.shape[-2:]
        pads = (0, -w % self.output_stride, 0, -h % self.output_stride)
        x = F.pad(image, pads, mode="reflect") if any(pads) else image
        x = self.segmentation_head(self.decode(self.encoder(x)))
        x = F.interpolate(x, scale_factor=self.last_scale, mode="bilinear", align_corners=True)
        return {"logits": x[..., :h, :w]}


class SmpDeeplabV3(SmpDeeplab):
    def __init__(self, layers, classes, output_stride):
        super().__init__(layers, classes, output_stride)
        unit = lambda i, o, dilation: conv_unit(i, o, 3, dilation)
        self.decoder.aspp = Aspp(self.encoder.channels[-1], unit)
        self.decoder.conv = nn.Conv2d(256, 256, 3, padding=1, bias=False)
        self.decoder.bn = nn.BatchNorm2d(256)
        self.last_scale = output_stride

    def decode(self, features):
        return F.relu(self.decoder.bn(self.decoder.conv(self.decoder.aspp(features[-1]))))


class SmpDeeplabV3Plus(SmpDeeplab):
    def __init__(self, layers, classes, output_stride):
        super().__init__(layers, classes, output_stride)
        channels = self.encoder.channels
        self.decoder.aspp = nn.Sequential(Aspp(channels[-1], separable_unit), separable(256, 256),
                                          nn.BatchNorm2d(256), nn.ReLU())
        self.decoder.block1 = conv_unit(channels[1], 48)
        self.decoder.block2 = separable_unit(48 + 256, 256)
        self.last_scale = 4

    def decode(self, features):
        x = F.interpolate(self.decoder.aspp(features[-1]), scale_factor=self.output_stride // 4,
                          mode="bilinear", align_corners=True)
        x = torch.cat([x, self.decoder.block1(features[1])], 1)
        return self.decoder.block2(x)


# --- torchvision ---


class Torchvision(nn.Module):
    """Its dictionary under our names."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def state_dict(self):
        return self.net.state_dict()

    def forward(self, image):
        result = self.net(image)
        return {"logits" if key == "out" else key: value for key, value in result.items()}


def published(name):
    options = {} if name.startswith("lraspp") else {"aux_loss": True}
    return Torchvision(getattr(segmentation, name)(
        weights=None, weights_backbone=None, num_classes=21, **options))


def fcn_of_stride(output_stride):
    dilate = [False, output_stride < 16, output_stride < 32]
    backbone = IntermediateLayerGetter(
        resnet.resnet50(replace_stride_with_dilation=dilate), {"layer4": "out", "layer3": "aux"})
    return Torchvision(FCN(backbone, FCNHead(2048, 21), FCNHead(1024, 21)))


def narrow_mobile():
    """Half the channels, an ASPP as always, no auxiliary head."""
    features = mobilenetv3.mobilenet_v3_large(width_mult=0.5, dilated=True).features
    backbone = IntermediateLayerGetter(features, {"16": "out"})
    head = DeepLabHead(480, 21)
    head[0] = segmentation.deeplabv3.ASPP(480, [12, 24, 36], 128)
    head[1], head[2] = nn.Conv2d(128, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128)
    head[4] = nn.Conv2d(128, 21, 1)
    return Torchvision(DeepLabV3(backbone, head))


# --- the file ---


def sampled(output):
    values = output.flatten()
    picked = values[[i * len(values) // SAMPLES for i in range(SAMPLES)]]
    return {"low": float(f"{values.min():.7g}"), "high": float(f"{values.max():.7g}"),
            "values": [float(f"{v:.7g}") for v in picked.tolist()]}


def golden(title, network, settings, net, classes, sizes):
    state = net.state_dict()
    parameters = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    for name, value in parameters.items():
        value.copy_(seeded(name, tuple(value.shape)))
    lines = sorted(name + " " + "x".join(map(str, v.shape)) for name, v in parameters.items())
    net.eval()
    cases = []
    for h, w in sizes:
        image = torch.from_numpy(2 * uniform("image", 3 * h * w)).float().reshape(1, 3, h, w)
        with torch.no_grad():
            outputs = net(image)
        cases.append({"h": h, "w": w, "outputs": {k: sampled(v) for k, v in outputs.items()}})
    print(title, len(state), {k: (v["low"], v["high"]) for k, v in cases[0]["outputs"].items()})
    return {"title": title, "network": network, "settings": settings, "classes": classes,
            "tensors": len(state), "names": name_key("\n".join(lines)), "cases": cases}


def main():
    odd, larger, tiny = (65, 97), (97, 129), (7, 5)
    cases = []
    for name in ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101",
                 "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"):
        small = "mobilenet" in name
        sizes = [odd, larger, (1, 1), tiny] if small else [odd, tiny]
        cases.append(golden(name, name, {}, published(name), 21, sizes))
    for stride in (16, 32):
        cases.append(golden(f"fcn_resnet50_stride{stride}", "fcn_resnet50",
                            {"output_stride": str(stride)}, fcn_of_stride(stride), 21, [odd]))
    cases.append(golden("deeplabv3_mobilenet_v3_large_narrow", "deeplabv3_mobilenet_v3_large",
                        {"width": "8", "aux": "false"}, narrow_mobile(), 21, [odd, tiny]))
    for layers in (18, 34, 50, 101):
        sizes = [odd, (1, 1), tiny] if layers != 34 else [odd, larger, (64, 96)]
        cases.append(golden(f"smp_unet_resnet{layers}", "smp_unet",
                            {"encoder": f"resnet{layers}"}, Unet(layers, 1), 1, sizes))
    for layers, stride in ((34, 16), (50, 16), (18, 8)):
        cases.append(golden(f"smp_deeplabv3plus_resnet{layers}", "smp_deeplabv3plus",
                            {"encoder": f"resnet{layers}", "output_stride": str(stride)},
                            SmpDeeplabV3Plus(layers, 1, stride), 1, [(64, 96), (33, 47)]))
    for layers, stride in ((34, 8), (50, 16)):
        cases.append(golden(f"smp_deeplabv3_resnet{layers}", "smp_deeplabv3",
                            {"encoder": f"resnet{layers}", "output_stride": str(stride)},
                            SmpDeeplabV3(layers, 1, stride), 1, [(64, 96), (33, 47)]))
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (pathlib.Path(__file__).parent / "networks.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
