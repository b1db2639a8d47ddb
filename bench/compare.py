"""Runs networks here and in others' programs in turns, and compares medians. Writes
bench/results/*.json."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
# What PyTorch offers; the first is the network as people write it.
VARIANTS = {
    "infer": ["eager", "channels_last", "frozen", "frozen+channels_last", "optimized"],
    "train": ["eager", "channels_last"],
}
NETWORKS = {
    "U-Net 16..256": ["unet"],
    "U-Net 64..1024": ["unet", "--set", "width=64"],
    "DeepLabv3 ResNet-50": ["deeplab_v3", "--set", "backbone=resnet50", "output_stride=16"],
    "DeepLabv3+ MobileNetV2": ["deeplab_v3plus", "--set", "backbone=mobilenet_v2"],
}
# Network, mode, size, batch.
CASES = [
    ("U-Net 16..256", "infer", 512, 1),
    ("U-Net 64..1024", "infer", 256, 1),
    ("DeepLabv3 ResNet-50", "infer", 513, 1),
    ("DeepLabv3+ MobileNetV2", "infer", 512, 1),
    ("U-Net 16..256", "infer", 256, 4),
    ("U-Net 16..256", "train", 256, 4),
    ("DeepLabv3+ MobileNetV2", "train", 256, 4),
    ("U-Net 16..256", "train", 512, 1),
]


class Peer:
    """A process that holds the network and runs it once whenever asked."""

    def __init__(self, name, command, threads):
        self.name = name
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Without it PyTorch's backward pass, in a thread of its own, would take all cores.
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            text=True,
        )
        self.about = self.answer()
        self.runs = []

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"{self.name} stopped: {' '.join(self.process.args)}")
        return json.loads(line)

    def run(self):
        time.sleep(0.05)  # until the other's threads have stopped waiting for work
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.runs.append(self.answer())

    def median(self, key="seconds"):
        return statistics.median(run[key] for run in self.runs)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()

    def summary(self):
        return {"name": self.name, "about": self.about, "runs": self.runs}


def job_arguments(job):
    _, mode, size, batch, threads = job
    return {"--mode": mode, "--size": size, "--batch": batch, "--threads": threads}


def words(arguments):
    return [word for pair in arguments.items() for word in pair]


class Files:
    """A network as our model file and, of one size, as ONNX: what all programs read."""

    def __init__(self, programs, folder, network):
        self.programs = programs
        stem = "".join(c if c.isalnum() else "_" for c in network)
        self.model = folder / f"{stem}.segmentum"
        if not self.model.exists():
            program = [programs / "bench_network", *NETWORKS[network], "--write", self.model]
            subprocess.run(program, check=True)

    def onnx(self, size, batch):
        file = self.model.with_suffix(f".{size}.onnx")
        if not file.exists():
            size_text = f"{size}x{size}"
            export = [self.programs / "segmentum", "export", self.model, file, "--no-check"]
            # Any size where there are several pictures: one size means one picture.
            if batch == 1:
                export += ["--size", size_text]
            subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        return file


def segmentum(programs, job):
    command = [programs / "bench_network", *NETWORKS[job[0]], *words(job_arguments(job))]
    return Peer("Segmentum", command, job[-1])


def pytorch(variant, files, job):
    command = [sys.executable, BENCH / "pytorch_network.py", files.model, "--variant", variant]
    peer = Peer(f"PyTorch {variant}", [*command, *words(job_arguments(job))], job[-1])
    if "openblas" not in peer.about["blas"]:
        sys.exit(
            f"PyTorch multiplies matrices with \"{peer.about['blas']}\", not with OpenBLAS; "
            "install libopenblas0-pthread"
        )
    if peer.about["golden_difference"] > 1e-4:
        sys.exit(f"PyTorch computes another network than {files.model}: {peer.about}")
    return peer


def fastest_variant(files, job, tries):
    """The name of PyTorch's fastest variant for this job, and the median seconds of each."""
    seconds = {}
    for variant in VARIANTS[job[1]]:
        try:
            peer = pytorch(variant, files, job)
            for _ in range(tries):
                peer.run()
        except (RuntimeError, BrokenPipeError) as error:
            seconds[variant] = None
            print(f"  PyTorch {variant} does not run: {error}", file=sys.stderr)
            continue
        seconds[variant] = peer.median()
        peer.stop()
    return min((s, variant) for variant, s in seconds.items() if s)[1], seconds


