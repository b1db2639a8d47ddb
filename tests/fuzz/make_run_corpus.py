#!/usr/bin/env python3
"""Writes tests/fuzz/run_corpus: files of runs as they are (valid_), and what must be refused. The first byte names the
reader: checkpoint, manifest, evaluation, hashes of data, journal (J: whose lines get their checksums first).

    python3 tests/fuzz/make_run_corpus.py
"""
import hashlib
import json
import pathlib
import struct

FOLDER = pathlib.Path(__file__).parent / "run_corpus"

NUMBERS = {"step": "7", "epochs_done": "2", "best_mean_iou": "0.5", "best_step": "5", "loss_sum": "0.25", "norm_sum": "1",
           "loss_count": "3", "log_bytes": "1234", "optimizer_steps": "7", "average_updates": "7"}
NAMES = ["average.w", "optimizer.mean.w", "optimizer.square.w", "parameters.w"]


def checkpoint(metadata, names=NAMES, cut=0):
    metadata = {"format": "segmentum checkpoint 1", "data": "2 classes\n", **metadata}
    header = {"__metadata__": metadata}
    for i, name in enumerate(names):
        header[name] = {"dtype": "F32", "shape": [3], "data_offsets": [12 * i, 12 * i + 12]}
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    whole = struct.pack("<Q", len(text)) + text + struct.pack("<3f", 1, 2, 3) * len(names)
    return b"c" + whole[:len(whole) - cut]


def with_hash(metadata):
    metadata = {"format": "segmentum checkpoint 1", "data": "2 classes\n", **metadata}
    tensors = hashlib.sha256()
    for name in NAMES:
        tensors.update(f"{name} F32 3\n".encode() + struct.pack("<3f", 1, 2, 3))
    whole = hashlib.sha256()
    for key in sorted(metadata):
        whole.update(f"{key} {len(metadata[key])}\n{metadata[key]}\n".encode())
    whole.update(tensors.hexdigest().encode())
    return {**metadata, "sha256": whole.hexdigest()}


MANIFEST = {
    "format": "segmentum manifest 1",
    "calls": [{"command": "segmentum train data", "started": "2026-01-31T12:00:00Z", "ended": None, "steps": 100,
               "program": {"cpu": "abacus"}}],
    "data": {"opened": "/p", "folder": "/p", "facts": ["2 classes"], "files": 16, "bytes": 1234, "sha256": "12ab", "changed": []},
    "init": {"sha256": "34cd"},
    "config": {"lr": "0.002", "model.width": "4"},
    "weights": {"last": "56", "best": "78"},
}
EVALUATION = {
    "model": "m", "data": "d", "split": "test", "scores": {"classes": [{"name": "sky"}, {"name": "road"}]},
    "images": [{"name": "a", "counts": [[0, 10, 12, 9], [1, 4, 2, 1]]}, {"name": "b", "counts": [[1, 7, 7, 7]]}],
}
HASH = hashlib.sha256(b"").hexdigest()


def changed(document, path, value):
    document = json.loads(json.dumps(document))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(document).encode()


