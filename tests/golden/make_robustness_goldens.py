#!/usr/bin/env python3
"""Writes tests/golden/robustness_pixels.csv: SHA-256 of the samples that Pillow reads from the odd files of
../shared/data/robustness, in our form (packed rows, bilevel as 0 and 255, palettes as RGB or RGBA, 16 bits little-endian).

Run from the repository root with a Python that has Pillow and numpy; the result is stored in the repository. Left out is
what Pillow gives otherwise by design (16-bit colour cut to 8 bits, 12 bits unscaled) and what depends on the version of a
library (JPEG and WebP inside of TIFF).
"""
import csv
import hashlib
import pathlib
import warnings

import numpy as np
from PIL import Image

DATA = pathlib.Path("../shared/data/robustness")
OTHERWISE = {
    "png_bugfixes/invalid_palette_index.png": "an index beyond the palette has no colour",
    "png_pngsuite/xcsn0g01.png": "checksum of its pixels is wrong, which Pillow does not look at",
    "png_bugfixes/x_interlaced_chck.png": "the same",
    "tiff_libtiffpic/strike.tif": "colours are stored multiplied by alpha",
    "tiff_mixed/gradient-1c-32b.tiff": "Pillow takes unsigned integers for signed ones",
}


def samples(image, kind):
    mode = image.mode
    if kind == "TIFF":
        if image.info.get("compression") in ("jpeg", "tiff_jpeg", "webp"):
            return None
        if image.tag_v2.get(529) is not None or image.tag_v2.get(262) == 6:  # YCbCr
            return None
        bits = set(np.atleast_1d(image.tag_v2.get(258, 1)))
        if bits == {12} or (bits == {16} and mode in ("RGB", "RGBA")):
            return None
    if mode == "1":
        return np.array(image).astype(np.uint8) * 255
    if mode == "P":
        return np.array(image.convert("RGBA" if "transparency" in image.info else "RGB"))
    if mode in ("L", "LA", "RGB", "RGBA"):
        return np.array(image)
    if mode.startswith("I;16") or (mode == "I" and kind == "PNG"):
        return np.array(image).astype("<u2")
    return np.array(image).astype("<f4") if mode in ("F", "I") else None


def deep(path):
    return path.read_bytes()[24] == 16  # of a PNG file's header


def main():
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None
    lines = ["path,sha256"]
    for row in csv.DictReader((DATA / "MANIFEST.csv").open()):
        path, kind = row["path"], row["pil_format"]
        if row["decodes_with_pillow_9.4"] != "yes" or kind not in ("PNG", "TIFF") or path in OTHERWISE:
            continue
        image = Image.open(DATA / path)
        image.load()
        if kind == "PNG" and deep(DATA / path) and image.mode != "I":
            continue
        values = samples(image, kind)
        if values is not None:
            lines.append(f"{path},{hashlib.sha256(values.tobytes()).hexdigest()}")
    pathlib.Path("tests/golden/robustness_pixels.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
