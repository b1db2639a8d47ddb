#!/usr/bin/env python3
"""Writes tests/fuzz/crf_corpus: bytes that tests/fuzz/run_hostile_crf.h reads as small CRFs.

What the fuzzer starts from and the suite replays. Run from anywhere, with nothing but Python:
python3 tests/fuzz/make_crf_corpus.py
"""
import os
import random

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crf_corpus")
# How the reader starts: depth - 1, height - 1, width - 1, not 300 labels, labels - 1, mask or not, filter, unary.
LATTICE, EXACT = 1, 0
LABELS, ENERGIES, PROBABILITIES = 0, 1, 2


def case(depth, height, width, labels, filter_, unary, rest, masked=False):
    many = labels == 300
    head = [depth - 1, height - 1, width - 1, 0 if many else 1] + ([] if many else [labels - 1])
    if masked:  # one number for each pixel follows
        head += [0] + [i % 2 for i in range(depth * height * width)]
    else:
        head += [1]
    return bytes(head + [filter_, unary] + rest)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    rng = random.Random(4)

    def noise(n):
        return [rng.randrange(256) for _ in range(n)]

    def tame(n):  # whichever of them real() takes for the kind of number, it is a moderate one
        return [4 * rng.randrange(64) + rng.choice((1, 2)) for _ in range(2 * n)]

    cases = {
        "empty": b"",
        "zeros": bytes(40),
        "ones": b"\xff" * 40,
        "one_pixel": case(1, 1, 1, 1, LATTICE, PROBABILITIES, [9, 1] + tame(20)),
        "one_label": case(1, 5, 6, 1, LATTICE, PROBABILITIES, noise(30) + [2] + tame(60)),
        "many_labels": case(1, 3, 4, 300, LATTICE, PROBABILITIES, noise(3600) + [2] + tame(60)),
        "stack": case(2, 4, 5, 3, LATTICE, PROBABILITIES, noise(120) + [2] + tame(90)),
        "masked": case(1, 6, 7, 4, LATTICE, PROBABILITIES, noise(84) + [1] + tame(70), masked=True),
        "exact": case(1, 6, 7, 4, EXACT, ENERGIES, tame(168) + [2] + tame(70)),
        "labels_unsure": case(1, 4, 4, 3, LATTICE, LABELS, [255, 0, 1, 2] * 4 + [1, 18, 1] + tame(60)),
        "label_too_large": case(1, 4, 4, 3, LATTICE, LABELS, [3] * 16 + [1, 18]),
        "confidence_too_large": case(1, 4, 4, 3, LATTICE, LABELS, [0] * 16 + [1, 200]),
        "probabilities_of_nothing": case(1, 2, 2, 3, LATTICE, PROBABILITIES, [0] * 12),
        "not_a_number": case(1, 2, 2, 2, LATTICE, ENERGIES, [0, 127, 192, 0, 0] * 8),
        "sigma_zero": case(1, 2, 2, 2, LATTICE, PROBABILITIES, [1] * 8 + [1, 0, 1, 0, 1, 0]),
        "sigma_negative": case(1, 2, 2, 2, LATTICE, PROBABILITIES, [1] * 8 + [1, 0, 3, 9, 3, 9]),
    }
    for i in range(32):
        shape = [rng.randrange(1, 3), rng.randrange(1, 13), rng.randrange(1, 13), rng.randrange(1, 25)]
        unary = rng.choice((ENERGIES, PROBABILITIES, PROBABILITIES))
        rest = tame(400) if i % 4 else noise(400)
        cases["random_%02d" % i] = case(*shape, i % 5, unary, rest, masked=i % 3 == 0)
    for name, content in cases.items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
