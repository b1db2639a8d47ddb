#!/usr/bin/env python3
"""Writes tests/golden/onnx: small networks as PyTorch exports them, and what PyTorch computes with them.

    python3 tests/golden/make_onnx_goldens.py

Needs torch and torchvision (made with 1.13.1 and 0.14.1). The networks are torchvision's and in the style of
segmentation_models.pytorch and other projects, of a few channels each; blocks and heads are torchvision's own where it has
them. Files with "refused_" in their names must not be imported; goldens.json says what the message must hold. Pictures
follow from `uniform` of make_network_goldens.py, which the test has too.
"""
import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from torchvision.models import convnext, mobilenetv3, resnet
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import ASPP, DeepLabV3
from torchvision.models.segmentation.fcn import FCN, FCNHead
from torchvision.models.segmentation.lraspp import LRASPP

from make_network_goldens import sampled, uniform

FOLDER = pathlib.Path(__file__).parent / "onnx"
ODD, EVEN, SMALL = (65, 97), (64, 96), (33, 47)


# --- torchvision ---


class NarrowResnet(resnet.ResNet):
    """torchvision's ResNet, layers of one block, of `width` channels and in the last two of twice as many."""

    def __init__(self, block, width, dilate=(False, False)):
        nn.Module.__init__(self)
        self._norm_layer, self.inplanes, self.dilation, self.groups, self.base_width = nn.BatchNorm2d, width, 1, 1, 64
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, width, 1)
        self.layer2 = self._make_layer(block, width, 1, stride=2)
        self.layer3 = self._make_layer(block, 2 * width, 1, stride=2, dilate=dilate[0])
        self.layer4 = self._make_layer(block, 2 * width, 1, stride=2, dilate=dilate[1])


def torchvision_fcn(aux=False):
    layers = {"layer4": "out", "layer3": "aux"} if aux else {"layer4": "out"}
    backbone = IntermediateLayerGetter(NarrowResnet(resnet.Bottleneck, 2, (True, True)), layers)
    return FCN(backbone, FCNHead(16, 5), FCNHead(16, 5) if aux else None)


def torchvision_deeplabv3():
    backbone = IntermediateLayerGetter(NarrowResnet(resnet.Bottleneck, 2, (False, True)), {"layer4": "out"})
    head = nn.Sequential(ASPP(16, [12, 24, 36], 4), nn.Conv2d(4, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8),
                         nn.ReLU(), nn.Conv2d(8, 5, 1))
    return DeepLabV3(backbone, head)


def torchvision_lraspp():
    settings = mobilenetv3._mobilenet_v3_conf("mobilenet_v3_large", width_mult=0.1, reduced_tail=True, dilated=True)[0]
    settings = settings[:5]
    features = mobilenetv3.MobileNetV3(settings, 8).features
    backbone = IntermediateLayerGetter(features, {"4": "low", str(len(features) - 1): "high"})
    with torch.no_grad():
        maps = backbone.eval()(torch.zeros(1, 3, 64, 64))
    return LRASPP(backbone, maps["low"].shape[1], maps["high"].shape[1], 5, inter_channels=8)


# --- in the style of segmentation_models.pytorch ---


def unit(inputs, outputs, kernel=3, norm=nn.BatchNorm2d, **options):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options), norm(outputs),
                         nn.ReLU(inplace=True))


