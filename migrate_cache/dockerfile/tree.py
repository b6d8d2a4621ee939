"""The lossless tree of a Dockerfile: tokens in order, and read-only nodes over them.

One law holds at every node: its tokens, joined, are the text of its span. Nothing is
printed from the tree; to change a file, nodes offer `Edit`s on the original text.

    Dockerfile
      Instruction          one per instruction; `Run` for RUN
        Flag               --platform=…, --from=…; `Mount` for RUN's --mount=…
          MountOption      type=cache, target=…, readonly
        HeredocNode        body and delimiter
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.mount import ALIASES, Flag, Mount, MountOption, clean_path
from migrate_cache.dockerfile.nodes import Node, Part, Token
from migrate_cache.dockerfile.words import heredoc_word
from migrate_cache.text.source import Source, Span

if TYPE_CHECKING:
    from migrate_cache.dockerfile.lines import Directive, Heredoc, LogicalLine
    from migrate_cache.text.errors import ParseError

__all__ = [
    "ALIASES",
    "Dockerfile",
    "Flag",
    "HeredocNode",
    "Instruction",
    "Mount",
    "MountOption",
    "Node",
    "Part",
    "Run",
    "Stage",
    "Token",
    "clean_path",
]


_SHELL = re.compile(r"(?:^|[/ ])(?:ba|da|a|k|z)?sh(?:$| )")


class HeredocNode(Node):
    """A heredoc's lines below its instruction."""

    __slots__ = ("heredoc",)

    def __init__(self, heredoc: Heredoc, children: tuple[Part, ...]) -> None:
        super().__init__("heredoc", heredoc.span, children)
        self.heredoc = heredoc


class Instruction(Node):
    """One instruction of the file, or the trigger within an ONBUILD.

    `keyword` is in upper case, `written_keyword` as in the file; `arguments` is the joined
    text behind the flags, without outer blanks; `words` are the words of FROM, ARG, ENV and
    LABEL (quotes kept); `exec_form` holds the strings of a JSON array, where the keyword
    takes one. Lines count from 1 and include heredocs. `error` is set where BuildKit would
    reject the instruction.
    """

    __slots__ = (
        "arguments",
        "end_line",
        "error",
        "escape",
        "exec_form",
        "flag_nodes",
        "heredocs",
        "keyword",
        "line",
        "start_line",
        "trigger",
        "words",
        "written_keyword",
    )

    def __init__(  # noqa: PLR0913 - a node is given all that it holds
        self,
        kind: str,
        span: Span,
        children: tuple[Part, ...],
        *,
        keyword: str,
        line: LogicalLine,
        escape: str,
        written_keyword: str,
        flag_nodes: tuple[Flag, ...],
        arguments: str,
        words: tuple[str, ...],
        exec_form: tuple[str, ...] | None,
        trigger: Instruction | None,
        heredocs: tuple[Heredoc, ...],
        lines: tuple[int, int],
    ) -> None:
        super().__init__(kind, span, children)
        self.keyword = keyword
        self.written_keyword = written_keyword
        self.line = line
        self.escape = escape
        self.flag_nodes = flag_nodes
        self.arguments = arguments
        self.words = words
        self.exec_form = exec_form
        self.trigger = trigger
        self.heredocs = heredocs
        self.start_line, self.end_line = lines
        self.error: ParseError | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags as decoded words, such as ``--mount=type=cache,target=/x``."""
        return tuple(flag.word for flag in self.flag_nodes)

    def flag(self, name: str) -> str:
        """Return the value of the last flag of that name, ``""`` where there is none."""
        for flag in reversed(self.flag_nodes):
            if flag.name == name:
                return flag.value or ""
        return ""

    @property
    def start(self) -> int:
        """The offset of the keyword's first character."""
        return self.line.pieces[0].start


class Run(Instruction):
    """A RUN instruction, or the RUN of an ONBUILD."""

    __slots__ = ()

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
            return _own_script(self.heredocs[0].body, self.heredocs[0].name)
        bodies = "".join(f"\n{h.body}{h.name}" for h in self.heredocs)
        return self.arguments + bodies


def _own_script(body: str, name: str) -> str:
    """Return a script as its interpreter takes it: another one than a shell is handed it."""
    first, _, _ = body.partition("\n")
    interpreter = first.removeprefix("#!").strip()
    if not first.startswith("#!") or _SHELL.search(interpreter):
        return body
    return f"{interpreter} - <<'{name}'\n{body}{name}"


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


class Dockerfile(Node):
    """A whole file. `errors` are what BuildKit would reject; the rest of the tree stands."""

    __slots__ = ("directives", "errors", "escape", "instructions", "source")

    def __init__(
        self,
        source: Source,
        children: tuple[Part, ...],
        instructions: tuple[Instruction, ...],
        directives: tuple[Directive, ...],
        escape: str,
    ) -> None:
        super().__init__("dockerfile", Span(0, len(source.text)), children)
        self.source = source
        self.instructions = instructions
        self.directives = directives
        self.escape = escape
        self.errors: tuple[ParseError, ...] = ()

    @property
    def path(self) -> str:
        """The name under which the file is known in messages."""
        return self.source.path

    def directive(self, name: str) -> str:
        """Return the value of a parser directive (``syntax``, ``escape``, ``check``) or ``""``."""
        for directive in self.directives:
            if directive.name == name and directive.in_force:
                return directive.value
        return ""

    @cached_property
    def global_args(self) -> tuple[Instruction, ...]:
        """The ARG instructions before the first FROM."""
        found = []
        for instruction in self.instructions:
            if instruction.keyword == "FROM":
                break
            if instruction.keyword == "ARG":
                found.append(instruction)
        return tuple(found)

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
