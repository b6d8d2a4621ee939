"""Colours, escapes and progress."""

from __future__ import annotations

import io
import sys

import pytest

from migrate_cache.cli.terminal import color_enabled, is_terminal, printable_block, progress
from migrate_cache.settings import Color


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "stream", "environment", "expected"),
    [
        (Color.AUTO, Screen(), {}, True),
        (Color.AUTO, io.StringIO(), {}, False),
        (Color.AUTO, Screen(), {"NO_COLOR": "1"}, False),
        (Color.AUTO, Screen(), {"NO_COLOR": ""}, True),
        (Color.AUTO, Screen(), {"TERM": "dumb"}, False),
        (Color.NEVER, Screen(), {}, False),
        (Color.ALWAYS, io.StringIO(), {"NO_COLOR": "1"}, True),
    ],
)
def test_colours(
    color: Color,
    stream: io.StringIO,
    environment: dict[str, str],
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TERM", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert color_enabled(color, stream) is expected


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not is_terminal(stream)
    assert not is_terminal(None)  # type: ignore[arg-type]


def test_blocks_keep_lines_and_tabs_only() -> None:
    text = "a\tb\r\n\x1b[31mred\x9b\u202egnp\udcff\rover\n"
    assert printable_block(text) == "a\tb\n\\x1b[31mred\\u009b\\u202egnp\\xff\\rover\n"


@pytest.mark.parametrize("files", [10, 1000])
def test_progress_is_for_long_runs_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm")
    with progress(files, wanted=True) as report:
        report(1, files, "Reading")
    assert ("Reading" in sys.stderr.getvalue()) is (files > 300)  # type: ignore[attr-defined]
    for stream, wanted in ((io.StringIO(), True), (Screen(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress(files, wanted=wanted) as report:
            report(1, files, "Reading")
        assert stream.getvalue() == ""
