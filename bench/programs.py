"""What whole programs take: the peak memory of `predict` beside ONNX Runtime's, the memory and time of lean
trainings, and the share of the bare step rate that a training keeps while it loads pictures. Writes
bench/results/programs-*.json."""

import argparse
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import tempfile
import time
import zlib

BENCH = pathlib.Path(__file__).resolve().parent
MIB = 2**20


def measured(command, threads):
    """Peak resident bytes and seconds of a program that must succeed."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output,
                                   env={**os.environ, "OMP_NUM_THREADS": str(threads)})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{command[0]} failed: {output.read().decode()[-500:]}")
    return usage.ru_maxrss * 1024, time.perf_counter() - start


def write_picture(path, side):
    """Random RGB."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    samples = random.Random(1).randbytes(side * side * 3)
    rows = b"".join(b"\0" + samples[y * side * 3 : (y + 1) * side * 3] for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
                     chunk(b"IEND", b""))


def peak_of_predict(programs, threads, folder):
    """U-Net 64..1024 on one picture of 512x512."""
    model, onnx, picture = folder / "unet.segmentum", folder / "unet.onnx", folder / "picture.png"
    measured([programs / "bench_network", "unet", "--set", "width=64", "--write", model], threads)
    measured([programs / "segmentum", "export", model, onnx, "--size", "512x512"], threads)
    write_picture(picture, 512)
    ours, _ = measured([programs / "segmentum", "predict", model, picture, "--out", folder / "labels",
                        "--threads", threads], threads)
    result = {"segmentum_bytes": ours}
    if os.environ.get("SEGMENTUM_ONNXRUNTIME"):
        result["onnxruntime_bytes"], _ = measured(
            [programs / "bench_onnxruntime", onnx, "--size", 512, "--threads", threads, "--repeats", 1], threads)
    return result


def steps_of(run):
    """The lines of a training's log that tell of steps, but for the first, which waits for the first pictures."""
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == "step"][1:]


def trained(programs, data, out, threads, *settings):
    peak, _ = measured([programs / "segmentum", "train", data, "--fixed", "--model", "unet", "--out", out, "--threads",
                        threads, "--set", "val_split=none", "check=off", *settings], threads)
    steps = steps_of(out)
    return {
        "peak_bytes": peak,
        "pictures_per_second": statistics.median(line["images_per_second"] for line in steps),
        "of_steps_alone": statistics.median(
            line["images_per_second"] / line["step_images_per_second"] for line in steps),
    }


def lean(programs, data, threads, folder):
    """U-Net 64..1024 on crops of 512x512 of a data set of such pictures."""
    return {
        f"{memory}, batch {batch}": trained(
            programs, data / "isbi2012", folder / f"{memory}{batch}", threads, "model.width=64", "crop=512",
            f"batch={batch}", "steps=4", "log_every=1", f"memory={memory}")
        for memory, batch in [("normal", 1), ("lean", 1), ("lean", 4)]
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, default=BENCH.parent / "build/release/bin")
    parser.add_argument("--data", type=pathlib.Path, help="holds camvid/ and isbi2012/; without it, no trainings")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    results = {}
    for threads in options.threads:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            result = results[threads] = {"predict": peak_of_predict(options.programs, threads, folder)}
            print(f"\n{threads} thread{'s' if threads > 1 else ''}")
            peaks = result["predict"]
            print(f"  predict, U-Net 64..1024, 512x512: {peaks['segmentum_bytes'] / MIB:.0f} MiB", end="")
            if "onnxruntime_bytes" in peaks:
                print(f", ONNX Runtime {peaks['onnxruntime_bytes'] / MIB:.0f} MiB: "
                      f"{peaks['segmentum_bytes'] / peaks['onnxruntime_bytes']:.2f}x", end="")
            print()
            if options.data is None:
                continue
            result["lean"] = lean(options.programs, options.data, threads, folder)
            for job, got in result["lean"].items():
                print(f"  training U-Net 64..1024, 512x512, {job}: {got['peak_bytes'] / MIB:.0f} MiB, "
                      f"{got['pictures_per_second']:.2f} pictures/s")
            camvid = result["camvid"] = trained(
                options.programs, options.data / "camvid", folder / "camvid", threads, "steps=100")
            print(f"  training U-Net 16..256 on CamVid: {camvid['pictures_per_second']:.1f} pictures/s, "
                  f"{camvid['of_steps_alone']:.0%} of what its steps alone reach")
    folder = BENCH / "results"
    folder.mkdir(exist_ok=True)
    file = folder / time.strftime("programs-%Y%m%d-%H%M%S.json")
    file.write_text(json.dumps(results, indent=1))
    print(f"\nAll numbers: {file.relative_to(BENCH.parent)}")


main()
