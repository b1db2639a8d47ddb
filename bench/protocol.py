"""The peers' side of compare.py: a line "run" on standard input is one repetition, answered by one
line of JSON."""

import json
import os
import resource
import sys
import time


def rss_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def answer(**values):
    print(json.dumps(values), flush=True)


def serve(run, **about):
    """Says `about`, then times `run` for each line."""
    answer(ready=True, **about)
    for line in sys.stdin:
        if line.strip() != "run":
            sys.exit("standard input: expected lines \"run\"")
        cpu = time.process_time()
        begin = time.perf_counter()
        run()
        answer(
            seconds=time.perf_counter() - begin,
            cpu_seconds=time.process_time() - cpu,
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
