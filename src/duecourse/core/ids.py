"""Ids and randomness that depend on what a thing is called, never on where it stands in a file.

``uniform`` is a counter-based generator: the same (seed, stream, key, step) always gives the same number, on every
platform and in any order, so adding a row moves no other row's draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def sha256_hex(*parts: bytes) -> str:
    """Hex SHA-256 of the parts, each preceded by its length so that no two lists of parts collide."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def key_codes(keys: Iterable[str]) -> npt.NDArray[np.uint64]:
    """One 64-bit code per text key (BLAKE2b), shape (n,)."""
    blake2b = hashlib.blake2b
    return np.fromiter(
        (int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") for key in keys), dtype=np.uint64
    )


def uniform(seed: int, stream: str, codes: npt.NDArray[np.uint64], step: int = 0) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1), shape of ``codes``, keyed by (seed, stream, code, step)."""
    bits = keyed_bits(seed, stream, codes, step)
    result: npt.NDArray[np.float64] = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return result


def keyed_bits(seed: int, stream: str, codes: npt.NDArray[np.uint64], step: int = 0) -> npt.NDArray[np.uint64]:
    """64 random bits per code, shape of ``codes``, keyed by (seed, stream, code, step).

    splitmix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
    """
    start = int.from_bytes(hashlib.blake2b(f"{seed}/{stream}/{step}".encode(), digest_size=8).digest(), "big")
    with np.errstate(over="ignore"):
        z = (codes ^ np.uint64(start)) + np.uint64(0x9E3779B97F4A7C15)
        for _ in range(2):  # two rounds: the keys themselves are xor-ed in, one round leaves visible structure
            z ^= z >> np.uint64(30)
            z *= np.uint64(0xBF58476D1CE4E5B9)
            z ^= z >> np.uint64(27)
            z *= np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
    return z
