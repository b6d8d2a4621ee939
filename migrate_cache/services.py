"""Which service does a build output belong to?

The answer tells apart the builds whose output differs, and nothing else. The evidence is
asked for in a fixed order: configuration, build arguments that the RUN uses, compose and
bake, the command, the file's name, the folder, the project's name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from migrate_cache import commands as shell
from migrate_cache.builds.model import Build
from migrate_cache.commands import Command
from migrate_cache.cst import Dockerfile, Run, Stage
from migrate_cache.scope import PLATFORM_ARGS, Resolved, Scope
from migrate_cache.words import variables

# Names that say of a build argument that it names the service; the clearest first.
SERVICE_NAMES = (
    "SERVICE", "SERVICE_NAME", "APP", "APP_NAME", "APPLICATION", "COMPONENT", "BIN", "BIN_NAME",
    "BINARY", "BINARY_NAME", "CRATE", "CRATE_NAME", "PACKAGE", "PACKAGE_NAME", "PKG", "MODULE",
    "MODULE_NAME", "PROJECT", "PROJECT_NAME", "WORKSPACE",
)  # fmt: skip

FLAVOURS = frozenset(
    """
    debian ubuntu alpine slim bookworm bullseye trixie buster jammy noble focal fedora rocky centos
    rhel ubi ubi8 ubi9 wolfi chainguard distroless scratch static musl glibc gnu dynamic busybox
    dev devel develop development debug local prod production release staging stage test tests
    testing ci cd e2e bench build builder base runtime run cross multi multiarch multistage
    optimized optimised fast min minimal full lite amd64 arm64 arm armv6 armv7 armhf aarch64 x86
    x64 i386 ppc64le s390x riscv64 linux windows win darwin cpu gpu cuda rocm docker container
    image nightly stable latest legacy old new root nonroot rootless
    """.split()
)  # fmt: skip
GENERIC_FOLDERS = frozenset(
    """
    docker dockerfile dockerfiles build builds builder deploy deployment deployments infra
    infrastructure images image containers container ci .ci .github .gitlab .circleci
    .devcontainer .docker ops devops tools scripts hack packaging package release compose src
    source services service apps app cmd crates packages projects libs examples example etc
    """.split()
)

_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_VERSION = re.compile(r"v?\d+([._]\d+)*")
_SHELL_VARIABLE = re.compile(r"\$(?:\{(\w+)|(\w+))")


@dataclass(frozen=True, slots=True)
class Service:
    """Whose output it is.

    `text` goes into an id: a name, or build arguments such as ``${SERVICE}``. `values` are
    what it is known to become, empty where only a build knows. `evidence` says why.
    """

    text: str
    evidence: str
    values: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    @property
    def is_variable(self) -> bool:
        """Whether the text stands for several services."""
        return "$" in self.text


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: what was considered, and why it does not do."""

    considered: str


@dataclass(frozen=True)
class Site:
    """A RUN and all that tells for whom it runs."""

    path: str
    tree: Dockerfile
    stage: Stage
    run: Run
    scope: Scope
    resolved: Resolved
    commands: tuple[Command, ...]
    builds: tuple[Build, ...]
    project: str
    configured: str = ""
    used: tuple[str, ...] = field(default=())

    def seen(self) -> frozenset[str]:
        """Return the build arguments that this RUN's stage sees."""
        names: set[str] = set()
        for variable in self.scope.variables.values():
            names |= variable.depends
        for index in self.resolved.chain(self.stage.index):
            from_ = self.tree.stages[index].from_
            scope = self.resolved.scopes[from_.start]
            for name in variables(from_.words[0]) if from_.words else ():
                if name in scope.variables:
                    names |= scope.variables[name].depends
        return frozenset(names - PLATFORM_ARGS)


Value = str | None


def clean_name(name: str) -> str:
    """Reduce a name to what an id may hold: ``[a-z0-9._-]``."""
    return _UNSAFE.sub("-", name.lower()).strip("-._")


