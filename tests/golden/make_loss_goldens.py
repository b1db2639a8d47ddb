#!/usr/bin/env python3
"""Writes tests/golden/loss.json: PyTorch's losses and gradients for small random logits.

Run from the repository root with a Python that has torch; the result is stored in the repository.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

IGNORE = 65535


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def case(name, n, k, h, w, spread, ignored, weights):
    logits = (torch.randn(n, k, h, w) * spread).requires_grad_()
    labels = torch.randint(max(k, 2), (n, h, w))
    labels[torch.rand(n, h, w) < ignored] = IGNORE
    if k > 1:
        loss = F.cross_entropy(logits, labels, weight=weights, ignore_index=IGNORE)
    else:  # weighted mean over the labelled pixels, as the softmax loss
        keep = labels != IGNORE
        weight = (weights if weights is not None else torch.ones(2))[labels[keep]]
        losses = F.binary_cross_entropy_with_logits(
            logits[:, 0][keep], labels[keep].float(), reduction="none")
        loss = (losses * weight).sum() / weight.sum()
    loss.backward()
    return {"name": name, "shape": [n, k, h, w], "logits": numbers(logits),
            "labels": labels.flatten().tolist(),
            "weights": [] if weights is None else numbers(weights),
            "loss": float(loss), "gradient": numbers(logits.grad)}


torch.manual_seed(7)
cases = [
    case("softmax", 2, 3, 3, 5, 1.0, 0.0, None),
    case("softmax, ignore", 2, 4, 3, 7, 2.0, 0.3, None),
    case("softmax, ignore, weights", 1, 5, 4, 5, 3.0, 0.2, torch.tensor([0.5, 1.0, 2.0, 0.0, 4.0])),
    case("softmax, far apart", 1, 3, 4, 5, 60.0, 0.1, None),
    case("sigmoid", 2, 1, 3, 5, 2.0, 0.0, None),
    case("sigmoid, ignore, weights", 2, 1, 3, 5, 2.0, 0.3, torch.tensor([0.5, 3.0])),
]
path = pathlib.Path(__file__).with_name("loss.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