def readers_of_onnx(programs, files, job):
    """ONNX Runtime and OpenCV, where they are."""
    arguments = job_arguments(job)
    del arguments["--mode"]
    file = files.onnx(job[2], job[3])
    commands = {"ONNX Runtime": [programs / "bench_onnxruntime", file]}
    if job[3] == 1:  # it reads files of one size alone, and those hold one picture
        commands["OpenCV"] = [sys.executable, BENCH / "opencv_network.py", file]
    peers = []
    for name, command in commands.items():
        try:
            peers.append(Peer(name, [*command, *words(arguments)], job[-1]))
        except RuntimeError as error:
            print(f"  {name} does not run: {error}", file=sys.stderr)
    return peers


def compare(programs, folder, job, options):
    network, mode, size, batch, threads = job
    print(f"{network}, {mode} {batch} x {size}x{size}, {threads} thread(s) ...", file=sys.stderr, flush=True)
    files = Files(programs, folder, network)
    best, tried = fastest_variant(files, job, options.tries)
    peers = [segmentum(programs, job)]
    peers += [pytorch(variant, files, job) for variant in dict.fromkeys(["eager", best])]
    if len({peer.about["parameters"] for peer in peers}) > 1:
        sys.exit("the networks differ: " + ", ".join(str(peer.about) for peer in peers))
    if mode == "infer":
        peers += readers_of_onnx(programs, files, job)
    for _ in range(options.repeats):
        for peer in peers:
            peer.run()
    for peer in peers:
        peer.stop()
    return {
        "network": network,
        "mode": mode,
        "size": size,
        "batch": batch,
        "threads": threads,
        "pytorch_seconds_by_variant": tried,
        "peers": [peer.summary() for peer in peers],
        "rows": [row(peer, peers[0], job) for peer in peers],
    }


def row(peer, ours, job):
    _, mode, _, batch, _ = job
    passes = 3 if mode == "train" else 1  # forward, for the weights, for the inputs
    pairs = [theirs["seconds"] / own["seconds"] for theirs, own in zip(peer.runs, ours.runs)]
    quarters = statistics.quantiles(pairs, n=4)
    return {
        "name": peer.name,
        "images_per_second": batch / peer.median(),
        "times_as_long": peer.median() / ours.median(),
        "times_as_long_quartiles": [quarters[0], quarters[2]],
        "times_cpu_seconds": peer.median("cpu_seconds") / ours.median("cpu_seconds"),
        "gflops": 2e-9 * passes * ours.about["multiply_adds"] / peer.median(),
        "peak_rss_bytes": peer.runs[-1]["peak_rss_bytes"],
        "network_bytes": peer.runs[-1]["peak_rss_bytes"] - peer.about["start_rss_bytes"],
        "plan_bytes": peer.about.get("plan_bytes"),
    }


