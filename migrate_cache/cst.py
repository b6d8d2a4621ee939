"""The lossless tree of a Dockerfile: tokens in order, and read-only nodes over them.

One law holds at every node: its tokens, joined, are the text of its span. Nothing is
printed from the tree; to change a file, nodes offer `Edit`s on the original text.

    Dockerfile
      Instruction          one per instruction; `Run` for RUN
        Flag               --platform=…, --from=…; `Mount` for RUN's --mount=…
          MountOption      type=cache, target=…, readonly
        Heredoc            body and delimiter
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from migrate_cache.edits import Edit
from migrate_cache.errors import ParseError
from migrate_cache.lines import Directive, Heredoc, LogicalLine
from migrate_cache.source import Source, Span


class Token(NamedTuple):
    """A piece of text that no node divides; `kind` is its terminal in the grammar.

    Kinds of its own has what stands between the grammar's tokens: ``BLANK``, ``NEWLINE``,
    ``CONTINUATION``, ``COMMENT``, ``DIRECTIVE``, ``QUOTE``, ``ESCAPE``, ``BOM``,
    ``HEREDOC_BODY``, ``HEREDOC_END``.
    """

    kind: str
    span: Span
    text: str


class Node:
    """A part of the tree. `kind` is the grammar's rule, `children` its parts in order."""

    __slots__ = ("__dict__", "children", "kind", "span")

    def __init__(self, kind: str, span: Span, children: tuple[Node | Token, ...]) -> None:
        self.kind = kind
        self.span = span
        self.children = children

    def tokens(self) -> Iterator[Token]:
        """Yield every token below this node, in the order of the text."""
        stack: list[Node | Token] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, Token):
                yield item
            else:
                stack.extend(reversed(item.children))

    @property
    def text(self) -> str:
        """The node's text as it stands in the file."""
        return "".join(token.text for token in self.tokens())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} {self.span.start}:{self.span.end}>"


# `target` may be written in three ways, `source` in two.
ALIASES = {"dst": "target", "destination": "target", "src": "source", "ro": "readonly", "rw": "readwrite"}


class MountOption(Node):
    """One field of a mount, such as ``sharing=locked`` or ``readonly``.

    `key` is in lower case and as written (``dst`` stays ``dst``); `value` is decoded, and
    None where the field has no ``=``. The spans name the characters of the key and of the
    value in the file, in several parts where a continuation or a quote divides them.
    """

    __slots__ = ("key", "key_spans", "value", "value_spans")

    def __init__(
        self,
        span: Span,
        children: tuple[Node | Token, ...],
        key: str,
        value: str | None,
        key_spans: tuple[Span, ...],
        value_spans: tuple[Span, ...],
    ) -> None:
        super().__init__("option", span, children)
        self.key = key
        self.value = value
        self.key_spans = key_spans
        self.value_spans = value_spans

    @property
    def name(self) -> str:
        """The key under its main name: ``target`` for ``dst`` and ``destination``."""
        return ALIASES.get(self.key, self.key)


class Flag(Node):
    """A flag of an instruction; `word` is the decoded word, `name` and `value` its parts."""

    __slots__ = ("name", "value", "word")

    def __init__(
        self,
        kind: str,
        span: Span,
        children: tuple[Node | Token, ...],
        word: str,
        name: str,
        value: str | None,
    ) -> None:
        super().__init__(kind, span, children)
        self.word = word
        self.name = name
        self.value = value