class Encoder(NarrowResnet):
    def forward(self, x):
        features = [self.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(features[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            features.append(x)
        return features


class Scse(nn.Module):
    """Squeeze and excitation of channels, and of places."""

    def __init__(self, channels):
        super().__init__()
        self.of_channels = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 2, 1), nn.ReLU(),
                                         nn.Conv2d(2, channels, 1), nn.Sigmoid())
        self.of_places = nn.Sequential(nn.Conv2d(channels, 1, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.of_channels(x) + x * self.of_places(x)


class SmpUnet(nn.Module):
    def __init__(self, attention=False, activation=None):
        super().__init__()
        self.encoder = Encoder(resnet.BasicBlock, 3)
        widths = [6, 5, 4, 4, 4]
        skips = [6, 3, 3, 3, 0]
        below = [6] + widths[:-1]
        make = lambda b, s, w: nn.Sequential(unit(b + s, w), unit(w, w), Scse(w) if attention else nn.Identity())
        self.blocks = nn.ModuleList(make(b, s, w) for b, s, w in zip(below, skips, widths))
        self.head = nn.Conv2d(4, 5, 3, padding=1)
        self.activation = activation or nn.Identity()

    def forward(self, image):
        features = self.encoder(image)
        x = features.pop()
        for block in self.blocks:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            if features:
                x = torch.cat([x, features.pop()], dim=1)
            x = block(x)
        return self.activation(self.head(x))


class SmpDeeplabV3Plus(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(resnet.BasicBlock, 2, (False, True))
        self.aspp = nn.Sequential(ASPP(4, [2, 4, 6], 8), nn.UpsamplingBilinear2d(scale_factor=4))
        self.low = unit(2, 3, 1)
        self.block = nn.Sequential(nn.Conv2d(11, 11, 3, padding=1, groups=11, bias=False), unit(11, 8, 1))
        self.head = nn.Sequential(nn.Conv2d(8, 5, 1), nn.UpsamplingBilinear2d(scale_factor=4))

    def forward(self, image):
        features = self.encoder(image)
        x = torch.cat([self.aspp(features[-1]), self.low(features[1])], dim=1)
        return self.head(self.block(x))


class SmpFpn(nn.Module):
    """Group norms, sums of levels, dropout."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder(resnet.BasicBlock, 3)
        self.levels = nn.ModuleList(nn.Conv2d(c, 8, 1) for c in (6, 6, 3, 3))
        grouped = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.GroupNorm(4, o), nn.ReLU())
        self.heads = nn.ModuleList(nn.ModuleList(grouped(8, 8) for _ in range(max(n, 1))) for n in (3, 2, 1, 0))
        self.dropout, self.head = nn.Dropout2d(0.2), nn.Conv2d(8, 5, 1)

    def forward(self, image):
        features = self.encoder(image)[:0:-1]
        x, total = None, 0
        for i, (level, head) in enumerate(zip(self.levels, self.heads)):
            lateral = level(features[i])
            x = lateral if x is None else lateral + F.interpolate(x, scale_factor=2, mode="nearest")
            y = x
            for layer in head:
                y = layer(y)
                if i < 3:
                    y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=True)
            total = total + y
        return F.interpolate(self.head(self.dropout(total)), scale_factor=4, mode="bilinear", align_corners=False)


class Linknet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(resnet.BasicBlock, 4)
        up = lambda i, o: nn.Sequential(unit(i, i // 4, 1), nn.ConvTranspose2d(i // 4, i // 4, 4, 2, 1),
                                        nn.BatchNorm2d(i // 4), nn.ReLU(), unit(i // 4, o, 1))
        self.blocks = nn.ModuleList(up(i, o) for i, o in ((8, 8), (8, 4), (4, 4), (4, 4), (4, 4)))
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, image):
        features = self.encoder(image)
        x = features.pop()
        for block in self.blocks:
            x = block(x)
            if features:
                x = x + features.pop()
        self.logits = self.head(x)
        return torch.sigmoid(self.logits)


# --- others ---


class PaddedUnet(nn.Module):
    """What comes up is padded to the size of what it joins, as in many a U-Net."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([unit(3, 4), unit(4, 6), unit(6, 8)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(8, 6, 2, 2), nn.ConvTranspose2d(6, 4, 2, 2)])
        self.join = nn.ModuleList([unit(12, 6), unit(8, 4)])
        self.head = nn.Conv2d(4, 5, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        skips.pop()
        for up, join in zip(self.up, self.join):
            x, skip = up(x), skips.pop()
            dy, dx = skip.size(2) - x.size(2), skip.size(3) - x.size(3)
            x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
            x = join(torch.cat([skip, x], dim=1))
        return self.head(x)


class InstanceUnet(nn.Module):
    """Instance norms and leaky ReLUs, as nnU-Net has them; softmax at the end."""

    def __init__(self):
        super().__init__()
        block = lambda i, o, s: nn.Sequential(nn.Conv2d(i, o, 3, s, 1), nn.InstanceNorm2d(o, affine=True),
                                              nn.LeakyReLU(0.01))
        self.a, self.b = block(1, 4, 1), block(4, 8, 2)
        self.up, self.c = nn.ConvTranspose2d(8, 4, 2, 2), block(8, 4, 1)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        a = self.a(x)
        self.logits = self.head(self.c(torch.cat([self.up(self.b(a)), a], 1)))
        return torch.softmax(self.logits, dim=1)


class ShuffledPrelu(nn.Module):
    """PReLUs of one and of many slopes, average pooling, pixel shuffle, plane-wide context."""

    def __init__(self):
        super().__init__()
        self.a, self.one = nn.Conv2d(3, 6, 3, 2, 1), nn.PReLU()
        self.b, self.many = nn.Conv2d(6, 8, 5, 1, 4, dilation=2), nn.PReLU(8)
        self.squeeze = nn.Sequential(nn.Linear(8, 3), nn.ReLU6(), nn.Linear(3, 8), nn.Hardsigmoid())
        self.head = nn.Conv2d(8, 12, 1)
        with torch.no_grad():
            self.many.weight.copy_(torch.linspace(-0.2, 0.4, 8))

    def forward(self, x):
        x = self.many(self.b(self.one(self.a(x))))
        factor = self.squeeze(F.adaptive_avg_pool2d(x, 1).flatten(1))
        x = x * factor.view(factor.size(0), -1, 1, 1) + F.adaptive_avg_pool2d(x, 1).expand_as(x)
        return F.pixel_shuffle(self.head(F.avg_pool2d(x, 3, 1, 1)), 2)


class WithPreprocessing(nn.Module):
    """Samples 0 to 255 in, labels out."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, x):
        self.logits = self.net((x / 255 - self.mean) / self.std)
        return self.logits.argmax(1)


class ChannelsLast(nn.Module):
    """Linear layers on [N,H,W,C], tanh, a clipping of its own, reflected edges; a quarter of the picture's size."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 4, 4)
        self.mix = nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect")
        self.wide, self.narrow = nn.Linear(6, 10), nn.Linear(10, 6)
        self.head = nn.Conv2d(6, 5, 1)

    def forward(self, x):
        x = self.stem(x)
        y = self.narrow(torch.tanh(self.wide(self.mix(x).permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)
        return self.head(torch.clamp(x - 0.5 * y, -0.75, 1.5))


class ConvnextBlock(nn.Module):
    """Liu et al., CVPR 2022: a wide depthwise convolution, then layer norm and two linear layers on [N,H,W,C]."""

    def __init__(self, c):
        super().__init__()
        self.dwconv, self.norm = nn.Conv2d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c, eps=1e-6)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c)
        self.gamma = nn.Parameter(torch.linspace(0.5, 1.5, c))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class ChannelsFirstNorm(nn.Module):
    """A layer norm written out on [N,C,H,W], as ConvNeXt's own code has it."""

    def __init__(self, c):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.6, 1.1, c))
        self.bias = nn.Parameter(torch.linspace(-0.2, 0.2, c))

    def forward(self, x):
        u = x.mean(1, keepdim=True)
        s = (x - u).pow(2).mean(1, keepdim=True)
        x = (x - u) / torch.sqrt(s + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class ConvnextUnet(nn.Module):
    """Two levels of blocks, a halved skip by `chunk`, magnified and joined."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 2, 2), ChannelsFirstNorm(6))
        self.first, self.second = ConvnextBlock(6), ConvnextBlock(8)
        self.down = nn.Sequential(ChannelsFirstNorm(6), nn.Conv2d(6, 8, 2, 2))
        self.head = nn.Conv2d(11, 5, 1)

    def forward(self, image):
        low = self.first(self.stem(image))
        high = F.interpolate(self.second(self.down(low)), scale_factor=2, mode="bilinear", align_corners=False)
        x = self.head(torch.cat([high, low.chunk(2, dim=1)[0]], dim=1))
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class TorchvisionConvnext(nn.Module):
    """torchvision's ConvNeXt, narrow, under a head."""

    def __init__(self):
        super().__init__()
        settings = [convnext.CNBlockConfig(4, 6, 1), convnext.CNBlockConfig(6, 8, 1), convnext.CNBlockConfig(8, None, 2)]
        self.features, self.head = convnext.ConvNeXt(settings).features, nn.Conv2d(8, 5, 1)

    def forward(self, image):
        return F.interpolate(self.head(self.features(image)), size=image.shape[-2:], mode="bilinear")


class Cropped(nn.Module):
    """Padded for a wide view, cut back at the centre; pooling that rounds up."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=9), nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 5, 4, 2, bias=False)

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.a(image)), 2, ceil_mode=True)
        x = self.up(F.hardswish(self.b(x)))
        return x[:, :, 5:5 + image.size(2), 5:5 + image.size(3)]


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.q, self.head = nn.Conv2d(3, 4, 3, 2, 1), nn.Linear(4, 4), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        x = self.a(x)
        tokens = x.flatten(2).transpose(1, 2)
        return self.head(x)[:, :, :1, :1] + (self.q(tokens) @ tokens.transpose(1, 2)).mean()


class Smooth(nn.Module):
    def __init__(self, activation, resize=None):
        super().__init__()
        self.conv, self.activation, self.resize = nn.Conv2d(3, 2, 3, padding=1), activation, resize

    def forward(self, x):
        x = self.activation(self.conv(x))
        return F.interpolate(x, scale_factor=2, mode=self.resize) if self.resize else x


class Unpooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x):
        y, places = F.max_pool2d(self.conv(x), 2, return_indices=True)
        return y * places


# --- the files ---


def randomised(net, seed):
    """Random weights; statistics that no layer can do without."""
    torch.manual_seed(seed)
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, convnext.CNBlock):
            nn.init.uniform_(module.layer_scale, 0.5, 1.5)
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.6, 1.1)
            nn.init.uniform_(module.bias, -0.2, 0.2)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.8, 1.5)
    return net.eval()


def picture(channels, h, w, scale):
    values = torch.from_numpy(2 * uniform("image", channels * h * w)).float().reshape(1, channels, h, w)
    return values if scale is None else (values + 2) * (255 / 4)


def export(name, net, opset, dynamic, size, channels=3, outputs=("logits",), scale=None, fold=True):
    image = picture(channels, *size, scale)
    axes = {key: {0: "batch", 2: "height", 3: "width"} for key in ("image", *outputs)} if dynamic else None
    if axes and net.__class__ is WithPreprocessing:
        axes["labels"] = {0: "batch", 1: "height", 2: "width"}
    options = {} if fold else {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    torch.onnx.export(net, image, FOLDER / f"{name}.onnx", opset_version=opset, input_names=["image"],
                      output_names=list(outputs), dynamic_axes=axes, **options)


def mirrored(image, multiple):
    h, w = image.shape[-2:]
    return F.pad(image, (0, -w % multiple, 0, -h % multiple), mode="reflect")


def logits_of(net, image, end):
    with torch.no_grad():
        out = net(image)
    if isinstance(out, dict):
        out = out["out"]
    return end(net, out) if end else out


def golden(name, net, sizes, opset=17, dynamic=True, made_at=SMALL, multiple=1, end=None, **options):
    """`end`: from what the network gives back to logits. `multiple`: what pictures are mirrored up to."""
    net = randomised(net, len(name))
    export(name, net, opset, dynamic, made_at, **options)
    channels, scale = options.get("channels", 3), options.get("scale")
    cases = []
    for h, w in sizes:
        logits = logits_of(net, mirrored(picture(channels, h, w, scale), multiple), end)[..., :h, :w]
        cases.append({"h": h, "w": w, **sampled(logits)})
    print(name, (FOLDER / f"{name}.onnx").stat().st_size, [(c["low"], c["high"]) for c in cases])
    return {"file": name, "classes": logits.shape[1], "samples": "bytes" if scale else "", "cases": cases}


def refused(name, net, says, opset=17, **options):
    export(name, randomised(net, 1), opset, True, SMALL, **options)
    return {"file": name, "says": says}


def own_logits(net, out):
    return net.logits


def magnified(net, out):
    return F.interpolate(out, scale_factor=4, mode="bilinear")


def main():
    FOLDER.mkdir(exist_ok=True)
    both = ("logits", "aux")
    cases = [
        golden("fcn_opset11", torchvision_fcn(), [ODD, (1, 1), (7, 5)], 11),
        golden("fcn_static", torchvision_fcn(aux=True), [ODD], dynamic=False, made_at=ODD, outputs=both),
        golden("fcn_unfolded", torchvision_fcn(), [ODD], fold=False),
        golden("fcn_unfolded_opset15", torchvision_fcn(), [ODD], 15, fold=False),
        golden("deeplabv3", torchvision_deeplabv3(), [ODD, (1, 1), (7, 5)]),
        golden("deeplabv3_static", torchvision_deeplabv3(), [SMALL, ODD], dynamic=False),
        golden("lraspp_opset13", torchvision_lraspp(), [ODD, (7, 5)], 13),
        golden("lraspp", torchvision_lraspp(), [ODD]),
        golden("smp_unet", SmpUnet(), [EVEN, ODD], multiple=32, made_at=EVEN),
        golden("smp_unet_static", SmpUnet(), [EVEN, ODD], dynamic=False, multiple=32, made_at=EVEN),
        golden("smp_unet_scse", SmpUnet(attention=True), [EVEN], 12, multiple=32, made_at=EVEN),
        golden("smp_deeplabv3plus", SmpDeeplabV3Plus(), [EVEN, SMALL], 14, multiple=16, made_at=EVEN),
        golden("smp_fpn", SmpFpn(), [EVEN, ODD], 13, multiple=32, made_at=EVEN),
        golden("linknet", Linknet(), [EVEN], 11, multiple=32, made_at=EVEN, end=own_logits),
        golden("padded_unet", PaddedUnet(), [ODD, EVEN, (7, 5)]),
        golden("padded_unet_static", PaddedUnet(), [ODD], dynamic=False, made_at=ODD),
        golden("padded_unet_opset15", PaddedUnet(), [ODD, (7, 5)], 15),
        golden("instance_unet", InstanceUnet(), [EVEN, SMALL], multiple=2, made_at=EVEN, channels=1, end=own_logits),
        golden("shuffled_prelu", ShuffledPrelu(), [EVEN, SMALL], 12, multiple=2, made_at=EVEN),
        golden("shuffled_prelu_opset16", ShuffledPrelu(), [EVEN], 16, multiple=2, made_at=EVEN),
        golden("labels_of_bytes", WithPreprocessing(PaddedUnet()), [ODD], outputs=("labels",), scale=255,
               end=own_logits),
        golden("channels_last", ChannelsLast(), [EVEN], multiple=4, made_at=EVEN, end=magnified),
        golden("cropped", Cropped(), [ODD, EVEN, (7, 5)], 14),
        golden("convnext_opset11", ConvnextUnet(), [EVEN], 11, multiple=4, made_at=EVEN),
        golden("convnext_opset14", ConvnextUnet(), [EVEN, SMALL], 14, multiple=4, made_at=EVEN),
        golden("convnext_opset16", ConvnextUnet(), [EVEN], 16, multiple=4, made_at=EVEN),
        golden("convnext", ConvnextUnet(), [EVEN, ODD], multiple=4, made_at=EVEN),
        golden("torchvision_convnext", TorchvisionConvnext(), [ODD]),
        golden("torchvision_convnext_opset13", TorchvisionConvnext(), [EVEN, SMALL], 13, made_at=EVEN),
        refused("refused_attention", Transformer(), "reads a picture as rows of pixels, as attention does"),
        refused("refused_elu", Smooth(nn.ELU()), "(Elu) is an operator that this program does not have"),
        refused("refused_cubic", Smooth(nn.ReLU(), "bicubic"), "resizes by mode \"cubic\""),
        refused("refused_unpooling", Unpooled(), "(MaxPool) is read for its output 2"),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (FOLDER / "goldens.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
