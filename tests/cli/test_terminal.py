"""Colours, escapes and progress."""

from __future__ import annotations

import io
import sys

import pytest

from migrate_cache.cli import terminal
from migrate_cache.cli.terminal import Color, color_enabled, is_terminal, printable_block, progress


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
    color: Color, stream: io.StringIO, environment: dict[str, str], expected: bool
) -> None:
    assert color_enabled(color, stream, environment) is expected


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
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress(files, wanted=True) as report:
        assert report is terminal._silent
    with progress(1000, wanted=False) as report:
        assert report is terminal._silent
