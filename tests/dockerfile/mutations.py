"""Real Dockerfiles with bytes flipped, deleted, doubled and put in."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

SEED = 20_240
# How many mutants a short run reads.
SHORT = 500

# Bytes that mean something, and so find more than random ones.
TELLING = [bytes([b]) for b in b"\"'\\`,=-#<$ \t\r\n\0[]{}|&\x0b\x0c\x1b\x85\xa0\xff"]
TELLING += [
    b"\\\n",
    b"\r\n",
    b"--",
    b"--mount=",
    b"<<EOF",
    b"\xc2\xa0",
    b"\xef\xbb\xbf",
    b"ONBUILD ",
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return `data` with a few bytes flipped, deleted, doubled, moved or put in."""
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(mutant))
        end = min(len(mutant), at + chance.choice((1, 1, 1, 2, 8, 40)))
        kind = chance.randint(0, 5)
        if kind == 0 and at < len(mutant):
            mutant[at] ^= 1 << chance.randint(0, 7)
        elif kind == 1:
            del mutant[at:end]
        elif kind == 2:
            mutant[at:at] = mutant[at:end]
        elif kind == 3:
            mutant[at:at] = chance.choice(TELLING)
        elif kind == 4:
            mutant[at:end] = chance.choice(TELLING)
        else:
            del mutant[at:]
    return bytes(mutant)


def mutants(folder: Path, seconds: float) -> Iterator[bytes]:
    """Yield mutants of a corpus: the same few each time, or new ones for some seconds."""
    chance = random.Random(None if seconds else SEED)
    texts = [
        path.read_bytes()
        for path in sorted(folder.joinpath("files").rglob("*ockerfile*"))
        if path.is_file() and path.stat().st_size < 6_000
    ]
    assert texts
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield mutated(chance.choice(texts), chance)
    for _ in range(0 if seconds else SHORT):
        yield mutated(chance.choice(texts), chance)
