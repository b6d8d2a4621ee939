"""A plan as data: what changes, what stays, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate_cache.text.edit import Edit
    from migrate_cache.text.errors import MigrateError, Warn


@dataclass(frozen=True, slots=True)
class Change:
    """One change that a user can accept or refuse as a whole, and its reason.

    `line` and `column` (from 1) are where the change begins in the old text.
    `evidence` says what the decision rests on, in the user's words.
    """

    rule: str
    line: int
    column: int
    reason: str
    edits: tuple[Edit, ...]
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say about a place that is left alone, or a warning or an error.

    The severity follows from the rule, see `migrate_cache.rules.registry`.
    """

    rule: str
    line: int
    column: int
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one cache mount; every mount of the project has exactly one.

    `rule` and `reason` are those of the change that was made to the mount or of
    the note that says why it was left alone. `directory` is the absolute path
    where it can be told, else the target as it is written; ids are what BuildKit
    uses as the cache's name (variables unexpanded). A sharing mode of ``""``
    means that the mount names none, which BuildKit reads as ``shared``.
    """

    path: str
    line: int
    column: int
    stage: str
    target: str
    directory: str
    tool: str
    kind: str
    id_before: str
    id_after: str
    sharing_before: str
    sharing_after: str
    rule: str
    reason: str
    evidence: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the mount's own text changes."""
        return (self.id_before, self.sharing_before) != (self.id_after, self.sharing_after)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What was planned for one file.

    `path` is relative to the project's root, with forward slashes (or as the user
    named it, where it lies elsewhere). `before` and `after` are texts as
    `migrate_cache.text.source.decode` makes them; they are equal where nothing changes.
    """

    path: str
    before: str
    after: str
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    error: MigrateError | None = None

    @property
    def changed(self) -> bool:
        """Whether the file's text changes."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class CacheUser:
    """One mount of a cache: where it is, for which service, and in which mode.

    A mode is ``shared`` where the mount names none.
    """

    path: str
    line: int
    stage: str
    service: str
    mode_before: str
    mode_after: str
    id_after: str


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """One cache of the project as the builder knows it: an id and all its users."""

    id: str
    kind: str
    tool: str
    directories: tuple[str, ...]
    users: tuple[CacheUser, ...]


@dataclass(frozen=True, slots=True)
class ProjectResult:
    """The plan for a whole project; nothing in it depends on time or on the machine.

    `files` are those that may be written, in the order of their paths; `outcomes` and
    `caches` cover every Dockerfile under the root.
    """

    root: str
    files: tuple[FileResult, ...]
    outcomes: tuple[Outcome, ...] = ()
    caches: tuple[CacheInfo, ...] = ()
    warnings: tuple[Warn, ...] = ()