class Mount(Flag):
    """A ``--mount`` flag of a RUN.

    The properties give decoded values with variables unexpanded, and ``""`` where the
    mount has no such option; the last of two equal options wins, as in BuildKit.
    `error` is set where BuildKit would reject the mount.
    """

    __slots__ = ("after_option", "error", "options")

    def __init__(
        self,
        span: Span,
        children: tuple[Node | Token, ...],
        word: str,
        value: str | None,
        options: tuple[MountOption, ...],
        after_option: tuple[int, ...],
    ) -> None:
        super().__init__("mount", span, children, word, "mount", value)
        self.options = options
        self.after_option = after_option
        self.error: ParseError | None = None

    def option(self, name: str) -> MountOption | None:
        """Return the option in force under its main name (``target``, ``id``, ``sharing``, …)."""
        for option in reversed(self.options):
            if option.name == name:
                return option
        return None

    def get(self, name: str) -> str:
        """Return an option's decoded value, ``""`` where there is none."""
        option = self.option(name)
        return (option.value or "") if option else ""

    @property
    def type(self) -> str:
        """The mount's type in lower case; ``bind`` where none is given."""
        return self.get("type").lower() or "bind"

    @property
    def target(self) -> str:
        """The directory in the container, as written."""
        return self.get("target")

    @property
    def id(self) -> str:
        """The id as written; see `cache_id` for the one BuildKit uses."""
        return self.get("id")

    @property
    def sharing(self) -> str:
        """``shared``, ``locked`` or ``private`` in lower case; ``""`` where none is given."""
        return self.get("sharing").lower()

    @property
    def source(self) -> str:
        """The directory within the cache or the image."""
        return self.get("source")

    @property
    def from_(self) -> str:
        """The stage or image that fills a new cache."""
        return self.get("from")

    @property
    def cache_id(self) -> str:
        """What BuildKit calls the cache, variables unexpanded: the id, else the cleaned target."""
        return self.id or clean_path(self.target)

    def repeated(self, *names: str) -> bool:
        """Whether one of the options (under its main name) is given more than once."""
        return any(sum(option.name == name for option in self.options) > 1 for name in names)

    def set(self, name: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that give the option in force another value."""
        option = self.option(name)
        if option is None or not option.value_spans:
            raise ValueError(f"the mount has no {name} to set")
        return _replace_parts(option.value_spans, value)

    def replace(self, name: str, new_name: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that turn the option in force into another one, quotes kept."""
        option = self.option(name)
        if option is None or not option.key_spans or not option.value_spans:
            raise ValueError(f"the mount has no {name} to replace")
        return _replace_parts(option.key_spans, new_name) + _replace_parts(
            option.value_spans, value
        )

    def insert_after(self, name: str, new_name: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that add an option behind another one."""
        option = self.option(name)
        if option is None:
            raise ValueError(f"the mount has no {name} to insert behind")
        offset = self.after_option[self.options.index(option)]
        return (Edit(Span(offset, offset), f",{new_name}={value}"),)


def _replace_parts(spans: tuple[Span, ...], text: str) -> tuple[Edit, ...]:
    """Put `text` in place of the first part; the others lose theirs, what divides them stays."""
    return (Edit(spans[0], text), *(Edit(span, "") for span in spans[1:]))


def clean_path(path: str) -> str:
    """Clean a path as Go's ``path.Clean`` does (BuildKit's rule for a cache without an id)."""
    if not path:
        return "."
    cleaned = posixpath.normpath(path)
    # POSIX lets two leading slashes stand; Go does not.
    return cleaned[1:] if cleaned.startswith("//") else cleaned


class HeredocNode(Node):
    """A heredoc's lines below its instruction."""

    __slots__ = ("heredoc",)

    def __init__(self, heredoc: Heredoc, children: tuple[Node | Token, ...]) -> None:
        super().__init__("heredoc", heredoc.span, children)
        self.heredoc = heredoc


class Instruction(Node):
    """One instruction of the file, or the trigger within an ONBUILD.

    `keyword` is in upper case; `arguments` is the joined text behind the flags, without
    outer blanks; `words` are the words of FROM, ARG, ENV and LABEL (quotes kept); `exec_form`
    holds the strings of a JSON array. Lines count from 1 and include heredocs. `error` is
    set where BuildKit would reject the instruction.
    """

    __slots__ = (
        "arguments", "end_line", "error", "escape", "exec_form", "flag_nodes", "heredocs",
        "keyword", "line", "start_line", "trigger", "words",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        span: Span,
        children: tuple[Node | Token, ...],
        *,
        keyword: str,
        line: LogicalLine,
        escape: str,
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
        """The shell text that the RUN runs, heredocs included; ``""`` in exec form."""
        if self.exec_form is not None:
            return ""
        bodies = "".join(f"\n{h.body}{h.name}" for h in self.heredocs)
        return self.arguments + bodies


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
        children: tuple[Node | Token, ...],
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
            if directive.name == name:
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
        stages = []
        for index, (from_, *rest) in enumerate(groups):
            words = from_.words
            name = words[2].lower() if len(words) == 3 and words[1].lower() == "as" else ""
            stages.append(
                Stage(
                    index,
                    name,
                    words[0] if words else "",
                    from_.flag("platform"),
                    from_,
                    tuple(rest),
                )
            )
        return tuple(stages)
