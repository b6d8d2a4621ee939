"""MC901: a file that cannot be read stays as it is; the others are done."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.plan.api import Input, plan
from migrate_cache.text.errors import ParseError

LOCKED = "FROM golang\nRUN --mount=type=cache,target=/go/pkg/mod,sharing=locked go build\n"
BROKEN = "FROM debian\nRUN --mount=type=cache,target=/x,sharing=locked <<EOF\nfetch-x\n"


def test_the_others_are_done() -> None:
    result = migrate({"a": BROKEN, "b": LOCKED})
    broken, other = result.files
    assert isinstance(broken.error, ParseError)
    assert broken.after == broken.before == BROKEN
    assert broken.changes == ()
    assert (other.path, other.error) == ("b", None)
    assert other.after == LOCKED.replace("locked", "shared")
    assert [outcome.path for outcome in result.mounts] == ["b"]


@pytest.mark.parametrize("others", [{}, {"b": "FROM debian\n"}, {"b": LOCKED}])
def test_the_order_of_files_stays(others: dict[str, str]) -> None:
    result = migrate({"c": BROKEN, **others})
    assert [file.path for file in result.files] == [*others, "c"]
    assert [file.error is not None for file in result.files] == [False] * len(others) + [True]


def test_a_broken_file_without_cache_mounts_is_no_matter() -> None:
    text = "FROM debian\nRUN <<EOF\n"
    (file,) = migrate({"Dockerfile": text}).files
    assert (file.error, file.after) == (None, text)


@pytest.mark.parametrize("others", [{}, {"b": LOCKED}])
def test_a_file_without_bytes(others: dict[str, str]) -> None:
    inputs = [Input("a", None, "Permission denied")]
    inputs += [Input(path, text.encode()) for path, text in others.items()]
    result = plan(inputs)
    assert isinstance(result.files[0].error, ParseError)
    assert "Permission denied" in str(result.files[0].error)
    assert [file.changed for file in result.files[1:]] == [True] * len(others)
