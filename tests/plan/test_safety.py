"""The safety net: a result that does not read as planned never leaves the planner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate_cache.files import project as files
from migrate_cache.plan import api as project
from migrate_cache.plan import render
from migrate_cache.plan.api import migrate
from migrate_cache.rules import mc101_share_cache
from migrate_cache.text.edit import Edit
from migrate_cache.text.errors import SafetyError
from migrate_cache.text.source import Span

LOCKED = (
    "FROM node:24\nRUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\nRUN echo done\n"
)
OTHER = LOCKED.replace("npm ci", "npm install")


def sabotage(monkeypatch: pytest.MonkeyPatch, text: str, replacement: str) -> None:
    """Let the edits of Dockerfile.bad also replace `text`."""
    real = render._change

    def broken(file, change):
        made = real(file, change)
        if file.path != "Dockerfile.bad":
            return made
        start = file.tree.source.text.index(text)
        extra = Edit(Span(start, start + len(text)), replacement)
        return replace(made, edits=(*made.edits, extra))

    monkeypatch.setattr(render, "_change", broken)


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        ("echo done", "echo gone"),
        ("RUN echo", "RUM echo"),
        ("echo done", "echo done\nRUN more"),
        ("RUN echo done\n", ""),
        ("target=/root/.npm", "target=/root/.npn"),
        ("type=cache", "type=bind"),
        ("FROM node:24", "# escape=`\nFROM node:24"),
        ("echo done", "<<EOF"),
    ],
)
def test_an_unplanned_difference_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, replacement: str
) -> None:
    sabotage(monkeypatch, text, replacement)
    result = migrate({"Dockerfile.bad": LOCKED})
    (file,) = result.files
    assert isinstance(file.error, SafetyError)
    assert file.after == file.before == LOCKED
    assert not file.changes


def test_the_users_of_a_cache_stay_together_when_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sabotage(monkeypatch, "echo done", "echo gone")
    result = migrate({"Dockerfile": OTHER, "Dockerfile.bad": LOCKED})
    assert [file.after for file in result.files] == [OTHER, LOCKED]
    good, bad = result.files
    assert isinstance(bad.error, SafetyError)
    assert good.error is None
    assert [note.rule for note in good.notes] == ["MC203"]


def test_a_result_that_would_change_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Edits that leave the lock where it is: a second run would find the same to do.
    monkeypatch.setattr(
        mc101_share_cache, "mount_edits", lambda mount, *_: mount.set("sharing", "LOCKED")
    )
    (file,) = migrate({"Dockerfile": LOCKED}).files
    assert isinstance(file.error, SafetyError)
    assert "second run" in str(file.error)
    assert file.after == LOCKED


@pytest.mark.parametrize(
    "text",
    [
        "FROM x\nRUN --mount=type=cache,target=/y z\n",
        "FROM x\nRUN --MOUNT=TYPE=CACHE,target=/y z\n",
        "FROM x\nRUN --mo\\\nunt=type=cache,target=/y z\n",
        "FROM x\nRUN --mount=type=ca\\\n# a comment\n\n   # another\nche,target=/y z\n",
        "FROM x\nRUN --mount=target=/y,'type=cache' z\n",
        'FROM x\nRUN --mount="target=/y,type=c"ache z\n',
        "# escape=`\nFROM x\nRUN --mount=type=ca`\n#c\n`\nche z\n",
        "FROM x\nRUN --mount=type=${KIND},target=/y z\n",
        "FROM x\nRUN --mount=type=ca\\\\che,target=/y z\n",
    ],
)
def test_the_scan_misses_no_cache_mount(text: str) -> None:
    assert project.has_cache_mount(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "FROM x\nRUN npm ci\n",
        "FROM x\nRUN --mount=type=bind,target=/y z\n",
        "FROM x\nRUN --mount=type=secret,id=cache z\n",
        "",
    ],
)
def test_the_scan_passes_files_without_one(text: str) -> None:
    assert not project.has_cache_mount(text.encode())


def test_processes_plan_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WORTH_PROCESSES", 2)
    texts = {f"{number}/Dockerfile": LOCKED for number in range(4)}
    texts["bad/Dockerfile"] = LOCKED + "FROM x\nRUN <<EOF\n"
    inputs = [project.Input(path, text.encode()) for path, text in texts.items()]
    alone, together = (project.plan(inputs, parallel=files.process_map(jobs)) for jobs in (1, 2))
    assert [file.after for file in together.files] == [file.after for file in alone.files]
    assert str(together.files[-1].error) == str(alone.files[-1].error)
    assert together.outcomes == alone.outcomes


def test_edits_that_meet_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two insertions at one place, and two edits of one option: which one counts?"""
    twice = mc101_share_cache.mount_edits
    monkeypatch.setattr(
        mc101_share_cache, "mount_edits", lambda *arguments: twice(*arguments) + twice(*arguments)
    )
    bad, good = migrate({"Dockerfile": LOCKED, "Dockerfile.other": "FROM x\n"}).files
    assert isinstance(bad.error, SafetyError)
    assert "two edits of one place" in str(bad.error)
    assert (bad.after, good.error) == (LOCKED, None)
