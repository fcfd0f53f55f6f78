#!/usr/bin/env python3
"""The gallery of counterfactual digits: docs/figures/gallery.png.

    examples/digits/gallery.py [FILE]

Row i starts from a handwritten i that the network reads as one. Column j is the nearest image that it reads as a j with probability
0.9, found and proved by softrelu.counterfactual; on the diagonal, framed, are the images themselves. Needs NumPy and the package softrelu (PYTHONPATH=python, SOFTRELU_LIBRARY=the built library).
"""
import os
import struct
import sys
import zlib

import numpy as np

import softrelu

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE, SCALE, GAP, FRAME, BRIGHTEST = 8, 6, 8, 3, 16.0


def write_png(path, pixels):
    """pixels: rows x columns x 3, 0 to 255."""
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels, dtype=np.uint8))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in ((b"IHDR", struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)),
                           (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")):
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def tile(image):
    """Ink on paper."""
    return np.kron(255 * (1 - image / BRIGHTEST).reshape(SIDE, SIDE, 1).clip(0, 1), np.ones((SCALE, SCALE, 1)))


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "..", "docs", "figures", "gallery.png")
    data = {name: np.load(os.path.join(HERE, "data", name + ".npy")).astype(float) for name in ("A1", "A2", "c1", "c2", "images", "labels")}
    problem = softrelu.Problem(data["A1"], np.full(10, 0.1), A2=data["A2"], c1=data["c1"], c2=data["c2"], lower=0, upper=BRIGHTEST,
                               loss="kl")
    step = SIDE * SCALE + GAP
    sheet = np.full((10 * step + GAP, 10 * step + GAP, 3), 255.0)
    found = proved = 0
    distances = []
    for digit in range(10):
        start = next(image for image, label in zip(data["images"], data["labels"])
                     if label == digit and problem.at(image).prediction.argmax() == digit)
        for wanted in range(10):
            image = start
            if wanted != digit:
                search = softrelu.counterfactual(problem, start, wanted, confidence=0.9)
                if not search.answers:
                    print(f"no {wanted} near this {digit}: {search.message}")
                    continue
                image = search.answers[0].x
                found += 1
                proved += search.answers[0].certified
                distances.append(search.answers[0].distance)
            top, left = GAP + digit * step, GAP + wanted * step
            if wanted == digit:
                sheet[top - FRAME:top + SIDE * SCALE + FRAME, left - FRAME:left + SIDE * SCALE + FRAME] = (200, 60, 40)
            sheet[top:top + SIDE * SCALE, left:left + SIDE * SCALE] = tile(image)
    write_png(path, sheet)
    print(f"{found} of 90 found, {proved} proved the nearest around; distances {min(distances):.1f} to {max(distances):.1f},"
          f" median {np.median(distances):.1f}; written to {path}")
    return 0 if found == 90 else 1


if __name__ == "__main__":
    sys.exit(main())
