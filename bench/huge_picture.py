#!/usr/bin/env python3
"""Writes a tiled BigTIFF of any size, RGB of 8 bits, tile by tile: soft shapes with grain, and a GeoTIFF's tags.

    bench/huge_picture.py huge.tif --width 28800 --height 21600
"""
import argparse
import os
import struct
import zlib

SHORT, LONG, LONG8, DOUBLE, ASCII = 3, 4, 16, 12, 2
SIZES = {SHORT: "H", LONG: "I", LONG8: "Q", DOUBLE: "d"}


def value_bytes(kind, values):
    return values if kind == ASCII else struct.pack(f"<{len(values)}{SIZES[kind]}", *values)


def wave(length, period, phase):
    """A smooth row: parabolas up and down, 0 to 60."""
    row = bytearray()
    for i in range(length):
        t = ((i + phase) % period) / period
        row.append(int(240 * t * (1 - t)))
    return bytes(row)


class TileMaker:
    def __init__(self, side):
        self.side = side
        self.grain = os.urandom(side * 3 + 4096)
        self.lift = [bytes(min(255, value + add) for value in range(256)) for add in range(196)]

    def tile(self, row, column):
        side, lines = self.side, []
        across = [wave(side, 317 + 90 * channel, column * side) for channel in range(3)]
        down = wave(side, 401, row * side)
        for y in range(side):
            line = bytearray(3 * side)
            for channel in range(3):
                line[channel::3] = across[channel].translate(self.lift[down[y] + 30 * channel])
            at = (y * 37) % 4096
            grain = int.from_bytes(self.grain[at:at + 3 * side], "little") & int.from_bytes(b"\x0f" * (3 * side), "little")
            lines.append((int.from_bytes(line, "little") ^ grain).to_bytes(3 * side, "little"))
        return b"".join(lines)


def write(path, width, height, side, level):
    maker, offsets, counts = TileMaker(side), [], []
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        for row in range(-(-height // side)):
            for column in range(-(-width // side)):
                tile = maker.tile(row, column)
                if level:
                    tile = zlib.compress(tile, level)
                offsets.append(file.tell())
                counts.append(len(tile))
                file.write(tile)
        tags = [(256, LONG, [width]), (257, LONG, [height]), (258, SHORT, [8, 8, 8]), (259, SHORT, [8 if level else 1]),
                (262, SHORT, [2]), (277, SHORT, [3]), (284, SHORT, [1]), (322, LONG, [side]), (323, LONG, [side]),
                (324, LONG8, offsets), (325, LONG8, counts),
                (33550, DOUBLE, [0.5, 0.5, 0.0]), (33922, DOUBLE, [0, 0, 0, 400000.0, 5500000.0, 0]),
                (34735, SHORT, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632]), (42113, ASCII, b"0\0")]
        entries = []
        for number, kind, values in tags:
            content = value_bytes(kind, values)
            if len(content) > 8:
                file.seek(-(-file.tell() // 8) * 8)
                place = struct.pack("<Q", file.tell())
                file.write(content)
            else:
                place = content.ljust(8, b"\0")
            entries.append(struct.pack("<HHQ", number, kind, len(values)) + place)
        file.seek(-(-file.tell() // 8) * 8)
        directory = file.tell()
        file.write(struct.pack("<Q", len(entries)) + b"".join(entries) + struct.pack("<Q", 0))
        file.seek(8)
        file.write(struct.pack("<Q", directory))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--width", type=int, default=28800)
    parser.add_argument("--height", type=int, default=21600)
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--deflate", type=int, default=0, help="level of compression, 0: none")
    options = parser.parse_args()
    write(options.file, options.width, options.height, options.tile, options.deflate)


if __name__ == "__main__":
    main()
