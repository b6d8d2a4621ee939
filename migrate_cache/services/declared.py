"""Infer services from the builds that compose, bake and workflow files declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.builds.model import folder_of
from migrate_cache.dockerfile.scope import PLATFORM_ARGS, Scope
from migrate_cache.services.model import Service
from migrate_cache.services.names import FLAVOURS, listed, parts_of, service_name, words

if TYPE_CHECKING:
    from migrate_cache.builds.model import Build
    from migrate_cache.builds.runs import RunContext

Value = str | None

# Names of services and targets that are there for others to build on.
_BASES = words("base common template defaults default shared abstract x")
_PLAIN_TARGETS = words("default all image images binary binaries app build")
_PLAIN_PARTS = words("service services svc")


@dataclass(frozen=True)
class Variant:
    """A RUN as one declared build sees it.

    `hidden` are values that decide what comes out but that its scope does not show: the
    folder that is built, arguments of FROM and of stages that files are copied from.
    """

    build: Build
    scope: Scope
    hidden: Mapping[str, Value]

    @property
    def service(self) -> tuple[str, str]:
        """The identity of the service: the folder of the declaring file, and the build's name."""
        return folder_of(self.build.origin), self.build.name

    def value(self, name: str) -> Value:
        """Return a variable's value in this build, None where it is not known."""
        variable = self.scope.variables.get(name)
        return variable.value if variable else None


def variants_of(run: RunContext) -> tuple[Variant, ...]:
    """Return the RUN as each of its declared builds sees it."""
    return tuple(_variant(run, build) for build in run.builds)


def _variant(run: RunContext, build: Build) -> Variant:
    resolved = run.resolved.under(build.args)
    hidden: dict[str, Value] = {"the folder that is built": build.context or None}
    chain = run.resolved.chain(run.stage.index)
    for index in sorted(run.resolved.needed(run.stage.index)):
        if index in chain:
            base = resolved.images.get(index)
            if base is not None:
                hidden[f"the image of stage {run.tree.stages[index].label}"] = base
        else:
            for name, variable in resolved.finals[index].variables.items():
                if variable.depends - PLATFORM_ARGS and not is_volatile(name):
                    key = f"{name} in stage {run.tree.stages[index].label}"
                    hidden[key] = variable.value
    return Variant(build, resolved.scopes.get(run.node.start, run.scope), hidden)


_VOLATILE = words(
    "version revision rev commit sha sha1 sha256 digest hash date time timestamp epoch tag ref"
    " branch number id cachebust salt nonce token password passwd secret secrets key"
    " credentials auth proxy"
)


def is_volatile(name: str) -> bool:
    """Whether an argument says when or from what something is built, or is a secret."""
    return bool(_VOLATILE.intersection(name.lower().split("_")))


def differ(variants: Sequence[Variant], value: Callable[[Variant], Value]) -> tuple[str, ...]:
    """Return the services between which a known value differs, none where it does not."""
    by_value: dict[str, list[Variant]] = {}
    for variant in variants:
        known = value(variant)
        if known is not None:
            by_value.setdefault(known, []).append(variant)
    concerned = [variant for members in by_value.values() for variant in members]
    services = {variant.service for variant in concerned}
    if len(by_value) < 2 or len(services) < 2:
        return ()
    if len({name for _, name in services}) < 2:
        return tuple(dict.fromkeys(f"{v.build.name} of {v.build.origin}" for v in concerned))
    return tuple(dict.fromkeys(variant.build.name for variant in concerned))


def differs_unseen(
    variants: Sequence[Variant], chosen: Sequence[str], also: Sequence[str] = ()
) -> str:
    """Return what differs between builds that `chosen` variables do not tell apart.

    `also` are further variables that decide what comes out, but cannot stand in an id.
    """
    # What a workflow builds has no name of its own: it may be any of the others.
    named = [variant for variant in variants if variant.build.kind != "workflow"]
    groups: dict[tuple[Value, ...], list[Variant]] = {}
    for variant in named or variants:
        groups.setdefault(tuple(map(variant.value, chosen)), []).append(variant)
    for members in groups.values():
        for what in dict.fromkeys(what for variant in members for what in variant.hidden):
            names = differ(members, lambda variant, what=what: variant.hidden.get(what))  # type: ignore[misc]
            if names:
                return f"{what} differs between {listed(names)}"
        for name in also:
            names = differ(members, lambda variant, name=name: variant.value(name))  # type: ignore[misc]
            if names:
                return f"{name} differs between {listed(names)}"
    return ""


def from_builds(run: RunContext) -> Service | None:
    """Return the name of the services that build the same, or what their names share."""
    builds = [build for build in run.builds if build.kind != "workflow"]
    names = dict.fromkeys(filter(None, map(_name, builds)))
    without_bases = [name for name in names if not _BASES.issuperset(parts_of(name))]
    shown = tuple(without_bases or names)
    origins = ", ".join(dict.fromkeys(build.origin for build in builds))
    if len(shown) == 1:
        return Service(shown[0], f"service {shown[0]} of {origins} builds it")
    common = _common_parts(shown, run.settings.project)
    if common:
        return Service(common, f"{listed(shown)} of {origins} build the same")
    return None


def _name(build: Build) -> str:
    """Return what a build is called, ``""`` where that says nothing of a service."""
    if build.kind == "bake":
        if build.name.startswith("_"):
            return ""
        if (_PLAIN_TARGETS | FLAVOURS).issuperset(parts_of(build.name)):
            return ""
    return service_name(build.name)


def _common_parts(names: Sequence[str], project: str) -> str:
    """Return the whole parts that all names have in common, in the order of the first."""
    if not names:
        return ""
    split = [parts_of(name) for name in names]
    common = [
        part
        for part in dict.fromkeys(split[0])
        if all(part in parts for parts in split[1:]) and not part.isdigit()
    ]
    # What is left must name something: not the project, not a flavour of whatever.
    telling = set(common) - set(parts_of(project)) - FLAVOURS - _PLAIN_PARTS
    return "-".join(common) if telling else ""
