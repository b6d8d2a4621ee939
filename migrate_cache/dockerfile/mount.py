"""Flags, mounts and their options as nodes, and the edits of a mount."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.nodes import Node
from migrate_cache.text.edit import OptionEdit
from migrate_cache.text.source import Span

if TYPE_CHECKING:
    from migrate_cache.text.errors import ParseError

# Other spellings of an option, and its main name.
ALIASES = {
    "dst": "target",
    "destination": "target",
    "src": "source",
    "ro": "readonly",
    "rw": "readwrite",
}
# Text that means itself whatever quotes and escapes a mount is written with. A `#` is left
# out: at the start of a continued line it would begin a comment.
_PLAIN = re.compile(r"""[^\s\x00-\x20"',\\`#\x7f-\U0010ffff]*""")


def main_name(key: str) -> str:
    """Return the main name of an option: ``target`` for ``dst`` and ``destination``."""
    return ALIASES.get(key, key)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MountOption(Node):
    """One field of a mount, such as ``sharing=locked`` or ``readonly``.

    `written_key` and `value` are decoded; `value` is None where the field has no ``=``. The
    spans are where their characters stand in the file: several where a continuation or a
    quote divides them, one empty span for an empty value. `after` is the offset at which
    another option can follow.
    """

    written_key: str
    value: str | None
    key_spans: tuple[Span, ...]
    value_spans: tuple[Span, ...]
    after: int

    @property
    def key(self) -> str:
        """The key in lower case (``dst`` stays ``dst``)."""
        return self.written_key.lower()

    @property
    def name(self) -> str:
        """The key's main name: ``target`` for ``dst`` and ``destination``."""
        return main_name(self.key)

    @property
    def field(self) -> str:
        """The whole field, decoded."""
        return self.written_key if self.value is None else f"{self.written_key}={self.value}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Flag(Node):
    """A flag of an instruction; `word` is the decoded word, `name` and `value` are its parts.

    `value` is None where the flag has no ``=``. `error` says why the flag cannot be read, or
    why BuildKit would reject it.
    """

    word: str
    name: str
    value: str | None
    error: ParseError | None = None


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Mount(Flag):
    """A ``--mount`` flag of a RUN.

    The properties give decoded values with their variables unexpanded, and ``""`` where the
    mount has no such option; the last of two equal options wins, as in BuildKit.

    The methods that edit take main names (``target``, ``id``, ``sharing``, …), and raise
    ValueError for a value that would need quotes (blanks, commas, quotes, escapes).
    """

    options: tuple[MountOption, ...] = ()

    def option(self, name: str) -> MountOption | None:
        """Return the option in force under its main name."""
        return next((each for each in reversed(self.options) if each.name == name), None)

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
        """The id as written; see `cache_id` for the one that BuildKit uses."""
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
        """BuildKit's id for the cache, variables unexpanded: the id, else the cleaned target."""
        return self.id or clean_path(self.target)

    def repeated(self, *names: str) -> bool:
        """Tell whether one of the options is given more than once."""
        counts = Counter(option.name for option in self.options)
        return any(counts[name] > 1 for name in names)

    def set(self, name: str, value: str) -> tuple[OptionEdit, ...]:
        """Give an option another value; ValueError where it is not there, or has none."""
        return _replaced(self._with_value(name).value_spans, value, name, value)

    def replace(self, name: str, new_name: str, value: str) -> tuple[OptionEdit, ...]:
        """Put a new option in the place of another one, within the same quotes.

        Raise ValueError where the mount has no such option with a value, or has the new one.
        """
        self._refuse_second(new_name)
        option = self._with_value(name)
        return (
            *_replaced(option.key_spans, new_name, name, None),
            *_replaced(option.value_spans, value, new_name, value),
        )

    def add(self, name: str, value: str, *, after: str) -> tuple[OptionEdit, ...]:
        """Add an option after another one, within its quotes.

        Raise ValueError where the mount has no option `after`, or has the new one.
        """
        self._refuse_second(name)
        offset = self._given(after).after
        text = f",{_plain(name)}={_plain(value)}"
        return (OptionEdit(Span(offset, offset), text, main_name(name), value),)

    def remove(self, name: str) -> tuple[OptionEdit, ...]:
        """Take an option out, with one of the commas beside it.

        Raise ValueError where the mount does not have this option exactly once, or a quote or
        a line break stands within it or between it and the commas.
        """
        option = self._given(name)
        if self.repeated(name):
            raise ValueError(f"the mount has more than one {name}")
        at = self.children.index(option)
        before, behind = self.children[at - 1], self.children[at + 1 : at + 2]
        if _is_unbroken(option) and before.kind == "COMMA":
            return (OptionEdit(Span(before.span.start, option.span.end), "", name, None),)
        if _is_unbroken(option) and behind and behind[0].kind == "COMMA":
            return (OptionEdit(Span(option.span.start, behind[0].span.end), "", name, None),)
        raise ValueError(f"quotes or a line break stand beside the {name} of the mount")

    def _given(self, name: str) -> MountOption:
        option = self.option(name)
        if option is None:
            raise ValueError(f"the mount has no {name}")
        return option

    def _with_value(self, name: str) -> MountOption:
        option = self._given(name)
        if option.value is None:
            raise ValueError(f"the mount's {name} has no value")
        return option

    def _refuse_second(self, name: str) -> None:
        if self.option(main_name(name)) is not None:
            raise ValueError(f"the mount has a {name} already")


def _replaced(
    spans: tuple[Span, ...], text: str, name: str, value: str | None
) -> tuple[OptionEdit, ...]:
    """Replace a key or value that may stand in several parts; keep what divides them.

    The text takes the place of the last part, not of the first: the last may be all that its
    line holds, and an empty line in its place would not end the instruction.
    """
    option = main_name(name)
    *others, last = spans
    edits = [OptionEdit(span, "", option, value) for span in others]
    return (*edits, OptionEdit(last, _plain(text), option, value))


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a mount without quotes")
    return text


def _is_unbroken(option: MountOption) -> bool:
    return all(child.kind in ("KEY", "EQUALS", "VALUE") for child in option.children)


def clean_path(path: str) -> str:
    """Clean a path as Go's ``path.Clean`` does (BuildKit's rule for a cache without an id)."""
    if not path:
        return "."
    cleaned = posixpath.normpath(path)
    # POSIX keeps two leading slashes; Go does not.
    return cleaned[1:] if cleaned.startswith("//") else cleaned
