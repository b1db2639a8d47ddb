#!/usr/bin/env python3
"""What we write as ONNX, in OpenCV, and by the rules of ONNX's own checker.

    python3 tests/parity/onnx_peers.py build/release/bin/segmentum [MODEL.segmentum ...]

Needs numpy and OpenCV with its dnn module (Debian: python3-opencv), and says so where they are absent; the checker runs
where there is python3-onnx. Without models, the files of tests/golden/onnx are imported first. Each model is exported at
the size of its golden pair, with and without --fold, and for each operator set that OpenCV reads: OpenCV's logits for
the golden input must be within 1e-4 of the range of those that the model file stores.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

TOLERANCE = 1e-4
OPSETS = [11, 13, 17]
# Layer norms over channels, which OpenCV 4.6 cannot read in any form.
UNREADABLE = "convnext"

try:
    import cv2
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)  # CTest's word for it
try:
    import onnx
except ImportError:
    onnx = None


def read_tensor(path, name):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(length))[name]
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        return numpy.frombuffer(file.read(end - begin), "<f4").reshape(entry["shape"])


def opencv(path, picture):
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.setInput(picture)
    return net.forward()


def check(program, model, folder):
    picture, logits = (read_tensor(model, f"golden.{what}") for what in ("input", "logits"))
    h, w = picture.shape[2:]
    good = True
    for options in [["--opset", str(opset)] for opset in OPSETS] + [["--opset", "13", "--fold"]]:
        file = folder / "fixed.onnx"
        subprocess.run([program, "export", model, file, "--size", f"{h}x{w}", "--no-check", *options], check=True,
                       stdout=subprocess.DEVNULL)
        if onnx:
            onnx.checker.check_model(onnx.load(str(file)), full_check=True)
        try:
            theirs = opencv(file, picture)
            worst = float(numpy.abs(theirs - logits).max() / (logits.max() - logits.min()))
            passed = worst <= TOLERANCE
            says = f"OpenCV's logits differ by {worst:.1e} of their range"
        except cv2.error as error:
            passed, says = False, "OpenCV: " + str(error).strip().splitlines()[0]
        good = good and passed
        print(f"{pathlib.Path(model).stem} {' '.join(options)}: {says}: {'passed' if passed else 'FAILED'}", flush=True)
    return good


def imported_goldens(program, folder):
    for file in sorted((pathlib.Path(__file__).parent.parent / "golden/onnx").glob("*.onnx")):
        if file.stem.startswith("refused_") or UNREADABLE in file.stem:
            continue
        model = folder / (file.stem + ".segmentum")
        subprocess.run([program, "import", file, "--out", model], check=True, stdout=subprocess.DEVNULL)
        yield model


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        models = sys.argv[2:] or imported_goldens(sys.argv[1], folder)
        results = [check(sys.argv[1], model, folder) for model in models]
    sys.exit(0 if all(results) else 1)


main()