def builds_of(path: str, stage: Stage, tree: Dockerfile, resolved: Resolved, builds: Iterable[Build]) -> tuple[Build, ...]:
    """Return the declared builds that run this stage."""
    stages = tree.stages
    by_name = {known.name: known.index for known in stages if known.name}
    found = []
    for build in builds:
        if build.dockerfile != path:
            continue
        if build.target is None:
            wanted: Iterable[int] = range(len(stages))
        elif not build.target:
            wanted = (stages[-1].index,)
        elif build.target.lower() in by_name:
            wanted = (by_name[build.target.lower()],)
        elif build.target.isdigit() and int(build.target) < len(stages):
            wanted = (int(build.target),)
        else:
            continue
        if any(stage.index in resolved.needed(index) for index in wanted):
            found.append(build)
    return tuple(found)


def tell(site: Site) -> Service | Unknown:
    """Return the service of a RUN's output."""
    if site.configured:
        return Service(site.configured, "the configuration says so")
    considered: list[str] = []
    distinct = _distinct(site)
    for evidence in (_from_arguments, _from_builds, _from_command):
        answer = evidence(site, distinct)
        if isinstance(answer, Service):
            return answer
        if answer is not None:
            considered.append(answer.considered)
            if evidence is _from_arguments:
                return answer
    for evidence_of_path in (_from_file_name, _from_folder):
        answer = evidence_of_path(site.path)
        if answer is not None:
            return answer
    project = clean_name(site.project)
    if project:
        return Service(project, f"the project is called {project}")
    return Unknown("; ".join(considered) or "neither build arguments nor names tell it")


# -- build arguments -------------------------------------------------------------------------


def _distinct(site: Site) -> list[tuple[Mapping[str, Value], tuple[str, ...]]]:
    """Return the different builds of the stage: the arguments it sees, and who builds so."""
    seen = site.seen()
    groups: dict[tuple[tuple[str, Value], ...], list[str]] = {}
    for build in site.builds:
        given = dict(build.args)
        values = tuple(
            (name, given[name] if name in given else _default(site, name)) for name in sorted(seen)
        )
        names = groups.setdefault(values, [])
        if build.name not in names:
            names.append(build.name)
    return [(dict(values), tuple(names)) for values, names in groups.items()]


def _default(site: Site, name: str) -> Value:
    variable = site.scope.variables.get(name)
    return variable.value if variable else None


def used_variables(site: Site) -> tuple[str, ...]:
    """Return the variables in scope that the RUN's own text uses, in order of appearance."""
    text = " ".join(site.run.exec_form) if site.run.exec_form is not None else site.run.script
    found: dict[str, None] = {}
    for match in _SHELL_VARIABLE.finditer(text):
        name = match[1] or match[2]
        if name in site.scope.variables and name not in PLATFORM_ARGS:
            found[name] = None
    for mount in site.run.mounts:
        for name in variables(mount.target):
            if name in site.scope.variables and name not in PLATFORM_ARGS:
                found[name] = None
    return tuple(found)


def undeclared_arguments(site: Site) -> tuple[str, ...]:
    """Return the global build arguments that the RUN uses and its stage does not repeat."""
    declared = {word.partition("=")[0] for arg in site.tree.global_args for word in arg.words}
    found: dict[str, None] = {}
    for match in _SHELL_VARIABLE.finditer(site.run.script):
        name = match[1] or match[2]
        if name in declared and name not in site.scope.variables and name in SERVICE_NAMES:
            found[name] = None
    return tuple(found)


