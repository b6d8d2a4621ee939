"""Tell services apart by build arguments, and by the ENV variables made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.scope import PLATFORM_ARGS
from migrate_cache.dockerfile.words import variables
from migrate_cache.services.declared import Variant, differ, differs_unseen, is_volatile
from migrate_cache.services.model import NoService, Service
from migrate_cache.services.names import listed
from migrate_cache.services.selection import builds_everything, selected

if TYPE_CHECKING:
    from migrate_cache.builds.runs import RunContext

# Build arguments of these names hold the name of a service.
SERVICE_NAMES = (
    "SERVICE", "SERVICE_NAME", "APP", "APP_NAME", "APPLICATION", "COMPONENT", "BIN", "BIN_NAME",
    "BINARY", "BINARY_NAME", "CRATE", "CRATE_NAME", "PACKAGE", "PACKAGE_NAME", "PKG", "MODULE",
    "MODULE_NAME", "PROJECT", "PROJECT_NAME", "WORKSPACE",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Characters that are safe in an id on every engine.
_SAFE_VALUE = re.compile(r"[A-Za-z0-9._/:@+-]*", re.ASCII)
_MOST_CANDIDATES = 6


def names_service(name: str) -> bool:
    """Whether a variable of this name holds the name of a service."""
    return name.upper() in SERVICE_NAMES


def undeclared_arguments(run: RunContext) -> tuple[str, ...]:
    """Return the global build arguments that the RUN uses and its stage does not repeat."""
    declared = {word.partition("=")[0] for arg in run.tree.global_args for word in arg.words}
    return tuple(
        name
        for name in run.reads
        if name in declared and name not in run.scope.variables and names_service(name)
    )


def from_arguments(run: RunContext, variants: Sequence[Variant]) -> Service | NoService | None:
    """Infer the service from build arguments, None where they say nothing about it."""
    return _Arguments(run, variants).tell()


class _Arguments:
    """Infers the service of one RUN from its build arguments."""

    def __init__(self, run: RunContext, variants: Sequence[Variant]) -> None:
        self.run = run
        self.variants = variants
        self.written = tuple(self._candidates(self._written()))

    def tell(self) -> Service | NoService | None:
        answer = self._told_by_text()
        is_implicit = self._may_be_implicit()
        if is_implicit:
            answer = answer or self._told_by_scope()
        if isinstance(answer, NoService):
            return answer
        chosen = re.findall(r"\$\{(\w+)\}", answer.text) if answer else ()
        concerned = self.run.scope.variables if is_implicit else self._written()
        also = [name for name in self._decided(concerned) if is_volatile(name)]
        unseen = differs_unseen(self.variants, chosen, also)
        if unseen:
            told = answer.text if answer else "no variable in scope"
            verb = "does not tell" if answer else "tells"
            return NoService(f"{unseen}, and {told} {verb} them apart")
        return answer

    def _written(self) -> Iterator[str]:
        yield from self.run.reads
        for mount in self.run.node.mounts:
            yield from sorted(variables(mount.target))

    def _candidates(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the variables among `names` that can stand in an id for a service."""
        for name in self._decided(names):
            if _NAME.fullmatch(name) and not is_volatile(name):
                yield name

    def _decided(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the variables among `names` that build arguments decide."""
        for name in dict.fromkeys(names):
            variable = self.run.scope.variables.get(name)
            if variable and variable.depends - PLATFORM_ARGS and name not in PLATFORM_ARGS:
                yield name

    def _varying(self, names: Iterable[str]) -> list[str]:
        return [
            name
            for name in names
            if differ(self.variants, lambda v, name=name: v.value(name))  # type: ignore[misc]
        ]

    def _is_safe(self, name: str) -> bool:
        values = (variant.value(name) for variant in self.variants)
        return all(value is None or _SAFE_VALUE.fullmatch(value) for value in values)

    def _told_by_text(self) -> Service | NoService | None:
        words = selected(self.run.commands)
        used = (name for word in words for name in sorted(variables(word), key=word.find))
        selecting = [name for name in dict.fromkeys(used) if name in self.written]
        if len(selecting) > 2:
            return NoService(f"the RUN selects with several build arguments: {listed(selecting)}")
        varying = self._varying(self.written)
        if varying:
            chosen = self._telling_apart(varying, [n for n in selecting if self._is_safe(n)])
            if chosen is None:
                return self._untold(varying)
            return self._service(chosen, self._differs(self._varying(chosen) or varying))
        if selecting:
            what = self._called(selecting)
            return self._service(selecting, f"the RUN selects what it builds with {what}")
        named = [name for name in self.written if names_service(name)]
        if len(named) > 1:
            return NoService(f"several build arguments could name it: {listed(named)}")
        if named:
            return self._service(named, f"the RUN uses {self._called(named)}")
        return None

    def _telling_apart(
        self, varying: Sequence[str], base: Sequence[str] = ()
    ) -> tuple[str, ...] | None:
        """Return the fewest variables, `base` among them, that differ where `varying` does."""
        safe = [name for name in varying if self._is_safe(name)]
        ranked = [n for n in sorted(safe, key=_rank) if n not in base][:_MOST_CANDIDATES]
        wanted = self._kinds(varying)
        for size in range(4):
            for more in combinations(ranked, size):
                chosen = (*base, *more)
                # As many kinds with `varying` beside them: those add nothing.
                if chosen and wanted <= self._kinds(chosen) == self._kinds((*chosen, *varying)):
                    return chosen
        return None

    def _kinds(self, names: Sequence[str]) -> int:
        return len({tuple(map(variant.value, names)) for variant in self.variants})

    def _differs(self, names: Sequence[str]) -> str:
        between = [s for name in names for s in differ(self.variants, lambda v: v.value(name))]  # noqa: B023
        verb = "differs" if len(names) == 1 else "differ"
        return f"{self._called(names)} {verb} between {listed(between)}"

    def _called(self, names: Sequence[str]) -> str:
        plain = all(name in self.run.scope.variables[name].depends for name in names)
        kind = "build argument" if plain else "variable"
        return f"{kind}{'s' if len(names) > 1 else ''} {listed(names)}"

    def _untold(self, names: Sequence[str]) -> NoService:
        return NoService(f"{self._differs(names)}, with values that cannot stand in an id")

    def _may_be_implicit(self) -> bool:
        """Whether what the RUN builds may depend on arguments that its text does not name."""
        if self.run.is_opaque:
            return True
        if builds_everything(self.run.commands):
            return False
        # What is named outright is the same for all.
        environment = self.run.scope.environment().keys()
        return all(variables(word) - environment for word in selected(self.run.commands))

    def _told_by_scope(self) -> Service | NoService | None:
        """Judge the arguments in scope: a RUN runs once for each of their values anyway."""
        others = [name for name in self.run.scope.variables if name not in self.run.assigns]
        candidates = list(self._candidates(name for name in others if name not in self.written))
        varying = self._varying(candidates)
        named = [name for name in varying if names_service(name)]
        if varying:
            chosen = self._telling_apart(named or varying)
            if chosen is None:
                return self._untold(varying)
            return self._service(chosen, f"{self._differs(chosen)}, so the RUN runs once for each")
        selecting = set(self._selecting_elsewhere())
        used = [name for name in candidates if name in selecting]
        if not used and self.run.is_opaque:
            # A script reads its arguments from the environment.
            used = [name for name in candidates if names_service(name)]
        used = [name for name in used if names_service(name)] or used
        if len(used) > 1:
            return NoService(f"several build arguments could name it: {listed(used)}")
        if not used:
            return None
        return self._service(used, f"{self._called(used)} is in scope: the RUN runs for each value")

    def _selecting_elsewhere(self) -> Iterator[str]:
        """Yield the variables that other instructions of the file select with."""
        run = self.run
        for other in run.file.runs:
            if other is not run and other.instruction.trigger is None and other.reads:
                words = selected(other.commands)
                yield from (n for w in words for n in sorted(variables(w)) if n in other.reads)
        for index in run.chain:
            for instruction in run.tree.stages[index].instructions:
                is_above = instruction.start < run.node.start
                if is_above and instruction.keyword in ("WORKDIR", "COPY", "ADD"):
                    yield from filter(names_service, sorted(variables(instruction.arguments)))

    def _service(self, names: Sequence[str], evidence: str) -> Service | NoService:
        if not all(map(self._is_safe, names)):
            return NoService(f"{self._called(names)}: its values cannot stand in an id")
        known = ([variant.value(name) or "" for name in names] for variant in self.variants)
        values = frozenset("-".join(parts) for parts in known if all(parts))
        text = "-".join(f"${{{name}}}" for name in names)
        return Service(text, evidence, values)


def _rank(name: str) -> int:
    upper = name.upper()
    return SERVICE_NAMES.index(upper) if upper in SERVICE_NAMES else len(SERVICE_NAMES)
