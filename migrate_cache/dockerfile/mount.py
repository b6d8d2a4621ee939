"""Flags, mounts and their options as nodes, and the edits that a mount offers."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.nodes import Node, Part
from migrate_cache.text.edit import Edit, OptionEdit
from migrate_cache.text.source import Span

if TYPE_CHECKING:
    from migrate_cache.text.errors import ParseError

# `target` may be written in three ways, `source` in two.
ALIASES = {
    "dst": "target",
    "destination": "target",
    "src": "source",
    "ro": "readonly",
    "rw": "readwrite",
}

# What no quoting around it can change, whatever quotes and escapes a mount is written with.
# A `#` might come to stand at the start of a continued line, and make it a comment.
_PLAIN = re.compile(r"""[^\s\x00-\x20"',\\`#\x7f-\U0010ffff]*""")


class MountOption(Node):
    """One field of a mount, such as ``sharing=locked`` or ``readonly``.

    `key` is in lower case and as written (``dst`` stays ``dst``); `value` is decoded, and
    None where the field has no ``=``. The spans name the characters of the key and of the
    value in the file, in several parts where a continuation or a quote divides them; a
    value of nothing has one empty span.
    """

    __slots__ = ("field", "key", "key_spans", "value", "value_spans")

    def __init__(
        self,
        span: Span,
        children: tuple[Part, ...],
        *,
        key: str,
        value: str | None,
        key_spans: tuple[Span, ...],
        value_spans: tuple[Span, ...],
    ) -> None:
        super().__init__("option", span, children)
        self.field = key if value is None else f"{key}={value}"
        self.key = key.lower()
        self.value = value
        self.key_spans = key_spans
        self.value_spans = value_spans

    @property
    def name(self) -> str:
        """The key under its main name: ``target`` for ``dst`` and ``destination``."""
        return ALIASES.get(self.key, self.key)


class Flag(Node):
    """A flag of an instruction; `word` is the decoded word, `name` and `value` its parts.

    `value` is None where the flag has no ``=``. `error` is set where the flag cannot be
    read, or where BuildKit would reject it.
    """

    __slots__ = ("error", "name", "value", "word")

    def __init__(
        self,
        kind: str,
        span: Span,
        children: tuple[Part, ...],
        *,
        word: str,
        name: str,
        value: str | None,
        error: ParseError | None,
    ) -> None:
        super().__init__(kind, span, children)
        self.word = word
        self.name = name
        self.value = value
        self.error = error


class Mount(Flag):
    """A ``--mount`` flag of a RUN.

    The properties give decoded values with variables unexpanded, and ``""`` where the
    mount has no such option; the last of two equal options wins, as in BuildKit.
    """

    __slots__ = ("after_option", "options")

    def __init__(
        self,
        span: Span,
        children: tuple[Part, ...],
        *,
        word: str,
        value: str | None,
        options: tuple[MountOption, ...],
        after_option: tuple[int, ...],
        error: ParseError | None,
    ) -> None:
        super().__init__("mount", span, children, word=word, name="mount", value=value, error=error)
        self.options = options
        self.after_option = after_option

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
        counts = Counter(option.name for option in self.options)
        return any(counts[name] > 1 for name in names)

    def set(self, name: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that give the option in force another value.

        Raises:
            ValueError: where there is no such option with a value, or `value` would need
                quotes (blanks, commas, quotes, escapes).

        """
        option = self.option(name)
        if option is None or not option.value_spans:
            raise ValueError(f"the mount has no {name} to set")
        return _replace_parts(option.value_spans, value, name, value)

    def replace(self, name: str, new_name: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that turn the option in force into another one, quotes kept.

        Raises:
            ValueError: as `set` does.

        """
        option = self.option(name)
        if option is None or not option.key_spans or not option.value_spans:
            raise ValueError(f"the mount has no {name} to replace")
        edits = _replace_parts(option.key_spans, new_name, name, None)
        return edits + _replace_parts(option.value_spans, value, new_name, value)

    def insert_after(self, name: str, new_name: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that add an option behind another one.

        Raises:
            ValueError: as `set` does.

        """
        option = self.option(name)
        if option is None:
            raise ValueError(f"the mount has no {name} to insert behind")
        offset = self.after_option[self.options.index(option)]
        text = f",{_plain(new_name)}={_plain(value)}"
        return (OptionEdit(Span(offset, offset), text, new_name, value),)


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a mount without quotes")
    return text


def _replace_parts(
    spans: tuple[Span, ...], text: str, option: str, value: str | None
) -> tuple[Edit, ...]:
    """Put `text` in place of the last part; the others go, what divides them stays.

    Not the first part: the last may be all that its line holds, and an empty line in its
    place would not end the instruction.
    """
    *others, last = spans
    edits = [(span, "") for span in others] + [(last, _plain(text))]
    return tuple(OptionEdit(span, text, option, value) for span, text in edits)


def clean_path(path: str) -> str:
    """Clean a path as Go's ``path.Clean`` does (BuildKit's rule for a cache without an id)."""
    if not path:
        return "."
    cleaned = posixpath.normpath(path)
    # POSIX lets two leading slashes stand; Go does not.
    return cleaned[1:] if cleaned.startswith("//") else cleaned
