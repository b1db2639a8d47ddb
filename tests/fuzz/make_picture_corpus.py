#!/usr/bin/env python3
"""Writes tests/fuzz/picture_corpus: small pictures of many forms (valid_*) and what must be refused.

    python3 tests/fuzz/make_picture_corpus.py
"""
import pathlib
import struct
import zlib

FOLDER = pathlib.Path(__file__).parent / "picture_corpus"

# 9x5 pixels of RGB, quality 50, by our own encoder (libjpeg-turbo).
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c"
    "3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763ffdb0043011112121815182f1a1a2f634238426363"
    "636363636363636363636363636363636363636363636363636363636363636363636363636363636363636363636363ffc00011080005"
    "000903012200021101031101ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b5100002010303"
    "020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a"
    "25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a9293"
    "9495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2"
    "f3f4f5f6f7f8f9faffc4001f0100030101010101010101010000000000000102030405060708090a0bffc400b511000201020404030407"
    "05040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a26"
    "2728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495"
    "969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6"
    "f7f8f9faffda000c03010002110311003f00afa369b0fcbfe15d17f66c3fe45145311fffd9")


def chunk(kind, body, good=True):
    check = zlib.crc32(kind + body) ^ (0 if good else 1)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(width, height, depth, colour, rows, extra=b"", interlace=0, good=True):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows), good)
            + chunk(b"IEND", b""))


def flat_rows(row_bytes, height):
    return b"".join(b"\0" + bytes((7 * y + x) % 256 for x in range(row_bytes)) for y in range(height))


def tiff(tags, data, order="<", big=False):
    """`data` stands behind the header; the tag 273 or 324 of value None points to it."""
    start = 16 if big else 8
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    directory = start + len(data) + (len(data) & 1)
    head += struct.pack(order + ("HHQ" if big else "I"), *((8, 0, directory) if big else (directory,)))
    entries = b""
    for number, kind, values in sorted(tags):
        values = [start if value is None else value for value in values]
        letter = {3: "H", 4: "I", 16: "Q"}[kind]
        content = struct.pack(order + letter * len(values), *values)
        room = 8 if big else 4
        assert len(content) <= room, "keep tags short"
        entries += struct.pack(order + ("HHQ" if big else "HHI"), number, kind, len(values)) + content.ljust(room, b"\0")
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    return head + data + b"\0" * (len(data) & 1) + count + entries + struct.pack(order + ("Q" if big else "I"), 0)


def grey(width=5, height=4, bits=8, **changed):
    tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits]), 259: (3, [1]), 262: (3, [1]), 273: (4, [None]),
            277: (3, [1]), 278: (3, [height]), 279: (4, [(width * bits + 7) // 8 * height])}
    for name, value in changed.items():
        number = int(name[1:])
        if value is None:
            tags.pop(number)
        else:
            tags[number] = value
    return [(number, kind, values) for number, (kind, values) in tags.items()]


def files():
    rows = flat_rows
    palette = chunk(b"PLTE", bytes(range(12)))
    yield "valid_png_grey_1", png(9, 3, 1, 0, rows(2, 3))
    yield "valid_png_grey_16", png(3, 3, 16, 0, rows(6, 3))
    yield "valid_png_rgb", png(3, 3, 8, 2, rows(9, 3))
    yield "valid_png_rgba_16", png(2, 2, 16, 6, rows(16, 2))
    two_bits = b"".join(b"\0" + b"\x1b" for _ in range(3))
    yield "valid_png_palette", png(4, 3, 2, 3, two_bits, palette)
    yield "valid_png_palette_alpha", png(4, 3, 2, 3, two_bits, palette + chunk(b"tRNS", b"\0\x80"))
    yield "valid_png_interlaced", png(1, 1, 8, 0, b"\0\x05", interlace=1)
    yield "valid_png_index_beyond_palette", png(4, 1, 8, 3, b"\0\0\1\2\xff", palette)
    yield "png_bomb", png(2**31 - 1, 2**31 - 1, 16, 6, b"\0")
    yield "png_wide", png(60000, 60000, 1, 0, b"\0" * 10000)
    yield "png_no_rows", png(3, 3, 8, 2, b"")
    yield "png_rows_missing", png(3, 300, 8, 2, rows(9, 3))
    yield "png_bad_checksum", png(3, 3, 8, 2, rows(9, 3), good=False)
    yield "png_size_zero", png(0, 3, 8, 2, rows(9, 3))
    yield "png_depth_3", png(3, 3, 3, 2, rows(9, 3))
    yield "png_cut", png(30, 30, 8, 2, rows(90, 30))[:100]
    yield "png_signature_alone", b"\x89PNG\r\n\x1a\n"
    yield "valid_jpeg", JPEG
    yield "jpeg_cut", JPEG[: len(JPEG) // 2]
    yield "jpeg_start_alone", JPEG[:4]
    at = JPEG.index(b"\xff\xc0")
    yield "jpeg_huge", JPEG[: at + 5] + b"\xff\xff\xff\xff" + JPEG[at + 9:]
    yield "valid_jpeg_exif_loop", JPEG[:2] + b"\xff\xe1\0\x16Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01" + b"\0" * 2 + JPEG[2:]
    data = bytes(range(20))
    yield "valid_tiff_grey", tiff(grey(), data)
    yield "valid_tiff_motorola", tiff(grey(), data, ">")
    yield "valid_tiff_big", tiff(grey(), data, big=True)
    yield "valid_tiff_turned", tiff(grey(t274=(3, [6])), data)
    yield "valid_tiff_12_bits", tiff(grey(bits=12), bytes(range(32)))
    yield "valid_tiff_white_is_zero", tiff(grey(t262=(3, [0])), data)
    packed = zlib.compress(data)
    yield "valid_tiff_deflate", tiff(grey(t259=(3, [8]), t279=(4, [len(packed)])), packed)
    tile = [(256, 3, [5]), (257, 3, [4]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1]), (277, 3, [1]), (322, 3, [16]),
            (323, 3, [16]), (324, 4, [None]), (325, 4, [256])]
    yield "valid_tiff_tile", tiff(tile, bytes(256))
    yield "tiff_tile_zero", tiff([tag if tag[0] != 322 else (322, 3, [0]) for tag in tile], bytes(256))
    yield "tiff_tile_huge", tiff([tag if tag[0] not in (322, 323) else (tag[0], 4, [2**31 - 16]) for tag in tile], bytes(256))
    yield "tiff_no_width", tiff(grey(t256=None), data)
    yield "tiff_bomb", tiff(grey(t256=(4, [2**32 - 1]), t257=(4, [2**32 - 1]), t278=(4, [1])), data)
    yield "tiff_bits_33", tiff(grey(t258=(3, [33])), data)
    yield "tiff_samples_65535", tiff(grey(t277=(3, [65535])), data)
    yield "tiff_row_too_wide", tiff(grey(t256=(4, [65024]), t257=(4, [65530]), t259=(3, [164]), t277=(3, [65535]), t278=(4, [65530])), data)
    yield "tiff_offset_far", tiff(grey(t273=(4, [2**31])), data)
    yield "tiff_cut", tiff(grey(), data)[:60]
    yield "valid_tiff_palette_missing", tiff(grey(t262=(3, [3])), data)
    yield "tiff_directory_in_itself", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    yield "tiff_ycbcr_odd", tiff(grey(t262=(3, [6]), t277=(3, [3]), t530=(3, [0, 0])), data)
    yield "gif", b"GIF89a"
    yield "empty", b""
    yield "text", b"hello"


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, content in files():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
