"""Does the cost of a picture grow with its pixels? Segments pictures of 128x128 to 8192x8192 with one
network, a process for each size, and prints time for each pixel and peak memory. Writes
bench/results/sizes-*.json."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
SHORT = [128, 256, 512, 1024, 2048]
ALL = [*SHORT, 4096, 8192]
REFERENCE = 1024  # the size whose time for a pixel the others are compared with


def measure(options, model, size, threads):
    """The medians of one process."""
    # Small pictures are short: many of them, and the median.
    repeats = max(3, min(50, (1024 // size) ** 2 * 3))
    command = [options.programs / "bench_sizes", model, "--size", size, "--threads", threads,
               "--repeats", repeats, "--memory", options.memory]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    output = subprocess.run([str(word) for word in command], env=environment, check=True,
                            capture_output=True, text=True).stdout
    about, *runs = [json.loads(line) for line in output.splitlines()]
    seconds = statistics.median(run["seconds"] for run in runs)
    return {
        "size": size,
        "threads": threads,
        "tiles": about["tiles"],
        "seconds": seconds,
        "ns_per_pixel": seconds / size**2 * 1e9,
        "peak_rss_bytes": runs[-1]["peak_rss_bytes"],
        "picture_bytes": about["picture_bytes"],
    }


def table(rows):
    heads = ["size", "threads", "parts", "ms", "ns a pixel", f"of {REFERENCE}", "peak MiB", "less the picture"]
    lines = [heads]
    for row in rows:
        reference = [r for r in rows if r["size"] == REFERENCE and r["threads"] == row["threads"]]
        share = f"{row['ns_per_pixel'] / reference[0]['ns_per_pixel']:.2f}x" if reference else ""
        lines.append([
            f"{row['size']}x{row['size']}", str(row["threads"]), str(row["tiles"]),
            f"{row['seconds'] * 1e3:.1f}", f"{row['ns_per_pixel']:.0f}", share,
            f"{row['peak_rss_bytes'] / 2**20:.0f}",
            f"{(row['peak_rss_bytes'] - row['picture_bytes']) / 2**20:.0f}",
        ])
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * (width - 1) + ":" for width in widths])
    return "\n".join("| " + " | ".join(c.rjust(w) for c, w in zip(line, widths)) + " |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, default=BENCH.parent / "build/release/bin")
    parser.add_argument("--network", nargs="+", default=["unet"],
                        help="as bench_network takes it: unet --set width=64 (default: unet)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SHORT, help="sides of pictures")
    parser.add_argument("--all", action="store_true", help="up to 8192")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--memory", type=int, default=1024, help="MB of activations (default: 1024)")
    options, more = parser.parse_known_args()
    network = options.network + more  # "--set width=64" is for the network
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "network.segmentum"
        subprocess.run([options.programs / "bench_network", *network, "--write", model], check=True)
        rows = [
            measure(options, model, size, threads)
            for threads in options.threads
            for size in (ALL if options.all else options.sizes)
        ]
    print(f"\n{' '.join(network)}, pictures cut beyond {options.memory} MB of activations\n")
    print(table(rows))
    folder = BENCH / "results"
    folder.mkdir(exist_ok=True)
    file = folder / time.strftime("sizes-%Y%m%d-%H%M%S.json")
    file.write_text(json.dumps({"network": network, "memory_mb": options.memory, "rows": rows}, indent=1))
    print(f"\nAll numbers: {file.relative_to(BENCH.parent)}")


main()
