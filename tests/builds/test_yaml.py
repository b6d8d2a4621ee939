"""YAML as nodes: what is refused, how mappings are merged, and what compose makes of scalars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from migrate_cache.builds.sources import LimitError, WarningLog
from migrate_cache.builds.yaml import Document, line_of, load, rendered, value_of

if TYPE_CHECKING:
    from tests.builds.conftest import Steps


def read(text: str) -> Document:
    log = WarningLog("x.yml")
    document = load(text.encode(), log)
    assert document is not None
    assert not log.warnings
    return document


def refusal(text: str | bytes) -> tuple[int, int, str]:
    log = WarningLog("x.yml")
    assert load(text.encode() if isinstance(text, str) else text, log) is None
    (warning,) = log.warnings
    return warning.line, warning.column, warning.message.removeprefix("cannot be read as YAML: ")


def merged(document: Document, key: str) -> dict[str, str]:
    top = document.mapping(document.roots[0], "the file")
    entries = document.mapping(value_of(top, key), key)
    return {name: value.value for name, (_, value) in entries.items()}


@pytest.fixture(params=["C", "Python"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's parser in C, and the one in Python, which stands in where C is missing."""
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("services:\n\ta: b", 2, 1, "found character"),
        ("a: \0", 1, 4, "not allowed"),
        ("a: [" * 500, 1, 201, "it is nested too deeply"),
        ("- " * 100_000, 1, 203, "it is nested too deeply"),
        ("- a\n" * 100_000, 100_000, 3, "it is too long"),
        ("a: *b", 1, 4, "found undefined alias"),
        ("a: &a [*a]", 1, 8, "the alias 'a' is part of what it names"),
        ("a: &a {<<: *a}", 1, 12, "the alias 'a' is part of what it names"),
    ],
)
def test_what_is_refused(text: str, line: int, column: int, words: str) -> None:
    found = refusal(text)
    assert found[:2] == (line, column)
    assert words in found[2]


@pytest.mark.usefixtures("library")
def test_a_version_that_is_no_number_is_refused() -> None:
    assert refusal("%YAML 1." + "9" * 5000 + "\n---\na")


def test_bytes_that_are_no_text() -> None:
    assert refusal(b"a: 1\nb: \xff") == (2, 4, "invalid leading UTF-8 octet")


@pytest.mark.usefixtures("library")
def test_anchors_may_be_set_anew_and_end_with_the_document() -> None:
    document = read("a: &x 1\nb: &x 2\nc: *x\n---\n&x d")
    top = document.mapping(document.roots[0], "the file")
    assert [node.value for _, node in top.values()] == ["1", "2", "2"]
    assert len(document.roots) == 2
    assert "undefined alias" in refusal("a: &x 1\n---\n*x")[2]


def test_an_alias_is_the_node_it_names() -> None:
    top = read("a: &x [1]\nb: *x").roots[0]
    (_, first), (_, second) = top.value
    assert first is second


def test_places_count_from_one() -> None:
    document = read("a:\n  b: c")
    top = document.mapping(document.roots[0], "the file")
    inner = document.mapping(value_of(top, "a"), "a")
    assert [line_of(node) for node in (*top["a"], *inner["b"])] == [1, 2, 2, 2]


def test_merges() -> None:
    document = read("""
        one: &one {a: 1, b: 1}
        two: &two {b: 2, c: 2}
        mapping: {<<: *one, b: own}
        list: {<<: [*two, *one], c: own}
        nested: {<<: {<<: *one, b: between}}
        quoted: {'<<': own}
        nothing: {<<: , a: own}
    """)
    assert merged(document, "mapping") == {"a": "1", "b": "own"}
    assert merged(document, "list") == {"a": "1", "b": "2", "c": "own"}
    assert merged(document, "nested") == {"a": "1", "b": "between"}
    assert merged(document, "quoted") == {"<<": "own"}
    assert merged(document, "nothing") == {"a": "own"}
    assert not document.log.warnings


def test_of_keys_that_are_there_twice_the_last_counts() -> None:
    document = read("x: {a: 1, a: 2}")
    assert merged(document, "x") == {"a": "2"}
    assert [w.message for w in document.log.warnings] == [
        "this key is given twice; the last one counts"
    ]


def test_merges_of_merges_cost_no_more_than_their_entries(steps: Steps) -> None:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{i}: &a{i} {{k{i}: v, <<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 90)]
    document = read("\n".join(lines))
    assert len(merged(document, "a89")) == 90
    assert steps.total == 2 * sum(range(2, 91))


def test_merges_that_are_nested_too_deeply_or_expand_to_too_much() -> None:
    chain = "\n".join(f"a{i}: &a{i} {{<<: *a{i - 1}}}" for i in range(1, 500))
    with pytest.raises(LimitError, match="merges that are nested too deeply"):
        merged(read("a0: &a0 {k: v}\n" + chain), "a499")
    wide = "a: &a {" + ",".join(f"k{i}: v" for i in range(15_000)) + "}\n"
    document = read(wide + "\n".join(f"b{i}: {{<<: *a}}" for i in range(20)))
    for i in range(13):
        assert len(merged(document, f"b{i}")) == 15_000
    with pytest.raises(LimitError, match="expands to too much"):
        merged(document, "b13")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1", "1"),
        ("-7", "-7"),
        ("0", "0"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.10", "1.1"),
        ("3.0", "3"),
        ("10.0", "10"),
        ("-0.50", "-0.5"),
        ("'1.10'", "1.10"),
        ("!!str 1.10", "1.10"),
        ("! 'x'", "x"),
        ("true", "true"),
        ("True", "true"),
        ("FALSE", "false"),
        ("'True'", "True"),
        ("yes", "yes"),
        ("off", "off"),
        ("1.2.3", "1.2.3"),
        ("1.2-alpine", "1.2-alpine"),
        ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"),
        ("~", None),
        ("null", None),
        ("!reset null", None),
        ("'~'", "~"),
        # Numbers that compose writes in another way are unknown.
        ("+1", None),
        ("1e3", None),
        ("1e999", None),
        ("1.5e3", None),
        (".5", None),
        ("0x1F", None),
        ("0o17", None),
        ("0b11", None),
        ("010", None),
        ("1_000", None),
        ("1.12345678901234567890", None),
    ],
)
def test_scalars_as_compose_renders_them(written: str, text: str | None) -> None:
    assert rendered(read(f"[{written}]").roots[0].value[0]) == text
