"""Patterns for files."""

from __future__ import annotations

import pytest

from migrate_cache.text.globs import Globs, IgnoreFile


@pytest.mark.parametrize(
    ("patterns", "path", "matches"),
    [
        (["vendor"], "a/vendor/Dockerfile", True),
        (["vendor"], "a/vendored/Dockerfile", False),
        (["Dockerfile"], "a/Dockerfile", True),
        (["/a"], "a/Dockerfile", True),
        (["/a"], "b/a/Dockerfile", False),
        (["a/b"], "a/b/Dockerfile", True),
        (["a/b"], "c/a/b/Dockerfile", False),
        (["a/**/b"], "a/x/y/b", True),
        (["*.tmpl"], "x/Dockerfile.tmpl", True),
        (["*.tmpl", "!keep.tmpl"], "x/keep.tmpl", False),
        (["*"], "a", True),
        ([], "a", False),
        # A pattern that costs too much matches nothing.
        (["a" + "*a" * 9], "a" * 10, False),
        (["a" + "*a" * 8], "a" * 10, True),
    ],
)
def test_globs(patterns: list[str], path: str, matches: bool) -> None:
    assert Globs(patterns).match(path) is matches


def test_an_ignore_file_decides_about_paths_below_its_folder() -> None:
    ignore = IgnoreFile("a/", b"\xef\xbb\xbf*.log\r\n!keep.log\n/top\n")
    assert ignore.decide("a/b/x.log") is True
    assert ignore.decide("a/b/keep.log") is False
    assert ignore.decide("a/b/x.txt") is None
    assert ignore.decide("a/top") is True
    assert ignore.decide("a/b/top") is None
