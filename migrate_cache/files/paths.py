"""Paths of the file system, and how they are shown."""

from __future__ import annotations

import os

__all__ = ["display_path", "is_inside"]


def display_path(path: str | os.PathLike[str]) -> str:
    """Return `path` with forward slashes, as messages and reports show it."""
    return os.fspath(path).replace(os.sep, "/")


def is_inside(path: str, folder: str) -> bool:
    """Tell whether `path` is `folder` or lies below it; both are absolute and without links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
