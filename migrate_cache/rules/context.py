"""What codemods read and what they yield."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate_cache.builds.model import Build
    from migrate_cache.caches.graph import File, Graph, Use
    from migrate_cache.dockerfile.tree import Instruction, Run
    from migrate_cache.settings import Override, Settings


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one mount, and why. Every mount gets exactly one.

    `id` is the new id and `sharing` the new mode, None where they stay; a mode of ``""``
    takes the option out.
    """

    use: Use
    rule: str
    reason: str
    id: str | None = None
    sharing: str | None = None
    evidence: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the mount's text changes."""
        return self.id is not None or self.sharing is not None

    @property
    def id_after(self) -> str:
        """The cache's id after the change, variables unexpanded."""
        return self.id if self.id is not None else self.use.mount.cache_id

    @property
    def sharing_after(self) -> str:
        """The mode that is written after the change."""
        return self.sharing if self.sharing is not None else self.use.mount.sharing


@dataclass(frozen=True, slots=True)
class Insertion:
    """A RUN of one line to insert above an instruction, with a comment of one line."""

    file: File
    before: Instruction
    comment: str
    command: str
    rule: str
    reason: str

    @property
    def text(self) -> str:
        """The instruction that is inserted, without its comment."""
        return f"RUN {self.command}"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a place beside what the decisions say."""

    path: str
    line: int
    column: int
    rule: str
    reason: str


@dataclass
class Context:
    """The project as codemods see it, with what the codemods before them decided."""

    graph: Graph
    settings: Settings
    project: str
    builds: tuple[Build, ...]
    decisions: dict[int, Decision] = field(default_factory=dict)
    insertions: list[Insertion] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    # The same by file.
    insertions_in: dict[str, list[Insertion]] = field(default_factory=dict)
    remarks_in: dict[str, list[Remark]] = field(default_factory=dict)
    # Cargo caches that may be shared, by the identity of their group; see `cargo_lock`.
    cargo_refusals: dict[int, str] = field(default_factory=dict)

    def add(self, item: Decision | Insertion | Remark) -> None:
        """Take what a codemod yields."""
        if isinstance(item, Decision):
            assert id(item.use) not in self.decisions, item
            self.decisions[id(item.use)] = item
        elif isinstance(item, Insertion):
            self.insertions.append(item)
            self.insertions_in.setdefault(item.file.path, []).append(item)
        else:
            self.remarks.append(item)
            self.remarks_in.setdefault(item.path, []).append(item)

    def decision(self, use: Use) -> Decision | None:
        """Return what was decided about a mount, if anything was."""
        return self.decisions.get(id(use))

    def undecided(self) -> Iterator[Use]:
        """Yield the mounts about which nothing was decided yet."""
        for use in self.graph.uses:
            if id(use) not in self.decisions:
                yield use

    def override(self, path: str) -> Override | None:
        """Return the configuration's override for a file: the last one that matches."""
        for override, matches in self._matchers[::-1]:
            if matches(path):
                return override
        return None

    @cached_property
    def _matchers(self) -> tuple[tuple[Override, Callable[[str], bool]], ...]:
        from migrate_cache.text.globs import Globs

        return tuple(
            (override, Globs(override.files).match) for override in self.settings.overrides
        )

    def reruns(self, run: Run, use: Use) -> bool:
        """Whether the plan changes a RUN's layer-cache key, so that it runs once more.

        BuildKit leaves ``id`` and ``sharing`` out of the key, except for the pure default:
        no id, and shared. An instruction inserted above changes the key of what follows.
        """
        chain = use.resolved.chain(use.stage.index)
        for insertion in self.insertions_in.get(use.path, ()):
            for index in chain:
                stage = use.tree.stages[index]
                if insertion.before in stage.instructions and (
                    index != use.stage.index or insertion.before.start <= use.instruction.start
                ):
                    return True
        return any(self._changes_key(other) for other in self.graph.uses_of_run(run))

    def _changes_key(self, use: Use) -> bool:
        decision = self.decision(use)
        if decision is None:
            return False
        before = not use.mount.id and use.mode == "shared"
        id_after = decision.id if decision.id is not None else use.mount.id
        return before != (not id_after and decision.sharing_after in ("", "shared"))
