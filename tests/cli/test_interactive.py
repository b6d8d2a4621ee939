"""Asking, through a pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")

GO = "FROM golang:1\nRUN --mount=type=cache,target=/go/pkg/mod,sharing=locked go build ./...\n"
NPM = "FROM node:22\nRUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n"


class Session:
    """A run whose standard input and error are a terminal, and its standard output a pipe."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        environment = os.environ | {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TERM": "xterm",
            "COLUMNS": "100",
        }
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "migrate_cache", "-i", *arguments],
            cwd=folder,
            env=environment,
            stdin=slave,
            stderr=slave,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def until(self, text: str) -> str:
        """Read up to `text`, which must come, and return what was read."""
        start = len(self.seen)
        while text not in self.seen[start:]:
            assert self.read(), self.seen
        return self.seen[start:]

    def read(self) -> bool:
        """Read some more; False at the end."""
        ready, _, _ = select.select([self.master], [], [], 60)
        if not ready:
            self.process.kill()
            raise TimeoutError(self.seen)
        try:
            read = os.read(self.master, 65536)
        except OSError:  # what Linux says at the end
            return False
        self.seen += read.decode("utf-8", "replace")
        return bool(read)

    def answer(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        while self.read():
            pass
        assert self.process.stdout is not None
        with self.process.stdout:
            self.result = self.process.stdout.read()
        os.close(self.master)
        return self.process.wait(timeout=60)


ASKED = "[y,n,a,q,e,?]? "


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    for name, text in (
        ("a", GO),
        ("b", NPM),
        ("c", GO.replace("/go/pkg/mod", "/root/.cache/go-build")),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    return tmp_path


def changed(project: Path) -> list[str]:
    return [
        name for name in ("a", "b", "c")
        if "sharing=shared" in (project / name / "Dockerfile").read_text()
    ]  # fmt: skip


def test_yes_and_no(project: Path) -> None:
    session = Session(project)
    shown = session.until(ASKED)
    assert "a/Dockerfile:2" in shown
    assert "MC101" in shown
    assert "(1/3)" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "\n-RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked" in plain.replace("\r", "")
    assert "\n+RUN --mount=type=cache,target=/go/pkg/mod,sharing=shared" in plain.replace("\r", "")
    assert "\x1b[3" in shown  # colours
    session.answer("y\n")
    assert "b/Dockerfile:2" in session.until(ASKED)
    session.answer("n\n")
    assert "c/Dockerfile:2" in session.until(ASKED)
    session.answer("yes\n")
    assert session.end() == 0
    assert changed(project) == ["a", "c"]
    assert session.result == b""


def test_quit_keeps_what_was_accepted(project: Path) -> None:
    session = Session(project, "--diff")
    session.until(ASKED)
    session.answer("y\n")
    session.until(ASKED)
    session.answer("q\n")
    assert session.end() == 0
    assert changed(project) == ["a"]
    assert session.result.startswith(b"diff --git a/a/Dockerfile b/a/Dockerfile\n")


def test_the_end_of_the_input_is_quit(project: Path) -> None:
    session = Session(project)
    session.until(ASKED)
    session.answer("\x04")
    assert session.end() == 0
    assert changed(project) == []


def test_help_and_explain_ask_again(project: Path) -> None:
    session = Session(project)
    session.until(ASKED)
    session.answer("?\n")
    assert "quit: make the changes accepted" in session.until(ASKED)
    session.answer("what\n")
    assert "quit: make the changes accepted" in session.until(ASKED)
    session.answer("e\n")
    assert "MC101" in session.until(ASKED)
    session.answer("q\n")
    assert session.end() == 0


def test_all_of_this_file(project: Path) -> None:
    text = (
        GO
        + NPM.partition("\n")[2]
        + "RUN --mount=type=cache,target=/root/.cache/go-build,sharing=locked go vet\n"
    )
    (project / "a" / "Dockerfile").write_text(text)
    for name in ("b", "c"):
        (project / name / "Dockerfile").unlink()
    session = Session(project, "a")
    assert "(1/3)" in session.until(ASKED)
    session.answer("a\n")
    assert session.end() == 0
    assert (project / "a" / "Dockerfile").read_text() == text.replace("locked", "shared")


def test_a_refusal_holds_back_what_depends_on_it(project: Path) -> None:
    (project / "b" / "Dockerfile").write_text(GO)
    session = Session(project)
    session.until(ASKED)
    session.answer("n\n")
    shown = session.until(ASKED)
    assert "This holds back 1 other change: b/Dockerfile:2 (MC101)" in shown
    assert "c/Dockerfile:2" in shown
    session.answer("y\n")
    assert session.end() == 0
    assert changed(project) == ["c"]


def test_control_c_writes_nothing(project: Path) -> None:
    session = Session(project)
    session.until(ASKED)
    session.answer("y\n")
    session.until(ASKED)
    session.process.send_signal(signal.SIGINT)
    assert session.end() == 130
    assert changed(project) == []
    assert "Traceback" not in session.seen


def test_nothing_to_ask(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    session = Session(tmp_path)
    assert session.end() == 0


def test_escape_sequences_are_shown_as_such(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.\x1b[31m").write_text("# \x1b]0;title\x07\n" + GO)
    session = Session(tmp_path)
    shown = session.until(ASKED)
    session.answer("q\n")
    session.end()
    assert "\\x1b[31m" in shown
    assert "\\x1b]0;title\\x07" in shown
    assert "\x1b]0" not in session.seen
