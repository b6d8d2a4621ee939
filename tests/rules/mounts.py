"""Dockerfiles in which ``<>`` stands for the options of one cache mount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

LOCKED = "sharing=locked"


@overload
def filled(files: str, options: str | Sequence[str]) -> str: ...
@overload
def filled(files: Mapping[str, str], options: str | Sequence[str]) -> dict[str, str]: ...
def filled(files: str | Mapping[str, str], options: str | Sequence[str]) -> str | dict[str, str]:
    """Put options in the places of ``<>``: one text for all, or one for each in the order of paths.

    ``target=/x<>`` becomes ``target=/x,sharing=locked``, and ``target=/x`` where a text is empty.
    """
    if isinstance(files, str):
        return filled({"": files}, options)[""]
    count = sum(text.count("<>") for text in files.values())
    each = [options] * count if isinstance(options, str) else list(options)
    assert len(each) == count, f"{count} mounts, and options of {len(each)}"
    left = iter(each)
    return {path: _put(files[path], left) for path in sorted(files)}


def _put(text: str, options: Iterator[str]) -> str:
    first, *rest = text.split("<>")
    return first + "".join(
        (f",{option}" if option else "") + part for part, option in zip(rest, options, strict=False)
    )
