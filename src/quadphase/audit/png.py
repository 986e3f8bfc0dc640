"""Write a PNG (ISO/IEC 15948) from an array: 8-bit RGB, no text chunk, no time; enough for thumbnails."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_png"]


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """PNG bytes of an image.

    Parameters
    ----------
    rgb : (rows, columns, 3) ndarray of uint8
    """
    rows, columns, _ = rgb.shape
    # Filter 1 (difference to the left pixel) suits smooth pictures.
    left = np.zeros_like(rgb)
    left[:, 1:] = rgb[:, :-1]
    lines = np.ones((rows, 1 + 3 * columns), dtype=np.uint8)
    lines[:, 1:] = (rgb - left).reshape(rows, -1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
