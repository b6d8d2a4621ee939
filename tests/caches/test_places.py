from __future__ import annotations

import pytest

from migrate_cache.caches.places import braceless, covered, is_above, is_inside, split


@pytest.mark.parametrize(
    ("pattern", "path", "length"),
    [
        ("a/b", "a/b", 2),
        ("a/b", "a/b/c", 2),
        ("a/b", "a", -1),
        ("a/b", "b", -1),
        ("a/*", "a/b", 2),
        ("a/*", "a", -1),
        ("**/a", "a", 1),
        ("**/a", "x/a/y/a/b", 4),
        ("**/a/**/a", "a/x/a", 3),
        ("**/a/**/b", "a/x/a", -1),
        ("**/a/**/x/b", "a/x/a/x/b", 5),
        ("a/**/b", "a/b", 2),
        ("a/**", "a/b/c", 3),
        ("**/*-x/c", "b/a-x/c", 3),
    ],
)
def test_covered(pattern: str, path: str, length: int) -> None:
    assert covered(split(pattern), split(path)) == length


def test_split() -> None:
    assert split("/a//b/") == ("a", "b")
    assert split("/") == ()


def test_inside_and_above() -> None:
    assert is_inside(("a", "b"), ("a",))
    assert is_inside(("a",), ("a",))
    assert not is_inside(("a",), ("a", "b"))
    assert is_above(("a", "b"), ("a", "*", "c"))
    assert not is_above(("a", "c"), ("a", "b", "c"))
    assert not is_above(("a",), ("a",))
    assert not is_above((), ("a",))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("${HOME}/x", "$HOME/x"),
        ("${HOME:-/root}/x", "$HOME/x"),
        ("${HOME-/root}", "$HOME"),
        ("$HOME/x", "$HOME/x"),
        ("${HOME}x", "${HOME}x"),
        ("${HOME%/}/x", "${HOME%/}/x"),
        ("/a/${HOME}", "/a/${HOME}"),
    ],
)
def test_braceless(path: str, expected: str) -> None:
    assert braceless(path) == expected