def _from_arguments(
    site: Site, distinct: list[tuple[Mapping[str, Value], tuple[str, ...]]]
) -> Service | Unknown | None:
    used = [name for name in used_variables(site) if site.scope.variables[name].depends]
    if not used and any(shell.is_opaque(command) for command in site.commands):
        # A script reads its arguments from the environment.
        used = [
            name
            for name, variable in site.scope.variables.items()
            if variable.depends - PLATFORM_ARGS
            and (name in SERVICE_NAMES or _varies(site, name, distinct))
        ]
    if not used:
        return None
    varying = [name for name in used if _varies(site, name, distinct)]
    if varying:
        chosen = _telling_apart(site, varying, distinct)
        if chosen is None:
            return Unknown(f"several build arguments differ between services: {', '.join(varying)}")
        values = frozenset(
            filter(None, (_value(site, chosen, arguments) for arguments, _ in distinct))
        )
        names = tuple(name for _, group in distinct for name in group)
        return Service(
            "-".join(f"${{{name}}}" for name in chosen),
            f"build argument {' and '.join(chosen)} differs between {_listed(names)}",
            values,
            names,
        )
    by_name = _by_name(site, used)
    if not by_name:
        return None
    if len(by_name) > 2:
        return Unknown(f"several build arguments could name it: {', '.join(by_name)}")
    values = frozenset(
        filter(None, (_value(site, tuple(by_name), arguments) for arguments, _ in distinct))
    )
    return Service(
        "-".join(f"${{{name}}}" for name in by_name),
        f"build argument {' and '.join(by_name)}, which the RUN uses",
        values,
    )


def _by_name(site: Site, used: Sequence[str]) -> list[str]:
    """Return the arguments whose name or use says that they name the service."""
    selecting = [
        name
        for command in site.commands
        for word in _selected(command)
        for name in variables(word)
        if name in used
    ]
    if selecting:
        return list(dict.fromkeys(selecting))
    named = [name for name in SERVICE_NAMES if name in used]
    return named[:1]


def _varies(
    site: Site, name: str, distinct: list[tuple[Mapping[str, Value], tuple[str, ...]]]
) -> bool:
    return len({_projection(site, name, arguments) for arguments, _ in distinct}) > 1


def _projection(site: Site, name: str, arguments: Mapping[str, Value]) -> tuple[Value, ...]:
    depends = site.scope.variables[name].depends - PLATFORM_ARGS
    return tuple(arguments.get(argument) for argument in sorted(depends))


def _telling_apart(
    site: Site,
    varying: Sequence[str],
    distinct: list[tuple[Mapping[str, Value], tuple[str, ...]]],
) -> tuple[str, ...] | None:
    """Return the fewest variables that differ wherever any of `varying` differs."""
    ranked = sorted(
        varying,
        key=lambda name: (
            SERVICE_NAMES.index(name) if name in SERVICE_NAMES else len(SERVICE_NAMES),
            varying.index(name),
        ),
    )[:6]
    all_different = len(
        {tuple(_projection(site, name, arguments) for name in ranked) for arguments, _ in distinct}
    )
    for size in (1, 2, 3):
        for chosen in combinations(ranked, size):
            kinds = {
                tuple(_projection(site, name, arguments) for name in chosen)
                for arguments, _ in distinct
            }
            if len(kinds) == all_different:
                return chosen
    return None


def _value(site: Site, names: Sequence[str], arguments: Mapping[str, Value]) -> Value:
    parts = []
    for name in names:
        depends = site.scope.variables[name].depends
        value = arguments.get(name) if depends == {name} else None
        if value is None:
            return None
        parts.append(value)
    return "-".join(parts)


# -- compose and bake ------------------------------------------------------------------------


def _from_builds(
    site: Site, distinct: list[tuple[Mapping[str, Value], tuple[str, ...]]]
) -> Service | None:
    if not distinct:
        return None
    names = tuple(dict.fromkeys(clean_name(name) for _, group in distinct for name in group))
    origins = ", ".join(dict.fromkeys(build.origin for build in site.builds))
    if len(names) == 1 and names[0]:
        return Service(names[0], f"service {names[0]} of {origins} builds it", names=names)
    common = _common_parts(names)
    if common:
        return Service(common, f"{_listed(names)} of {origins} build the same", names=names)
    return None


