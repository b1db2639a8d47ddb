#!/usr/bin/env python3
"""Checkpoints of torchvision's networks, imported, give PyTorch's numbers.

    python3 tests/parity/import_torchvision.py build/release/bin/segmentum [NETWORK ...]

Needs torch, torchvision, numpy and Pillow, and says so where they are absent. Seeded random weights of each network are
saved in the three forms (zip, legacy stream, safetensors) and imported. Then must be within 1e-4 of the range of PyTorch's:
- the logits that the model file stores for its golden input (plain loops made them; --selftest holds the cpu engine to them)
- the probabilities of `segmentum predict` for a picture of 65x97 pixels
Classifiers with random weights are imported as backbones: every tensor taken must hold the classifier's numbers.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

TOLERANCE = 1e-4
NETWORKS = ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "fcn_resnet50", "fcn_resnet101",
            "deeplabv3_resnet50", "deeplabv3_resnet101"]

BACKBONES = [("resnet18", "deeplab_v3", "backbone.", ""), ("resnet34", "smp_unet", "encoder.", ""),
             ("resnet50", "fcn_resnet50", "backbone.", ""), ("resnet101", "deeplabv3_resnet101", "backbone.", ""),
             ("mobilenet_v2", "deeplab_v3plus", "backbone.", ""),
             ("mobilenet_v3_large", "lraspp_mobilenet_v3_large", "backbone.", "features."),
             ("vgg16_bn", "deeplab_v3", "backbone.", "")]

try:
    import numpy
    import torch
    import torchvision
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)


def network(name):
    """Random weights; statistics and gains that no layer can do without, and that keep values finite."""
    torch.manual_seed(7)
    options = {"weights": None, "weights_backbone": None, "num_classes": 21}
    if not name.startswith("lraspp"):
        options["aux_loss"] = True
    model = getattr(torchvision.models.segmentation, name)(**options).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.6, 1.1)
                module.bias.uniform_(-0.2, 0.2)
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.8, 1.5)
    return model


def write_safetensors(path, state):
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    header, blocks, offset = {}, [], 0
    for name, tensor in state.items():
        block = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(block)]}
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(blocks)


def read_tensor(path, name):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(length))[name]
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        return numpy.frombuffer(file.read(end - begin), "<f4").reshape(entry["shape"])


def difference(ours, theirs):
    return float(numpy.abs(ours - theirs).max() / (theirs.max() - theirs.min()))


def check(program, name, folder):
    def run(*arguments):
        subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)

    def path(file):
        return os.path.join(folder, file)

    model = network(name)
    picture = numpy.random.default_rng(3).integers(0, 256, (65, 97, 3), dtype=numpy.uint8)
    Image.fromarray(picture).save(path("picture.png"))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    batch = ((torch.from_numpy(picture).float() / 255 - mean) / std).permute(2, 0, 1)[None]

    state = model.state_dict()
    torch.save(state, path("zip.pth"))
    torch.save({"model": state, "epoch": 1}, path("legacy.pth"), _use_new_zipfile_serialization=False)
    write_safetensors(path("plain.safetensors"), state)
    with torch.no_grad():
        probabilities = model(batch)["out"].softmax(1)[0].numpy()
    good = True
    for file in ("zip.pth", "legacy.pth", "plain.safetensors"):
        imported = path("imported.segmentum")
        run("import", path(file), "--as", name, "--out", imported)
        run("describe", "--selftest", imported)
        with torch.no_grad():
            logits = model(torch.from_numpy(read_tensor(imported, "golden.input").copy()))["out"].numpy()
        run("predict", imported, path("picture.png"), "--out", path("masks"), "--probabilities")
        of_logits = difference(read_tensor(imported, "golden.logits"), logits)
        of_probabilities = difference(numpy.load(path("masks/picture.npy")), probabilities)
        passed = max(of_logits, of_probabilities) <= TOLERANCE
        good = good and passed
        print(f"{name} from {file}: logits differ by {of_logits:.1e}, probabilities by {of_probabilities:.1e} of their "
              f"range: {'passed' if passed else 'FAILED'}", flush=True)
    return good


def check_backbone(program, classifier, name, prefix, their_prefix, folder):
    torch.manual_seed(7)
    state = getattr(torchvision.models, classifier)(weights=None).state_dict()
    files = {end: os.path.join(folder, "classifier." + end) for end in ("pth", "segmentum", "json")}
    torch.save(state, files["pth"])
    subprocess.run([program, "import", files["pth"], "--as", name, "--out", files["segmentum"], "--json", files["json"]],
                   check=True, stdout=subprocess.DEVNULL)
    with open(files["json"]) as file:
        taken = json.load(file)["taken"]
    equal = [numpy.array_equal(read_tensor(files["segmentum"], ours), state[ours.replace(prefix, their_prefix, 1)].numpy())
             for ours in taken]
    print(f"{classifier} as the backbone of {name}: {sum(equal)} of {len(taken)} tensors equal: "
          f"{'passed' if all(equal) else 'FAILED'}", flush=True)
    return all(equal)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    results = []
    for name in sys.argv[2:] or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            results.append(check(sys.argv[1], name, folder))
    for backbone in BACKBONES if len(sys.argv) == 2 else []:
        with tempfile.TemporaryDirectory() as folder:
            results.append(check_backbone(sys.argv[1], *backbone, folder))
    sys.exit(0 if all(results) else 1)


main()
