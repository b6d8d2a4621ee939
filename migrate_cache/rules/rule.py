"""Rules, and what they yield: changes, keeps and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from migrate_cache.caches.cache_mount import CacheMount

if TYPE_CHECKING:
    from migrate_cache.builds.runs import RunContext
    from migrate_cache.text.edit import Edit

Severity = Literal["rewrite", "note", "warning", "error"]
# Rules of one phase decide in the order of their codes; a later phase sees what was decided.
Phase = Literal["prepare", "decide", "review"]

API = "services/api/Dockerfile"


@dataclass(frozen=True, slots=True)
class Example:
    """A whole Dockerfile that needs nothing beside it, and what the rule makes of it.

    It is migrated alone as `path`. `after` is the result, ``""`` where nothing changes.
    """

    before: str
    after: str = ""
    path: str = API

    @property
    def result(self) -> str:
        """The text after the migration."""
        return self.after or self.before


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why something cannot change; `by` is the code of the rule that says so."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """Edits at a mount or a RUN that are made together or not at all.

    `evidence` says what the decision rests on. `rule` is filled in by the registry.
    """

    at: CacheMount | RunContext
    edits: tuple[Edit, ...]
    reason: str
    evidence: tuple[str, ...] = ()
    rule: str = ""

    @property
    def run(self) -> RunContext:
        """The RUN that is concerned."""
        return self.at.run if isinstance(self.at, CacheMount) else self.at

    @property
    def start(self) -> int:
        """The offset at which the mount or the RUN begins."""
        at = self.at
        return at.node.span.start if isinstance(at, CacheMount) else at.instruction.start


@dataclass(frozen=True, slots=True)
class Keep:
    """The decision to leave a mount as it is; `blocked` names another rule's fact."""

    at: CacheMount
    reason: str
    blocked: Blocked | None = None
    evidence: tuple[str, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say about a place beside the decisions; lines and columns from 1."""

    path: str
    line: int
    column: int
    reason: str
    rule: str = ""


def note_at(mount: CacheMount, reason: str) -> Note:
    """Return a note about a mount."""
    return Note(mount.path, mount.line, mount.column, reason)


Yielded = Change | Keep | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what is said about it, and its function.

    The name of the function's first parameter tells how it is used: one that looks at a
    `cache` or a `tree` is run for each of the project; one that looks at a `mount` returns
    why nothing may be done to it, ``""`` where something may; any other is asked by the rules
    that need its words. Of several reasons to leave a mount alone the highest `rank` counts.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    explanation: str
    function: Callable[..., Any]
    sources: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    phase: Phase = "decide"
    rank: int = 0
    ignorable: bool = True

    def __call__(self, *arguments: Any) -> Any:
        """Call the rule's function."""
        return self.function(*arguments)

    @property
    def looks_at(self) -> str:
        """The name of the function's first parameter."""
        return self.function.__code__.co_varnames[0]

    def blocked(self, *arguments: Any) -> Blocked | None:
        """Return the function's reason as this rule's, None where it has none."""
        reason = self.function(*arguments)
        return Blocked(self.code, reason) if reason else None


def rule(**metadata: Any) -> Callable[[Callable[..., Any]], Rule]:
    """Make a rule of the function below; `metadata` are the other fields of `Rule`."""
    return lambda function: Rule(function=function, **metadata)