def files():
    yield "valid_checkpoint", checkpoint(with_hash(NUMBERS))
    yield "valid_checkpoint_without_hash", checkpoint(NUMBERS)
    yield "checkpoint_of_another_hash", checkpoint({**with_hash(NUMBERS), "step": "8"})
    yield "checkpoint_flipped", checkpoint(with_hash(NUMBERS))[:-1] + b"\0"
    yield "checkpoint_cut", checkpoint(NUMBERS, cut=5)
    yield "checkpoint_cut_in_header", checkpoint(NUMBERS)[:100]
    yield "checkpoint_without_tensor", checkpoint(NUMBERS, NAMES[1:])
    yield "checkpoint_step_negative", checkpoint({**NUMBERS, "step": "-1"})
    yield "checkpoint_step_huge", checkpoint({**NUMBERS, "step": "99999999999999999999"})
    yield "checkpoint_step_text", checkpoint({**NUMBERS, "step": "seven"})
    yield "checkpoint_step_missing", checkpoint({key: text for key, text in NUMBERS.items() if key != "step"})
    yield "checkpoint_other_format", checkpoint({**NUMBERS, "format": "segmentum checkpoint 9"})
    yield "checkpoint_empty", b"c"
    yield "valid_manifest", b"m" + json.dumps(MANIFEST).encode()
    yield "manifest_cut", b"m" + json.dumps(MANIFEST).encode()[:150]
    yield "manifest_deep", b"m" + b"[" * 5000
    yield "manifest_no_utf8", b'm{"\xff\n": 1}'
    yield "manifest_list", b"m[]"
    yield "manifest_files_huge", b"m" + changed(MANIFEST, ["data", "files"], 1e300)
    yield "manifest_files_negative", b"m" + changed(MANIFEST, ["data", "files"], -1)
    yield "manifest_steps_text", b"m" + changed(MANIFEST, ["calls", 0, "steps"], "100")
    yield "manifest_call_number", b"m" + changed(MANIFEST, ["calls", 0], 5)
    yield "manifest_config_unknown", b"m" + changed(MANIFEST, ["config"], {"nobody": "1"})
    yield "manifest_config_wrong", b"m" + changed(MANIFEST, ["config"], {"lr": "fast"})
    yield "manifest_weights_half", b"m" + changed(MANIFEST, ["weights"], {"last": "56"})
    yield "valid_evaluation", b"e" + json.dumps(EVALUATION).encode()
    yield "evaluation_cut", b"e" + json.dumps(EVALUATION).encode()[:150]
    yield "evaluation_deep", b"e" + b'{"a":' * 5000
    yield "evaluation_no_images", b"e" + changed(EVALUATION, ["images"], [])
    yield "evaluation_class_outside", b"e" + changed(EVALUATION, ["images", 0, "counts", 0, 0], 2)
    yield "evaluation_class_negative", b"e" + changed(EVALUATION, ["images", 0, "counts", 0, 0], -1)
    yield "evaluation_counts_huge", b"e" + changed(EVALUATION, ["images", 0, "counts", 0, 1], 2**53)
    yield "evaluation_counts_fraction", b"e" + changed(EVALUATION, ["images", 0, "counts", 0, 1], 9.5)
    yield "evaluation_counts_short", b"e" + changed(EVALUATION, ["images", 0, "counts", 0], [0, 10])
    yield "evaluation_counts_flat", b"e" + changed(EVALUATION, ["images", 0, "counts"], 5)
    yield "evaluation_more_right_than_true", b"e" + changed(EVALUATION, ["images", 0, "counts", 0, 3], 11)
    yield "valid_hashes", b"h" + f"{HASH}  a.png\n\\{HASH}  b\\nc.png\n".encode()
    yield "hashes_short", b"h" + HASH[:40].encode() + b"  a.png\n"
    yield "hashes_no_name", b"h" + HASH.encode()
    start = b"Jsegmentum label map 1\nidentity\n"
    yield "valid_journal_start", start
    yield "journal_another", b"Jsegmentum label map 1\nother\n"
    yield "journal_no_checksum", b"j" + start[1:]
    yield "journal_tile_outside", start + b"0 0 1 1 900:200\n"
    yield "journal_tile_huge", start + b"0 0 1 1 16:18446744073709551615\n"
    yield "journal_offset_wraps", start + b"0 0 1 1 18446744073709551615:900\n"
    yield "journal_tile_in_header", start + b"0 0 1 1 0:9\n"
    yield "journal_tile_no_deflate", start + b"0 0 1 1 16:900\n"
    yield "journal_region_outside", start + b"256 512 2 2 16:9 16:9 16:9 16:9\n"
    yield "journal_region_odd", start + b"5 5 1 1 16:9\n"
    yield "journal_region_huge", start + b"0 0 65536 65536 16:9\n"
    yield "journal_words", start + b"hello\n"
    yield "nobody", b"?hello"
    yield "empty", b""


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, content in files():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
