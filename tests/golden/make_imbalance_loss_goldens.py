#!/usr/bin/env python3
"""Writes tests/golden/imbalance_losses.json: values and gradients (by PyTorch's autograd) of the losses for rare classes,
written out here from their papers' formulas, for small random logits.

Run from the repository root with a Python that has torch; the result is stored in the repository.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

IGNORE = 65535


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def log_probabilities(logits):
    """[N,K,H,W]; a one-class head has two sides."""
    if logits.shape[1] > 1:
        return F.log_softmax(logits, 1)
    return torch.cat([F.logsigmoid(-logits), F.logsigmoid(logits)], 1)


def of_true_class(logits, labels):
    """log p of the true class of each labelled pixel, and its label."""
    keep = labels != IGNORE
    picked = log_probabilities(logits).gather(1, labels.where(keep, torch.zeros_like(labels))[:, None])[:, 0]
    return picked[keep], labels[keep]


def weighted_mean(values, labels, weights):
    weight = weights[labels] if weights is not None else torch.ones(len(labels), dtype=values.dtype)
    return (values * weight).sum() / weight.sum()


def focal(logits, labels, weights, gamma):
    logp, kept = of_true_class(logits, labels)
    return weighted_mean(-(1 - logp.exp()) ** gamma * logp, kept, weights)


def top_k(logits, labels, weights, threshold, share):
    logp, kept = of_true_class(logits, labels)
    count = max(1, int(-(-share * len(logp) // 1)))
    least = (-logp).detach().sort(descending=True).values[count - 1]
    hard = (-logp.detach() >= least) | (logp.detach().exp() <= threshold)
    return weighted_mean(-logp[hard], kept[hard], weights)


def by_class(logits, labels):
    """p [n,K] of the labelled pixels, and their labels one-hot."""
    p = log_probabilities(logits).exp().permute(0, 2, 3, 1)[labels != IGNORE]
    return p, F.one_hot(labels[labels != IGNORE], p.shape[1]).to(p.dtype)


def tversky(logits, labels, alpha, beta):
    p, truth = by_class(logits, labels)
    both, invented, missed = (p * truth).sum(0), (p * (1 - truth)).sum(0), ((1 - p) * truth).sum(0)
    index = both / (both + alpha * invented + beta * missed)
    return (1 - index)[truth.sum(0) > 0].mean()


def lovasz(logits, labels):
    p, truth = by_class(logits, labels)
    losses = []
    for k in range(p.shape[1]):
        is_true = truth[:, k]
        if is_true.sum() == 0:
            continue
        errors, order = (is_true - p[:, k]).abs().sort(descending=True)
        ordered = is_true[order]
        jaccard = 1 - (ordered.sum() - ordered.cumsum(0)) / (ordered.sum() + (1 - ordered).cumsum(0))
        rises = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
        losses.append((errors * rises).sum())
    return torch.stack(losses).mean()


def distances_to(pixels):
    """From each pixel to the nearest of `pixels`, all pairs compared."""
    h, w = pixels.shape
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    places = torch.stack([y, x], -1).reshape(-1, 2).double()
    return torch.cdist(places, places[pixels.flatten()]).min(1).values.reshape(h, w)


def boundary(logits, labels):
    p = log_probabilities(logits).exp()
    keep = labels != IGNORE
    total = 0
    for n in range(p.shape[0]):
        for k in range(p.shape[1]):
            inside, outside = (labels[n] == k), keep[n] & (labels[n] != k)
            if not inside.any() or not outside.any():
                continue
            distance = torch.where(inside, 1 - distances_to(outside), distances_to(inside))
            total = total + (p[n, k] * distance)[keep[n]].sum()
    return total / (keep.sum() * p.shape[1])


LOSSES = {
    "focal": lambda x, y, w: focal(x, y, w, 2),
    "dice": lambda x, y, w: tversky(x, y, 0.5, 0.5),
    "tversky": lambda x, y, w: tversky(x, y, 0.3, 0.7),
    "lovasz": lambda x, y, w: lovasz(x, y),
    "boundary": lambda x, y, w: boundary(x, y),
    "ohem": lambda x, y, w: top_k(x, y, w, 0.7, 0.25),
    "top_k": lambda x, y, w: top_k(x, y, w, 0, 0.25),
}
LOSSES["0.5*focal+dice+0.25*boundary"] = lambda x, y, w: (
    0.5 * LOSSES["focal"](x, y, w) + LOSSES["dice"](x, y, w) + 0.25 * LOSSES["boundary"](x, y, w))


def case(loss, n, k, h, w, ignored, weights):
    logits = (torch.randn(n, k, h, w) * 2).float().double().requires_grad_()
    labels = torch.randint(max(k, 2), (n, h, w))
    labels[torch.rand(n, h, w) < ignored] = IGNORE
    if weights is not None:
        weights = weights.double()
    value = LOSSES[loss](logits, labels, weights)
    value.backward()
    return {"loss": loss, "shape": [n, k, h, w], "logits": numbers(logits), "labels": labels.flatten().tolist(),
            "weights": [] if weights is None else numbers(weights), "value": float(value),
            "gradient": numbers(logits.grad)}


torch.manual_seed(11)
cases = []
for name in LOSSES:
    cases.append(case(name, 2, 3, 4, 5, 0.2, torch.tensor([0.5, 1.0, 2.0])))
    cases.append(case(name, 2, 1, 3, 5, 0.2, None))
path = pathlib.Path(__file__).with_name("imbalance_losses.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
