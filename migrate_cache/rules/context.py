"""The facts that a rule works with, what blocks a mount, and what was decided so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from migrate_cache.caches.cache_mount import CacheMount
from migrate_cache.rules.rule import Blocked, Change, Keep, Note
from migrate_cache.text.edit import OptionEdit

if TYPE_CHECKING:
    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.coupling import CoupledMounts
    from migrate_cache.caches.facts import Project
    from migrate_cache.caches.graph import Cache
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.rules.rule import Yielded
    from migrate_cache.rules.suppressions import Suppression
    from migrate_cache.settings import Settings

T = TypeVar("T")

# Changes that the user declined: path, line, rule.
Declined = frozenset[tuple[str, int, str]]


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the rules decided: a change or keep for each mount; insertions and notes by path."""

    mounts: dict[CacheMount, Change | Keep] = field(default_factory=dict)
    insertions: dict[str, list[Change]] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=dict)

    def add(self, item: Yielded) -> None:
        """Take what a rule yields; raise ValueError where a mount was decided about before."""
        if isinstance(item, Note):
            self.notes.setdefault(item.path, []).append(item)
        elif not isinstance(item.at, CacheMount):
            assert isinstance(item, Change)
            self.insertions.setdefault(item.at.path, []).append(item)
        elif item.at in self.mounts:
            raise ValueError(f"{item.rule}: {item.at.place} was decided about before")
        else:
            self.mounts[item.at] = item

    def options_after(self, mount: CacheMount) -> dict[str, str | None]:
        """Return the options that the plan gives a mount; None for one that it takes out."""
        item = self.mounts.get(mount)
        edits = item.edits if isinstance(item, Change) else ()
        return {edit.option: edit.value for edit in edits if isinstance(edit, OptionEdit)}

    def id_after(self, mount: CacheMount) -> str:
        """Return the id that is written after the plan, ``""`` for none."""
        return self.options_after(mount).get("id", mount.id) or ""

    def cache_id_after(self, mount: CacheMount) -> str:
        """Return what BuildKit calls the cache after the plan, variables unexpanded."""
        return self.id_after(mount) or mount.node.cache_id

    def sharing_after(self, mount: CacheMount) -> str:
        """Return the mode that is written after the plan, ``""`` for none."""
        return self.options_after(mount).get("sharing", mount.node.sharing) or ""


@dataclass(frozen=True, eq=False)
class Context:
    """The project as rules see it, with what the rules before them decided.

    `unchangeable` are the mounts that every rule leaves alone; `declined` are the changes that
    the user refused. `said_unsuppressed` decides again as if there were no ignore comments,
    and gives by path which rule speaks of which instruction, by its offset.
    """

    project: Project
    unchangeable: Mapping[CacheMount, Blocked]
    suppressions: Mapping[str, Sequence[Suppression]]
    declined: Declined
    said_unsuppressed: Callable[[], Mapping[str, set[tuple[str, int]]]]
    decisions: Decisions = field(default_factory=Decisions)
    _made: dict[Callable[[Context], Any], Any] = field(default_factory=dict)

    def once(self, make: Callable[[Context], T]) -> T:
        """Return what `make` returns for this context; it is called at the first time only."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    @property
    def settings(self) -> Settings:
        """The settings of the project."""
        return self.project.settings

    def mounts(self, tree: Dockerfile) -> Sequence[CacheMount]:
        """Return the cache mounts of a file."""
        return self.project.graph.mounts_in(tree.path)

    def undecided(self, cache: Cache | CoupledMounts) -> Iterator[CacheMount]:
        """Return those mounts of a cache that no rule has decided about yet."""
        return (mount for mount in cache.mounts if mount not in self.decisions.mounts)

    def blocked(self, at: CacheMount | RunContext, code: str) -> Blocked | None:
        """Return why the rule `code` may not change a mount or a RUN, None where it may."""
        run = at.run if isinstance(at, CacheMount) else at
        if run.file.read_only:
            return Blocked(code, run.file.read_only)
        if run.settings.skip:
            return Blocked(code, "the configuration skips this file")
        if isinstance(at, CacheMount) and at in self.unchangeable:
            return self.unchangeable[at]
        for suppression in self.suppressions.get(run.path, ()):
            if suppression.covers(code, run.instruction.start):
                return Blocked(code, f"ignored by the comment in line {suppression.line}")
        if not is_selected(code, self.settings):
            return Blocked(code, f"{code} is not selected")
        line = at.line if isinstance(at, CacheMount) else run.instruction.start_line
        if (run.path, line, code) in self.declined:
            return Blocked(code, "refused")
        return None

    def holder(self, cache: Cache, code: str) -> str:
        """Return which mount holds a cache back from the rule `code`, ``""`` where none does."""
        for mount in cache.mounts:
            if mount.sharing != "shared" and (blocked := self.blocked(mount, code)):
                return f"{mount.place} stays {mount.sharing} ({blocked.reason})"
        return cache.unread_user

    def reruns(self, run: RunContext) -> bool:
        """Whether the plan changes a RUN's layer-cache key, so that it runs again.

        BuildKit leaves ``id`` and ``sharing`` out of the key, except for the pure default:
        no id, and shared. An instruction inserted above changes the key of what follows.
        """
        for insertion in self.decisions.insertions.get(run.path, ()):
            below = insertion.run
            if below.stage.index in run.chain and (
                below.stage.index != run.stage.index
                or below.instruction.start <= run.instruction.start
            ):
                return True
        return any(map(self._changes_key, self.project.graph.mounts_of(run)))

    def _changes_key(self, mount: CacheMount) -> bool:
        decisions = self.decisions
        before = is_pure_default(mount)
        after = not decisions.id_after(mount) and decisions.sharing_after(mount) in ("", "shared")
        return before != after


def is_pure_default(mount: CacheMount) -> bool:
    """Whether a mount has neither an id nor another mode than shared."""
    return not mount.id and mount.sharing == "shared"


def is_selected(code: str, settings: Settings) -> bool:
    """Whether the settings select a rule; an empty selection is that of all rules."""
    if settings.select and not code.startswith(settings.select):
        return False
    return not (settings.ignore and code.startswith(settings.ignore))
