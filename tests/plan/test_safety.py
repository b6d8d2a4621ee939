"""The safety net: a result that does not read as planned never leaves the planner.

Each guard has a sabotage that only it notices, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from migrate_cache import Dockerfile, Edit, SafetyError, Span, migrate, parse
from migrate_cache.builds.runs import FileContext, RunContext
from migrate_cache.caches.cache_mount import CacheMount
from migrate_cache.files import project
from migrate_cache.plan import render
from migrate_cache.plan.api import Input, has_cache_mount, plan
from migrate_cache.plan.safety import verify
from migrate_cache.rules import mc101_share_cache
from migrate_cache.rules.rule import Change
from migrate_cache.text.edit import InstructionEdit, OptionEdit

BEFORE = """\
# syntax=docker/dockerfile:1
FROM node:24
RUN --network=none --mount=type=cache,target=/root/.npm,sharing=locked npm ci
RUN --mount=type=cache,target=/root/.cache,sharing=locked --mount=type=bind,target=/src make
ONBUILD RUN echo later
COPY <<EOF /message
hello
EOF
CMD start
"""
LOCKED, SHARED = "/root/.npm,sharing=locked", "/root/.npm,sharing=shared"
AFTER = BEFORE.replace(LOCKED, SHARED)
PLANNED = {"sharing": "shared"}
LINK = "RUN ln -s a b\n"

DIRECTIVES = "the result has other parser directives"
INSERTED = "an inserted instruction does not read as planned"
TOO_FEW = "the result has too few instructions"
TOO_MANY = "the result has too many instructions"
LINE = "the instruction in line {} reads differently"
FROM, NPM, MAKE, ONBUILD, COPY, CMD = (LINE.format(line) for line in (2, 3, 4, 5, 6, 9))
ERRORS = "BuildKit would reject more of the result than of the original"


class Forged:
    """A node with some values in place of its own."""

    def __init__(self, node: object, **values: object) -> None:
        self._node = node
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)


Planned = Mapping[str, str | None]


def check(
    before: str,
    after: str | Dockerfile,
    planned: Planned | None = None,
    inserted: tuple[int, str] | None = None,
) -> None:
    """Call the safety net with a plan for the first cache mount, and with an insertion.

    `planned` has the new values of options, None for one that goes. `inserted` is the line of
    the old text above which an instruction is planned, and its text.
    """
    tree = parse(before)
    settings: Any = None
    file = FileContext("Dockerfile", tree, (), settings, frozenset())
    nowhere = Span(0, 0)
    changes = []
    if planned:
        edits = [OptionEdit(nowhere, "", name, value) for name, value in planned.items()]
        changes.append(Change(first_mount(file), tuple(edits), ""))
    if inserted:
        line, text = inserted
        below = next(i for i in tree.instructions if i.start_line == line)
        at: Any = RunContext(file, tree.stages[0], below, file.runs[0].node)
        changes.append(Change(at, (InstructionEdit(nowhere, "", text.strip()),), ""))
    verify(tree, parse(after) if isinstance(after, str) else after, changes)


def first_mount(file: FileContext) -> CacheMount:
    run = file.runs[0]
    unused: Any = None
    return CacheMount(run, run.node.mounts[0], 1, 1, unused, "", unused, unused)


def refusal(*arguments: Any, **more: Any) -> str:
    with pytest.raises(SafetyError) as caught:
        check(*arguments, **more)
    assert caught.value.path == "Dockerfile"
    return caught.value.message.removeprefix("the safety net refused the result: ")


@pytest.mark.parametrize(
    ("written", "sabotaged", "guard"),
    [
        # Directives.
        ("dockerfile:1", "dockerfile:2", DIRECTIVES),
        ("# syntax=docker/dockerfile:1\n", "", DIRECTIVES),
        ("# syntax", "# escape=`\n# syntax", DIRECTIVES),
        # The number of instructions.
        ("CMD start\n", "", TOO_FEW),
        ("CMD start\n", "CMD start\nUSER me\n", TOO_MANY),
        # An instruction.
        ("CMD start", "ENTRYPOINT start", CMD),
        ("CMD start", "CMD stop", CMD),
        ("FROM node:24", "FROM node:24 AS build", FROM),
        ("hello", "bye", COPY),
        ("<<EOF", "<<'EOF'", COPY),
        ("echo later", "echo sooner", ONBUILD),
        # Its flags.
        ("--network=none ", "", NPM),
        (" make", " --network=none make", MAKE),
        ("--network=none", "--network=host", NPM),
        ("--mount=type=bind", "--mount=type=tmpfs", MAKE),
        ("/root/.cache,sharing=locked", "/root/.cache,sharing=shared", MAKE),
        ("--mount=type=cache,target=/root/.npm,sharing=shared", "--security=insecure", NPM),
        # The mount that is to change.
        ("type=cache,target=/root/.npm", "type=bind,target=/root/.npm", NPM),
        ("/root/.npm,", "/root/.npn,", NPM),
        ("/root/.npm,", "/root/.npm,uid=1,", NPM),
        ("type=cache,target=/root/.npm", "target=/root/.npm,type=cache", NPM),
        (SHARED, LOCKED, NPM),
        (SHARED, "/root/.npm", NPM),
        (SHARED, "/root/.npm,sharing=private", NPM),
        (SHARED, f"{SHARED},id=mine", NPM),
    ],
)
def test_what_is_not_planned_is_refused(written: str, sabotaged: str, guard: str) -> None:
    assert AFTER.count(written) == 1
    assert refusal(BEFORE, AFTER.replace(written, sabotaged), PLANNED) == guard


@pytest.mark.parametrize(
    ("before", "after", "planned"),
    [
        # The id, where one is planned.
        (LOCKED, f"{SHARED},id=other", {"id": "mine", "sharing": "shared"}),
        (LOCKED, SHARED, {"id": "mine", "sharing": "shared"}),
        (f"{LOCKED},id=old", f"{LOCKED},id=old", {"id": "mine"}),
        (f"{LOCKED},id=old", SHARED, {"sharing": "shared"}),
        # The mode, where only an id is planned, and where the mode is to go.
        (LOCKED, f"{SHARED},id=mine", {"id": "mine"}),
        (LOCKED, "/root/.npm,sharing=private,id=mine", {"id": "mine", "sharing": None}),
        # A mount that reads as planned, but that BuildKit would reject.
        (LOCKED, "/root/.npm,sharing=sometimes", {"sharing": "sometimes"}),
        # Any other option that is planned.
        (LOCKED, LOCKED, {"uid": "1"}),
        (f"{LOCKED},uid=1", f"{LOCKED},uid=1", {"uid": None}),
        (f"{LOCKED},uid=1", f"{LOCKED},uid=2", {"uid": None}),
        (LOCKED, f"{LOCKED},uid=1,gid=1", {"uid": "1"}),
    ],
)
def test_the_mount_is_as_planned(before: str, after: str, planned: Planned) -> None:
    assert refusal(BEFORE.replace(LOCKED, before), BEFORE.replace(LOCKED, after), planned) == NPM


REJECTED = "RUN --mount=type=none x\n"


@pytest.mark.parametrize(
    ("result", "inserted", "guard"),
    [
        (AFTER.replace("RUN --net", "RUN ln -s c d\nRUN --net"), (3, LINK), INSERTED),
        (AFTER, (3, LINK), INSERTED),
        (AFTER.replace("CMD start\n", ""), (9, LINK), INSERTED),
        # One too many.
        (AFTER.replace("RUN --net", f"{LINK}{LINK}RUN --net"), (3, LINK), NPM),
        (AFTER + LINK, None, TOO_MANY),
        # It reads as planned, but BuildKit would reject it.
        (AFTER.replace("CMD", f"{REJECTED}CMD"), (9, REJECTED), ERRORS),
    ],
)
def test_an_insertion_is_as_planned(
    result: str, inserted: tuple[int, str] | None, guard: str
) -> None:
    assert refusal(BEFORE, result, PLANNED, inserted) == guard


def test_a_trigger_is_one_before_and_after() -> None:
    tree = parse(AFTER)
    instructions = tuple(
        Forged(item, trigger=None) if item.trigger else item for item in tree.instructions
    )
    forged: Any = Forged(tree, instructions=instructions)
    assert refusal(BEFORE, forged, PLANNED) == ONBUILD


def test_the_escape_character_is_the_same() -> None:
    forged: Any = Forged(parse(AFTER), escape="`")
    assert refusal(BEFORE, forged, PLANNED) == DIRECTIVES


@pytest.mark.parametrize(
    ("before", "after", "planned"),
    [
        (LOCKED, LOCKED, None),
        (LOCKED, SHARED, PLANNED),
        (LOCKED, "/root/.npm,id=mine", {"id": "mine", "sharing": None}),
        (LOCKED, "/root/.npm,id=mine,sharing=locked", {"id": "mine"}),
        (LOCKED, f"{LOCKED},uid=1", {"uid": "1"}),
        (f"{LOCKED},id=old", f"{SHARED},id=mine", {"id": "mine", "sharing": "shared"}),
        (f"{LOCKED},id=old", f"{SHARED},id=old", PLANNED),
        # Other words for the same, and other line ends.
        (f"{LOCKED},ro", f"{SHARED},readonly", PLANNED),
        (LOCKED, f"{SHARED} \\\n    ", PLANNED),
    ],
)
def test_what_is_planned_passes(before: str, after: str, planned: Planned | None) -> None:
    old, new = BEFORE.replace(LOCKED, before), BEFORE.replace(LOCKED, after)
    check(old, new, planned)
    check(old, new.replace("RUN --net", f"# why\n{LINK}RUN --net"), planned, (3, LINK))


# -- in the plan --------------------------------------------------------------------------

FILE = "FROM node:24\nRUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\nRUN a\n"
OTHER = FILE.replace("npm ci", "npm install")


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
    ("text", "replacement", "guard"),
    [
        ("RUN a", "RUN b", LINE.format(3)),
        ("RUN a", "RUN <<EOF", "it does not parse: "),
    ],
)
def test_a_file_that_is_refused_stays(
    monkeypatch: pytest.MonkeyPatch, text: str, replacement: str, guard: str
) -> None:
    sabotage(monkeypatch, text, replacement)
    (file,) = migrate({"Dockerfile.bad": FILE}).files
    assert isinstance(file.error, SafetyError)
    assert f"the safety net refused the result: {guard}" in str(file.error)
    assert file.after == file.before == FILE
    assert not file.changes


def test_the_users_of_a_cache_stay_together_when_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sabotage(monkeypatch, "RUN a", "RUN b")
    result = migrate({"Dockerfile": OTHER, "Dockerfile.bad": FILE})
    assert [file.after for file in result.files] == [OTHER, FILE]
    good, bad = result.files
    assert isinstance(bad.error, SafetyError)
    assert good.error is None
    assert [note.rule for note in good.notes] == ["MC203"]


def test_a_result_that_would_change_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Edits that leave the lock where it is: a second run would find the same to do.
    monkeypatch.setattr(
        mc101_share_cache, "mount_edits", lambda mount, *_: mount.set("sharing", "LOCKED")
    )
    (file,) = migrate({"Dockerfile": FILE}).files
    assert isinstance(file.error, SafetyError)
    assert "a second run would change it again" in str(file.error)
    assert file.after == FILE


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
    assert has_cache_mount(text.encode())


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
    assert not has_cache_mount(text.encode())


def test_processes_plan_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "WORTH_PROCESSES", 2)
    texts = {f"{number}/Dockerfile": FILE for number in range(4)}
    texts["bad/Dockerfile"] = FILE + "FROM x\nRUN <<EOF\n"
    inputs = [Input(path, text.encode()) for path, text in texts.items()]
    alone, together = (plan(inputs, parallel=project.process_map(jobs)) for jobs in (1, 2))
    assert [file.after for file in together.files] == [file.after for file in alone.files]
    assert str(together.files[-1].error) == str(alone.files[-1].error)
    assert together.mounts == alone.mounts


def test_edits_that_meet_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two insertions at one place, and two edits of one option: which one counts?"""
    twice = mc101_share_cache.mount_edits
    monkeypatch.setattr(
        mc101_share_cache, "mount_edits", lambda *arguments: twice(*arguments) + twice(*arguments)
    )
    text = "FROM node:24\nRUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n"
    bad, good = migrate({"Dockerfile": text, "Dockerfile.other": "FROM x\n"}).files
    assert isinstance(bad.error, SafetyError)
    assert "two edits of one place" in str(bad.error)
    assert (bad.after, good.error) == (text, None)


def test_an_insertion_belongs_to_the_file() -> None:
    tree, other = parse(BEFORE), parse(BEFORE)
    settings: Any = None
    run = FileContext("Dockerfile", other, (), settings, frozenset()).runs[0]
    change = Change(run, (InstructionEdit(Span(0, 0), "", LINK.strip()),), "")
    with pytest.raises(SafetyError, match="belongs to another file"):
        verify(tree, tree, [change])
