"""Trees by text: each text is parsed once, and many are parsed by several processes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.parser import parse
from migrate_cache.text.errors import ParseError

if TYPE_CHECKING:
    from migrate_cache.dockerfile.tree import Dockerfile

# Fewer files are read before other processes have started.
WORTH_PROCESSES = 400

_Key = tuple[str, str]


class Trees:
    """The trees of a project's texts; `jobs` processes at most, 0 for one on each processor."""

    def __init__(self, jobs: int = 0) -> None:
        self._jobs = jobs or os.cpu_count() or 1
        self._known: dict[_Key, Dockerfile | ParseError] = {}

    def get(self, path: str, text: str) -> Dockerfile:
        """Return the tree of a file's text.

        Raises:
            ParseError: as `parse` does.

        """
        key = (path, text)
        if key not in self._known:
            self._known[key] = _read(key)
        found = self._known[key]
        if isinstance(found, ParseError):
            raise found
        return found

    def read_ahead(self, files: Iterable[_Key]) -> None:
        """Parse many files at once where that is faster."""
        missing = [key for key in files if key not in self._known]
        if self._jobs < 2 or len(missing) < WORTH_PROCESSES:
            return
        try:
            with ProcessPoolExecutor(self._jobs) as pool:
                found = pool.map(_read, missing, chunksize=50)
                self._known.update(zip(missing, found, strict=True))
        except (OSError, BrokenProcessPool):
            # No processes to be had: `get` reads one file after the other.
            return


def _read(key: _Key) -> Dockerfile | ParseError:
    path, text = key
    try:
        return parse(text, path)
    except ParseError as error:
        return error
