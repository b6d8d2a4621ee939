"""How long it takes to read Dockerfiles of awkward shapes, and twice as much of them.

``python benchmarks/reading.py [SHAPE]...``: one line a shape; the ratio is 2 where the time
is proportional to the size. Times depend on the machine, so nothing is asserted here.
"""

# ruff: noqa: T201 - it prints a table
from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from migrate_cache.dockerfile.parser import parse
from migrate_cache.text.errors import ParseError
from tests.dockerfile.shapes import FROM, KB, SHAPES


def seconds(text: str) -> float:
    """Return the shortest of three times that reading `text` takes."""
    data = text.encode()
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        try:
            tree = parse(data)
            assert tree.text == text
        except ParseError:
            pass
        best = min(best, time.process_time() - began)
    return best


def main() -> None:
    """Print the table."""
    parse(FROM)
    wanted = sys.argv[1:]
    print(f"{'shape':40} {'size':>10} {'once':>9} {'twice':>9} {'ratio':>6}")
    for name, (make, size) in SHAPES.items():
        if wanted and not any(word in name for word in wanted):
            continue
        # Half as much first, so that "twice" is the size that the name tells.
        once, twice = seconds(make(size // 2)), seconds(make(size))
        kilobytes = len(make(size).encode()) // KB
        print(f"{name:40} {kilobytes:>7} KB {once:>7.3f} s {twice:>7.3f} s {twice / once:>6.2f}")


if __name__ == "__main__":
    main()
