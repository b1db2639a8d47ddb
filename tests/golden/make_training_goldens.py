#!/usr/bin/env python3
"""Writes tests/golden/training.json: the first 20 losses of small U-Nets trained by PyTorch.

Weights, pictures and labels follow from `uniform`, which training_golden_test.cc has too, so the
file holds losses only. Run with a Python that has torch; the result is stored in the repository.
"""
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

IGNORE = 65535
N, SIZE, CLASSES, BATCHES, STEPS = 2, 32, 3, 2, 20
IMAGE_STREAM, IGNORE_STREAM = 1000, 2000


def uniform(stream, count):
    """`count` numbers in [0, 1), exact in double."""
    mask = 0xFFFFFFFF
    x = (stream * 0x9E3779B1 + np.arange(count, dtype=np.uint64) * 0x85EBCA6B + 1) & mask
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & mask
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & mask
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2.0**32


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class Unet(nn.Module):
    """src/models/unet.cc with depth 2; members stand in the order of the graph."""

    def __init__(self, width):
        super().__init__()
        a, b, c = width, 2 * width, 4 * width
        self.encoder0, self.encoder1, self.encoder2 = Block(3, a), Block(a, b), Block(b, c)
        self.up1 = nn.ConvTranspose2d(c, b, 2, 2)
        self.decoder1 = Block(2 * b, b)
        self.up0 = nn.ConvTranspose2d(b, a, 2, 2)
        self.decoder0 = Block(2 * a, a)
        self.head = nn.Conv2d(a, CLASSES, 1)

    def forward(self, x):
        top = self.encoder0(x)
        middle = self.encoder1(F.max_pool2d(top, 2))
        low = self.encoder2(F.max_pool2d(middle, 2))
        x = self.decoder1(torch.cat([middle, self.up1(low)], 1))
        x = self.decoder0(torch.cat([top, self.up0(x)], 1))
        return self.head(x)


def fill(model, norm_bias):
    """As the test fills them: stream = the parameter's place, running statistics included."""
    stream = 0
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            shape = module.weight.shape
            bound = math.sqrt(6.0 / (module.weight.numel() // shape[0]))
            parts = [(module.weight, bound, 0.0)]
            if module.bias is not None:
                parts.append((module.bias, 0.1, 0.0))
        elif isinstance(module, nn.BatchNorm2d):
            parts = [(module.weight, 0.2, 1.0), (module.bias, 0.1, norm_bias)]
        else:
            continue
        for parameter, spread, centre in parts:
            values = centre + spread * (2 * uniform(stream, parameter.numel()) - 1)
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(values.astype(np.float32)).view_as(parameter))
            stream += 1
        if isinstance(module, nn.BatchNorm2d):
            stream += 2
    return model


def batch(index):
    n, y, x = np.meshgrid(np.arange(N), np.arange(SIZE), np.arange(SIZE), indexing="ij")
    labels = (y // 8 + x // 8 + n + index) % CLASSES
    noise = uniform(IMAGE_STREAM + index, N * 3 * SIZE * SIZE).reshape(N, 3, SIZE, SIZE)
    images = 3 * noise - 1.5 + 0.5 * labels[:, None]
    ignored = uniform(IGNORE_STREAM + index, labels.size).reshape(labels.shape) < 0.0625
    labels = np.where(ignored, IGNORE, labels)
    return torch.from_numpy(images.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))


def losses(make_optimizer, width=4, norm_bias=0.0):
    model = fill(Unet(width), norm_bias)
    optimizer = make_optimizer(model.parameters())
    weights = torch.tensor([0.5, 1.0, 2.0])
    batches = [batch(i) for i in range(BATCHES)]
    result = []
    for step in range(STEPS):
        images, labels = batches[step % BATCHES]
        loss = F.cross_entropy(model(images), labels, weight=weights, ignore_index=IGNORE)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=5e-3, weight_decay=0.01)


torch.set_num_threads(1)
golden = {
    "sgd": losses(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3)),
    "nesterov": losses(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
    "adamw": losses(adamw),
    # Wide enough for Winograd's kernels. Of the 213 thousand values of a step before ReLUs some are so near to zero that
    # rounding decides whether a gradient passes: PyTorch's own losses in float and in double differ by 5e-4. Norms whose
    # bias is 3 keep all but few values away from zero: 7e-7.
    "adamw_wide": losses(adamw, width=16, norm_bias=3.0),
}
path = pathlib.Path(__file__).with_name("training.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
print(path.read_text())
