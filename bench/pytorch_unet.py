"""The network of bench_network in PyTorch, timed by the same protocol: a line "run" on standard
input is one repetition, answered by one line of JSON."""

import argparse
import json
import os
import resource
import sys
import time

import torch
from torch import nn

CHANNELS, CLASSES = 3, 11  # CamVid's


def double_conv(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(
            double_conv(inputs, outputs) for inputs, outputs in zip([CHANNELS] + widths, widths)
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths[:-1])
        self.decoder = nn.ModuleList(double_conv(2 * w, w) for w in widths[:-1])
        self.head = nn.Conv2d(width, CLASSES, 1)

    def forward(self, x):
        features = []
        for level, conv in enumerate(self.encoder):
            x = conv(x if level == 0 else self.pool(x))
            features.append(x)
        for level in reversed(range(len(self.decoder))):
            x = torch.cat([features[level], self.up[level](x)], dim=1)
            x = self.decoder[level](x)
        return self.head(x)


def inference(model, image, variant):
    """The fastest forms that PyTorch offers; compare.py takes the best of them."""
    model.eval()
    if "channels_last" in variant:
        model, image = channels_last(model, image)
    if "frozen" in variant or "optimized" in variant:
        model = torch.jit.freeze(torch.jit.trace(model, image))
    if "optimized" in variant:  # folds batch norm and keeps oneDNN's layouts between layers
        model = torch.jit.optimize_for_inference(model)

    def run():
        with torch.inference_mode():
            model(image)

    return run


def training(model, image, variant):
    model.train()
    if "channels_last" in variant:
        model, image = channels_last(model, image)
    n, _, h, w = image.shape
    labels = torch.randint(0, CLASSES, (n, h, w))
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss(model(image), labels).backward()
        optimizer.step()

    return run


def channels_last(model, image):
    return (
        model.to(memory_format=torch.channels_last),
        image.to(memory_format=torch.channels_last),
    )


def peak_rss_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def rss_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def blas_library():
    """The file behind BLAS, which the first product loads."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps") as file:
        paths = {line.split()[-1] for line in file if "blas" in line}
    return os.path.realpath(sorted(paths)[0]) if paths else ""


def answer(**values):
    print(json.dumps(values), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["infer", "train"], default="infer")
    parser.add_argument("--variant", default="eager", help="eager | channels_last | frozen | ...")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    blas = blas_library()
    start_rss_bytes = rss_bytes()
    model = UNet(options.width, options.depth)
    image = torch.randn(options.batch, CHANNELS, options.size, options.size)
    make = inference if options.mode == "infer" else training
    run = make(model, image, options.variant)
    for _ in range(3):  # the just-in-time compiler specialises in its second run
        run()
    answer(
        ready=True,
        version=torch.__version__,
        blas=blas,
        parameters=sum(p.numel() for p in model.parameters()),
        start_rss_bytes=start_rss_bytes,
    )
    for line in sys.stdin:
        if line.strip() != "run":
            sys.exit("pytorch_unet.py: expected lines \"run\" on standard input")
        cpu_begin, begin = time.process_time(), time.perf_counter()
        run()
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
        answer(seconds=seconds, cpu_seconds=cpu_seconds, peak_rss_bytes=peak_rss_bytes())


main()