def measure_machine(programs, threads):
    command = [str(programs / "bench_machine"), str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def better(first, second):
    """The machine's best of two measurements: what it can do, whoever else was on it."""
    return {k: max(first[k], second[k]) for k in first}


def processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def commit():
    command = ["git", "-C", BENCH, "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def print_table(results):
    print(f"\n{results['processor']}; medians of {results['repeats']} runs in turns\n")
    for threads, machine in results["machine"].items():
        print(
            f"- {threads} thread(s): {machine['fma_gflops']:.0f} GFLOP/s of multiply-adds "
            f"({machine['vectors']}), {machine['copy_gbytes']:.1f} GB/s copy, "
            f"{machine['triad_gbytes']:.1f} GB/s triad"
        )
    heads = ["pictures/s", "time", "quartiles", "CPU", "GFLOP/s", "of peak", "MiB", "process"]
    lines = [["job", "", *heads]]
    for case in results["cases"]:
        peak = results["machine"][str(case["threads"])]["fma_gflops"]
        job = "{network}, {mode} {batch}x{size}x{size}, {threads} thr.".format(**case)
        for row in case["rows"]:
            low, high = row["times_as_long_quartiles"]
            lines.append([
                job,
                row["name"],
                f"{row['images_per_second']:.2f}",
                f"{row['times_as_long']:.2f}x",
                f"{low:.2f}-{high:.2f}",
                f"{row['times_cpu_seconds']:.2f}x",
                f"{row['gflops']:.1f}",
                f"{row['gflops'] / peak:.0%}",
                f"{row['network_bytes'] / 2**20:.0f}",
                f"{row['peak_rss_bytes'] / 2**20:.0f}",
            ])
            job = ""
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * (w - 1) + ("-" if i < 2 else ":") for i, w in enumerate(widths)])
    print()
    for line in lines:
        cells = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
        print("| " + " | ".join(cells) + " |")
    print_scaling(results)
    print(
        "\ntime, CPU: as a multiple of Segmentum's, on the wall and summed over threads; quartiles of\n"
        "the first over pairs of neighbouring runs. GFLOP/s: multiply-adds x 2 of the convolutions,\n"
        "forward x 3 for a training step. MiB: peak memory of the process less what it held before\n"
        "the network was built; process: all of it."
    )


def print_scaling(results):
    """What more threads bring, of our rows and of the machine's peak."""
    ours = {}
    for case in results["cases"]:
        job = "{network}, {mode} {batch}x{size}x{size}".format(**case)
        ours.setdefault(job, {})[case["threads"]] = case["rows"][0]["images_per_second"]
    least, most = min(map(int, results["machine"])), max(map(int, results["machine"]))
    if least == most:
        return
    peaks = [results["machine"][str(threads)]["fma_gflops"] for threads in (least, most)]
    print(f"\n{most} threads against {least}: peak {peaks[1] / peaks[0]:.2f}x; " +
          "; ".join(f"{job} {rates[most] / rates[least]:.2f}x" for job, rates in ours.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, default=BENCH.parent / "build/release/bin")
    parser.add_argument("--repeats", type=int, default=9, help="runs of each (default: 9)")
    parser.add_argument("--tries", type=int, default=3, help="runs to choose PyTorch's variant")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--mode", choices=["infer", "train"], help="only this")
    parser.add_argument("--network", help="only networks whose name contains this")
    options = parser.parse_args()
    if options.repeats < 2:
        parser.error("--repeats: quartiles need at least 2")

    jobs = [
        (*case, threads)
        for case in CASES
        for threads in options.threads
        if options.mode in (None, case[1]) and (options.network or "") in case[0]
    ]
    before = [measure_machine(options.programs, threads) for threads in options.threads]
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        cases = [compare(options.programs, pathlib.Path(folder), job, options) for job in jobs]
    after = [measure_machine(options.programs, threads) for threads in options.threads]
    results = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": commit(),
        "processor": processor(),
        "load_average": [load_before, os.getloadavg()[0]],
        "repeats": options.repeats,
        "machine": {str(b["threads"]): better(b, a) for b, a in zip(before, after)},
        "cases": cases,
    }
    folder = BENCH / "results"
    folder.mkdir(exist_ok=True)
    file = folder / time.strftime("%Y%m%d-%H%M%S.json")
    file.write_text(json.dumps(results, indent=1))
    print_table(results)
    print(f"\nAll numbers: {file.relative_to(BENCH.parent)}")


main()
