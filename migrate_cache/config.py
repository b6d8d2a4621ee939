"""Settings: declared once, here; the command line and the configuration file fill them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_ID_TEMPLATE = "{kind}-{stage}-{service}"


@dataclass(frozen=True, slots=True)
class Override:
    """One ``[[overrides]]`` table: what holds for the files that match its globs."""

    files: tuple[str, ...]
    service: str = ""
    id: str = ""
    id_template: str = ""
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan depends on besides the files. Names are those of the long options."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    service: str = ""
    id_template: str = DEFAULT_ID_TEMPLATE
    project: str = ""
    cargo_lock: bool = True
    fresh_ids: bool = False
    keep_lock: bool = False
    exclude: tuple[str, ...] = ()
    gitignore: bool = True
    # Folders whose files are read for the graph and never written.
    vendored: tuple[str, ...] = ("vendor", "node_modules", "third_party", "testdata", ".git")
    # Compose and bake files that lie where none is looked for.
    build_files: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    caches: tuple[Mapping[str, object], ...] = ()
