"""A Dockerfile with faults in it makes a tree or an error, nothing else.

Seeded and short by default; ``--fuzz-seconds N`` goes on.
"""

from __future__ import annotations

from pathlib import Path

from migrate_cache.dockerfile.scope import resolve
from migrate_cache.dockerfile.tree import Dockerfile
from migrate_cache.text.source import encode
from tests.dockerfile.mutations import mutants
from tests.reading import read


def test_a_mutant_is_read_or_refused(corpus: Path, fuzz_seconds: float) -> None:
    kinds = set()
    for data in mutants(corpus, fuzz_seconds):
        try:
            tree = read(data)
            if isinstance(tree, Dockerfile):
                resolve(tree)
        except Exception as error:
            raise AssertionError(f"{data!r}") from error
        kinds.add(type(tree).__name__)
        if isinstance(tree, Dockerfile):
            assert encode(tree.text) == data
    assert kinds == {"Dockerfile", "ParseError"}
