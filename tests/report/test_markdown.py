"""The pull request's body."""

from __future__ import annotations

import re
import shlex

import pytest
from markdown_it import MarkdownIt

from migrate_cache.report.markdown import as_markdown, code, escape, prune_command
from tests.report_samples import HOSTILE_PROJECT, NOTHING, PROJECT

READER = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize("mode", ["write", "check"])
def test_body(mode, snapshot):
    assert as_markdown(PROJECT, mode=mode) == snapshot


def test_nothing_to_change(snapshot):
    assert as_markdown(NOTHING) == snapshot


def test_hostile_names(snapshot):
    shown = as_markdown(HOSTILE_PROJECT)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown == snapshot
    html = READER.render(shown)
    allowed = {"details", "summary", "table", "thead", "tbody", "tr", "th", "td", "p", "h2", "h3"}
    allowed |= {"code", "pre", "ul", "li", "strong", "!--"}
    assert set(re.findall(r"</?([a-z!][a-z0-9-]*)", html)) <= allowed


@pytest.mark.parametrize(
    "text",
    [
        "plain words, with. stops - and dashes",
        "`a` *b* _c_ [d](e) <f> ~~g~~ #1 &amp; \\",
        "- item",
        "1. item",
        "a | b",
        "<script>alert(1)</script>",
    ],
)
def test_escaped_text_is_shown_as_it_is(text):
    html = READER.renderInline(escape(text))
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        html = html.replace(entity, character)
    assert html == text
    assert READER.render(f"- {escape(text)}").count("<li>") == 1


def test_nobody_is_mentioned_and_nothing_linked():
    assert "@me" not in escape("hi @me")
    assert "://" not in escape("see https://example.org")


@pytest.mark.parametrize("text", ["a", "`", "``", "a`b", "`a``b", "", "a|b"])
def test_code_spans(text):
    html = READER.renderInline(code(text))
    assert html == f"<code>{text or '  '}</code>"
    row = READER.render(f"| x |\n|---|\n| {code(text, cell=True)} |\n")
    assert row.count("<td>") == 1
    assert f"<code>{text or '  '}</code>" in row


@pytest.mark.parametrize("cache_id", ["/build/target", "target-builder-api", "a.b+c", "target"])
def test_the_prune_command_finds_the_cache_and_no_other(cache_id):
    words = shlex.split(prune_command(cache_id))
    assert words[:5] == ["docker", "buildx", "prune", "--filter", "type=exec.cachemount"]
    key, pattern = words[-1].split("~=")
    assert key == "description"
    # The filter's own grammar ends a value at a blank or a comma.
    assert not re.search(r"[\s,]", pattern)
    assert pattern[0].isalpha()
    for namespace in ("", "team"):
        text = f'cached mount /x from exec /bin/sh -c make\n with id "{namespace}/{cache_id}"'
        assert re.search(pattern, text)
    for other in (
        f"{cache_id}-2",
        f"x{cache_id}",
        f"/other{cache_id}",
        f"o/{cache_id}".replace("//", "/"),
    ):
        assert not re.search(pattern, f'cached mount /x from exec make with id "/{other}"')


@pytest.mark.parametrize("cache_id", ["target-${SERVICE}", "a b", "a'b", "a,b", "a\x1b", ""])
def test_no_command_where_the_id_is_not_plain(cache_id):
    assert prune_command(cache_id) == ""
