"""The tree as text."""

from __future__ import annotations

from migrate_cache.dockerfile.parser import parse
from migrate_cache.report.tree import format_tree


def test_the_tree_as_text(snapshot: object) -> None:
    text = (
        "\ufeff# syntax=docker/dockerfile:1\n# a comment\n"
        "FROM --platform=$BUILDPLATFORM rust AS build\r\n"
        'RUN --mount=type=cache,"target=/a b" \\\n'
        "   # why\n\n"
        "    --mount=type=cache,target=/c,sharing=lo\\\ncked,ro --bad <<-EOF cargo\n"
        "\techo \x1b[31m\u202e\nEOF\n"
        "ONBUILD RUN --mount='\"type=cache\",id=' x\n"
        'CMD ["a", "b"]'
    )
    assert format_tree(parse(text)) == snapshot


def test_the_tree_as_text_prints_nothing_raw() -> None:
    shown = format_tree(
        parse(b"FROM a\nRUN \x00\x1b\x7f\xff \xc2\x9b \xe2\x80\xae\x0b" + b"x" * 99)
    )
    assert all(char.isprintable() or char == "\n" for char in shown)
