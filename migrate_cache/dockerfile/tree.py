"""The lossless tree of a Dockerfile: tokens in order, and read-only nodes over them.

One law holds at every node: its tokens, joined, are the text of its span. Nothing is
printed from the tree; to change a file, edits of its text are made (see `edits`).

    Dockerfile
      Instruction          one per instruction; `Run` for RUN
        Flag               --platform=…, --from=…; `Mount` for RUN's --mount=…
          MountOption      type=cache, target=…, readonly
        Heredoc            body and delimiter
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.mount import Flag, Mount
from migrate_cache.dockerfile.nodes import Node
from migrate_cache.dockerfile.words import heredoc_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.dockerfile.lines import Directive, LogicalLine
    from migrate_cache.text.errors import ParseError
    from migrate_cache.text.source import Source

_SHELL = re.compile(r"(?:^|[/ ])(?:ba|da|a|k|z)?sh(?:$| )")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Heredoc(Node):
    """A heredoc's lines below its instruction; `body` keeps line endings and leading tabs.

    `expand` tells whether variables in the body are expanded, `chomp` whether leading tabs
    are taken off (``<<-``).
    """

    name: str
    expand: bool
    chomp: bool
    body: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Instruction(Node):
    """One instruction of the file, or the trigger of an ONBUILD.

    `keyword` is in upper case, `written_keyword` as in the file; `arguments` is the joined
    text after the flags, without outer blanks; `words` are the words of FROM, ARG, ENV and
    LABEL (quotes kept); `exec_form` holds the strings of a JSON array, where the keyword
    takes one. A trigger has the `line` and the `heredocs` of its ONBUILD. `error` says why
    BuildKit would reject the instruction.
    """

    keyword: str
    written_keyword: str
    line: LogicalLine
    escape: str
    arguments: str = ""
    flag_nodes: tuple[Flag, ...] = ()
    words: tuple[str, ...] = ()
    exec_form: tuple[str, ...] | None = None
    trigger: Instruction | None = None
    heredocs: tuple[Heredoc, ...] = ()
    error: ParseError | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags as decoded words, such as ``--mount=type=cache,target=/x``."""
        return tuple(flag.word for flag in self.flag_nodes)

    def flag(self, name: str) -> str:
        """Return the value of the last flag of that name, ``""`` where there is none."""
        values = (flag.value or "" for flag in reversed(self.flag_nodes) if flag.name == name)
        return next(values, "")

    @property
    def start(self) -> int:
        """The offset of the keyword's first character; the ONBUILD's for a trigger."""
        return self.line.pieces[0].start

    @property
    def start_line(self) -> int:
        """The number of the first line, from 1."""
        return self.line.first_line

    @property
    def end_line(self) -> int:
        """The number of the last line, heredocs included."""
        return self.line.last_line


class Run(Instruction):
    """A RUN instruction, or the RUN of an ONBUILD."""

    @cached_property
    def mounts(self) -> tuple[Mount, ...]:
        """The RUN's ``--mount`` flags in order."""
        return tuple(flag for flag in self.flag_nodes if isinstance(flag, Mount))

    @property
    def script(self) -> str:
        """The shell text that the RUN runs, heredocs included; ``""`` in exec form.

        A RUN of one heredoc and nothing else runs the heredoc's text.
        """
        if self.exec_form is not None:
            return ""
        if len(self.heredocs) == 1 and heredoc_word(self.arguments):
            return _own_script(self.heredocs[0])
        bodies = "".join(f"\n{heredoc.body}{heredoc.name}" for heredoc in self.heredocs)
        return self.arguments + bodies


def _own_script(heredoc: Heredoc) -> str:
    """Return the body as shell text; a ``#!`` line that names no shell starts its program."""
    first, _, _ = heredoc.body.partition("\n")
    interpreter = first.removeprefix("#!").strip()
    if not first.startswith("#!") or _SHELL.search(interpreter):
        return heredoc.body
    return f"{interpreter} - <<'{heredoc.name}'\n{heredoc.body}{heredoc.name}"


@dataclass(frozen=True)
class Stage:
    """A build stage: its FROM and what follows it up to the next FROM.

    `name` is in lower case, ``""`` for an unnamed stage; `base` is the image or the stage
    that it is built FROM, variables unexpanded.
    """

    index: int
    name: str
    base: str
    platform: str
    from_: Instruction
    instructions: tuple[Instruction, ...] = field(repr=False)

    @property
    def label(self) -> str:
        """The stage's name, or its number from 0 where it has none."""
        return self.name or str(self.index)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Dockerfile(Node):
    """A whole file. `errors` are what BuildKit would reject; the rest is read nevertheless."""

    source: Source
    escape: str
    directives: tuple[Directive, ...]
    instructions: tuple[Instruction, ...]
    errors: tuple[ParseError, ...] = ()

    @property
    def path(self) -> str:
        """The name under which the file is known in messages."""
        return self.source.path

    def directive(self, name: str) -> str:
        """Return the value of a parser directive (``syntax``, ``escape``, ``check``) or ``""``."""
        return next((d.value for d in self.directives if d.name == name and d.in_force), "")

    def mounts(self, type: str = "") -> Iterator[Mount]:  # noqa: A002 - BuildKit's word for it
        """Yield the mounts of all RUNs in order, those of ONBUILD's RUNs too.

        With `type` (``cache``, ``bind``, ``secret``, …) only those of that type; a type that
        a variable gives is not known, and equals none.
        """
        for instruction in self.instructions:
            run = instruction.trigger or instruction
            for mount in run.mounts if isinstance(run, Run) else ():
                if not type or mount.type == type:
                    yield mount

    @cached_property
    def global_args(self) -> tuple[Instruction, ...]:
        """The ARG instructions before the first FROM."""
        before = takewhile(lambda each: each.keyword != "FROM", self.instructions)
        return tuple(each for each in before if each.keyword == "ARG")

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The build stages in order."""
        groups: list[list[Instruction]] = []
        for instruction in self.instructions:
            if instruction.keyword == "FROM":
                groups.append([instruction])
            elif groups:
                groups[-1].append(instruction)
        return tuple(_stage(index, *group) for index, group in enumerate(groups))


def _stage(index: int, from_: Instruction, *rest: Instruction) -> Stage:
    words = from_.words
    name = words[2].lower() if len(words) == 3 and words[1].lower() == "as" else ""
    return Stage(index, name, words[0] if words else "", from_.flag("platform"), from_, rest)
