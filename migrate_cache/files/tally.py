"""Warn about tally, a linter whose automatic fix would lock shared cache mounts again."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from migrate_cache.files.discovery import read_file
from migrate_cache.files.paths import below
from migrate_cache.text.errors import Warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RULE = "prefer-package-cache-mounts"
_EXCLUDING = (f"tally/{_RULE}", "tally/*", "*")
_MOST_BYTES = 1 << 20


def tally_warnings(root: str, paths: Iterable[str]) -> Iterator[Warn]:
    """Yield a warning for each configuration of tally that leaves the fix on."""
    for path in paths:
        real = below(root, path)
        try:
            linked_out = os.path.realpath(real) != real
            data = b"" if linked_out else read_file(real, _MOST_BYTES)
            document: object = tomllib.loads(data.decode("utf-8-sig", "replace"))
        except (OSError, ValueError, RecursionError):
            document = {}
        rules = _below(document, "rules")
        excluded = rules.get("exclude")
        own = _below(_below(rules, "tally"), _RULE)
        if isinstance(excluded, list) and any(name in _EXCLUDING for name in excluded):
            continue
        if own.get("severity") == "off" or own.get("fix") == "never":
            continue
        yield Warn(
            path, 0, 0,
            f"tally's rule {_RULE} would lock these caches again with --fix; two lines prevent "
            f'it: `[rules]` and `exclude = ["tally/{_RULE}"]`',
        )  # fmt: skip


def _below(table: object, key: str) -> dict[str, object]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}