def _common_parts(names: Sequence[str]) -> str:
    """Return the whole parts that all names have in common, in the order of the first."""
    split = [re.split(r"[-._]", name) for name in names]
    others = [set(parts) for parts in split[1:]]
    return "-".join(
        part
        for part in dict.fromkeys(split[0])
        if part and all(part in parts for parts in others) and not part.isdigit()
    )


def _listed(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    if len(shown) > 4:
        return f"{', '.join(shown[:3])} and {len(shown) - 3} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


# -- the command -----------------------------------------------------------------------------


def _selected(command: Command) -> tuple[str, ...]:
    """Return what a command says that it builds, variables as written."""
    program, arguments = shell.canonical(command)
    clean = Command(program, arguments, command.environment, command.path)
    match program:
        case "cargo":
            return shell.options(clean, "--bin") or shell.options(clean, "-p", "--package")
        case "go":
            if arguments[:1] not in (("build",), ("install",)):
                return ()
            places = [word for word in arguments[1:] if word.startswith(("./", "../")) and word not in ("./...", "./")]
            return tuple(posixpath.basename(word.rstrip("/")) for word in places)
        case "mvn":
            return tuple(
                part.rpartition(":")[2].rpartition("/")[2]
                for value in shell.options(clean, "-pl", "--projects")
                for part in value.split(",")
            )
        case "npm" | "pnpm" | "yarn" | "turbo" | "nx":
            chosen = shell.options(clean, "--filter", "-F", "--workspace", "-w", "--scope")
            return tuple(value.strip(".{}^").rpartition("/")[2] for value in chosen)
        case "dotnet":
            if arguments[:1] in (("publish",), ("build",)):
                return tuple(
                    posixpath.basename(word).removesuffix(".csproj")
                    for word in arguments[1:]
                    if word.endswith(".csproj")
                )
        case "gradle":
            return tuple(
                word.split(":")[-2]
                for word in arguments
                if word.count(":") >= 2 and not word.startswith("-")
            )
    return ()


def _from_command(
    site: Site, distinct: list[tuple[Mapping[str, Value], tuple[str, ...]]]
) -> Service | Unknown | None:
    del distinct
    things: dict[str, None] = {}
    fixed = site.scope.environment()
    for command in site.commands:
        for word in _selected(command):
            if variables(word) - fixed.keys():
                continue
            expanded = site.scope.expand(word).text
            if expanded and (name := clean_name(expanded)):
                things[name] = None
    if len(things) > 1:
        return Unknown(f"the command builds several things: {_listed(tuple(things))}")
    if not things:
        return None
    (thing,) = things
    suffix = _from_file_name(site.path)
    if suffix and thing != suffix.text and thing.endswith(("-" + suffix.text, "_" + suffix.text)):
        return Service(suffix.text, f"{suffix.evidence}, and the command builds {thing}")
    return Service(thing, f"the command builds {thing}")


# -- file, folder ----------------------------------------------------------------------------


def _without_flavours(text: str) -> str:
    parts = re.split(r"[-._]", text.lower())
    kept = [part for part in parts if part and part not in FLAVOURS and not _VERSION.fullmatch(part)]
    return clean_name("-".join(kept))


def _from_file_name(path: str) -> Service | None:
    name = posixpath.basename(path)
    match = re.fullmatch(r"(?:dockerfile|containerfile)[-._](.+)", name, re.IGNORECASE)
    match = match or re.fullmatch(r"(.+)[-._](?:dockerfile|containerfile)", name, re.IGNORECASE)
    service = _without_flavours(match[1]) if match else ""
    return Service(service, f"the file is called {name}") if service else None


def _from_folder(path: str) -> Service | None:
    for folder in reversed(posixpath.dirname(path).split("/")):
        if folder and folder.lower() not in GENERIC_FOLDERS:
            service = _without_flavours(folder)
            if service:
                return Service(service, f"the folder is called {folder}")
    return None
