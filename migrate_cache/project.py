"""From the files of a project to a plan: pure, and the one path behind the command.

    bytes -> trees -> uses -> graph -> codemods decide -> edits -> new text -> safety net
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrate_cache.config import Settings
from migrate_cache.edits import (
    CacheInfo,
    CacheUser,
    Change,
    FileResult,
    Note,
    Outcome,
    ProjectResult,
    Warn,
    apply_edits,
)
from migrate_cache.errors import MigrateError, ParseError, SafetyError
from migrate_cache.source import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from migrate_cache.builds.model import Build
    from migrate_cache.codemods.context import Context, Insertion
    from migrate_cache.cst import Dockerfile
    from migrate_cache.graph import File, Use
    from migrate_cache.ignores import Ignore

Refused = frozenset[tuple[str, int, str]]

_REWRITES = ("MC101", "MC102", "MC103", "MC104")
_MOST_PASSES = 5
_HELD_BY_SAFETY = "the safety net refused the result"


@dataclass(frozen=True, slots=True)
class Input:
    """One Dockerfile of the project.

    `path` is relative to the root, with forward slashes. `data` is None where the file
    cannot be read, for the `problem`. A file that is not `writable` is read for the graph
    only, for the reason `held_by`.
    """

    path: str
    data: bytes | None
    problem: str = ""
    writable: bool = True
    held_by: str = ""


# -- the byte scan -----------------------------------------------------------------------

_NOISE = b"\\`\"' \t\r\n\v\f"
_COMMENT_LINE = re.compile(rb"\n[ \t\v\f\r\x80-\xff]*#[^\n]*")
_TYPE = re.compile(rb"type=(?:cache|[^,]*\$)")


def has_cache_mount(data: bytes) -> bool:
    """Tell whether a file may have a cache mount, without parsing it.

    It sees through quotes, escapes, continuations, comments between continued lines and
    letter case, so it misses none; it may take other text for one.
    """
    if b"-" not in data:
        return False
    return _looks_like_cache(data) or (
        b"#" in data and _looks_like_cache(_COMMENT_LINE.sub(b"\n", b"\n" + data))
    )


def _looks_like_cache(data: bytes) -> bool:
    squeezed = data.translate(None, _NOISE).lower()
    return b"--mount=" in squeezed and _TYPE.search(squeezed) is not None


# -- planning ----------------------------------------------------------------------------


def plan(
    inputs: Sequence[Input],
    settings: Settings | None = None,
    *,
    root_name: str = "",
    build_files: Mapping[str, bytes] | None = None,
    refused: Refused = frozenset(),
) -> ProjectResult:
    """Plan the migration of a project; nothing is read or written.

    `root_name` is the name of the root folder, the last evidence for a service.
    `build_files` are the compose, bake, workflow and ``.env`` files by path. `refused` are
    changes (path, line, rule) that must not be made: the others are planned without them.
    """
    settings = settings or Settings()
    ordered = sorted(inputs, key=lambda item: item.path)
    errors: dict[str, MigrateError] = {}
    for _ in range(_MOST_PASSES):
        result, unsafe = _Planner(ordered, settings, root_name, build_files or {}, refused).run()
        if not unsafe:
            return _with_errors(result, errors)
        errors |= unsafe
        # A refused file takes part in caches with others: plan the others without it.
        ordered = [
            replace(item, writable=False, held_by=_HELD_BY_SAFETY) if item.path in errors else item
            for item in ordered
        ]
    return _with_errors(result, {file.path: errors.get(file.path) for file in result.files})


def _with_errors(
    result: ProjectResult, errors: Mapping[str, MigrateError | None]
) -> ProjectResult:
    """Return a plan in which the files that `errors` names stay as they are."""
    files = tuple(
        replace(file, after=file.before, changes=(), error=errors[file.path] or file.error)
        if file.path in errors
        else file
        for file in result.files
    )
    return replace(result, files=files)


def migrate(
    files: Mapping[str, bytes | str],
    settings: Settings | None = None,
    *,
    build_files: Mapping[str, bytes] | None = None,
    root_name: str = "",
) -> ProjectResult:
    """Plan the migration of Dockerfiles that are given by path, relative to a common root.

    The pure function behind the command. `build_files` are compose, bake and workflow
    files, from which services are read. `FileResult.after` is the new text of each file.
    """
    inputs = [
        Input(path, encode(data) if isinstance(data, str) else data)
        for path, data in files.items()
    ]
    return plan(inputs, settings, root_name=root_name, build_files=build_files)


@dataclass
class _Read:
    """The project after reading: trees where there are any, else what is wrong."""

    files: list[File] = field(default_factory=list)
    errors: dict[str, MigrateError] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


class _Planner:
    """Plans once."""

    def __init__(
        self,
        inputs: Sequence[Input],
        settings: Settings,
        root_name: str,
        build_files: Mapping[str, bytes],
        refused: Refused,
    ) -> None:
        self.inputs = inputs
        self.settings = settings
        self.root_name = root_name
        self.build_files = build_files
        self.refused = refused
        self.texts: dict[str, str] = {}
        self.builds: tuple[Build, ...] = ()
        self.warnings: tuple[Warn, ...] = ()

    def run(self) -> tuple[ProjectResult, dict[str, MigrateError]]:
        read = self._read()
        if not read.files:
            return self._result(read, None, {}), {}
        self._read_builds()
        ignores = self._ignores(read)
        context = self._decide(read, ignores)
        seen = self._seen_without_ignores(read, ignores)
        files: dict[str, FileResult] = {}
        unsafe: dict[str, MigrateError] = {}
        for file in read.files:
            result = self._file(file, context, ignores.get(file.path, ()), seen)
            files[file.path] = result
            if isinstance(result.error, SafetyError):
                unsafe[file.path] = result.error
        if not unsafe:
            unsafe = self._second_run(files)
        return self._result(read, context, files), unsafe

    # -- reading ------------------------------------------------------------------------

    def _read(self) -> _Read:
        read = _Read()
        for item in self.inputs:
            if item.data is None:
                read.errors[item.path] = ParseError(
                    item.problem or "the file cannot be read", path=item.path
                )
                continue
            self.texts[item.path] = decode(item.data)
            if not has_cache_mount(item.data):
                continue
            self._parse(item, read)
        return read

    def _parse(self, item: Input, read: _Read) -> None:
        from migrate_cache.graph import File
        from migrate_cache.parse import parse
        from migrate_cache.scope import resolve

        text = self.texts[item.path]
        try:
            tree = parse(text, item.path)
        except ParseError as error:
            read.errors[item.path] = error
            read.unread[item.path] = text
            return
        read.files.append(File(item.path, tree, resolve(tree), self._held(item)))

    def _held(self, item: Input) -> str:
        if not item.writable:
            return item.held_by or "the file is not to be written"
        return ""

    def _read_builds(self) -> None:
        if not self.build_files:
            return
        from pathlib import Path

        from migrate_cache.builds import read_builds

        found = read_builds(Path(), sorted(self.build_files), self.build_files.get)
        self.builds = found.builds
        self.warnings = found.warnings

    def _ignores(self, read: _Read) -> dict[str, tuple[Ignore, ...]]:
        from migrate_cache.ignores import read_ignores

        return {
            file.path: found
            for file in read.files
            if "migrate-cache:" in self.texts[file.path].lower()
            and (found := read_ignores(file.tree))
        }

    # -- deciding -----------------------------------------------------------------------

    @property
    def project(self) -> str:
        """The project's name: from the configuration, a compose file, or the root folder."""
        if self.settings.project:
            return self.settings.project
        named = {
            (build.origin.count("/"), build.project) for build in self.builds if build.project
        }
        nearest = {name for depth, name in named if depth == min(named)[0]}
        # Compose files that disagree name no project.
        return nearest.pop() if len(nearest) == 1 else self.root_name

    def _decide(self, read: _Read, ignores: Mapping[str, Sequence[Ignore]]) -> Context:
        from migrate_cache.catalog import load_catalog
        from migrate_cache.codemods import CODEMODS
        from migrate_cache.codemods.context import Context
        from migrate_cache.graph import build_graph, uses_of

        catalog = load_catalog(self.settings.caches)
        uses: list[Use] = []
        for file in read.files:
            uses.extend(uses_of(file, catalog, self.builds))
        context = Context(
            build_graph(read.files, uses, read.unread), self.settings, self.project, self.builds
        )
        for use in uses:
            self._hold(context, use, ignores.get(use.path, ()))
        for codemod in CODEMODS:
            for item in codemod(context):
                context.add(item)
        return context

    def _hold(self, context: Context, use: Use, ignores: Sequence[Ignore]) -> None:
        """Write down what may not be done to a mount, and why."""
        override = context.override(use.path)
        if not use.held and override and override.skip:
            use.held = "the configuration skips this file"
        for ignore in ignores:
            if ignore.start in (None, use.instruction.start):
                for code in ignore.codes or ("",):
                    use.refusals[code] = f"ignored by the comment in line {ignore.line}"
        for rule in _REWRITES:
            if (use.path, use.line, rule) in self.refused:
                use.refusals[rule] = "refused"
            if not _selected(rule, self.settings):
                use.refusals[rule] = f"{rule} is not selected"

    def _seen_without_ignores(
        self, read: _Read, ignores: Mapping[str, Sequence[Ignore]]
    ) -> dict[str, set[tuple[str, int]]]:
        """Return, by file, which rules speak of which instruction when nothing is ignored."""
        if not ignores:
            return {}
        context = self._decide(read, {})
        seen: dict[str, set[tuple[str, int]]] = {}
        for decision in context.decisions.values():
            use = decision.use
            if decision.changes or _is_noteworthy(decision.rule):
                seen.setdefault(use.path, set()).add((decision.rule, use.instruction.start))
        for insertion in context.insertions:
            seen.setdefault(insertion.file.path, set()).add(
                (insertion.rule, insertion.before.start)
            )
        trees = {file.path: file.tree for file in read.files}
        for remark in context.remarks:
            start = _instruction_start(trees[remark.path], remark.line)
            seen.setdefault(remark.path, set()).add((remark.rule, start))
        return seen

    # -- one file -----------------------------------------------------------------------

    def _file(
        self,
        file: File,
        context: Context,
        ignores: Sequence[Ignore],
        seen: Mapping[str, set[tuple[str, int]]],
    ) -> FileResult:
        from migrate_cache.codemods.changes import changes_of
        from migrate_cache.safety import check_result

        before = self.texts[file.path]
        insertions = [item for item in context.insertions if item.file.path == file.path]
        decisions = {
            id(use.mount): context.decisions[id(use)]
            for use in context.graph.uses_in_file.get(file.path, ())
        }
        changes = changes_of(file, decisions.values(), insertions)
        notes = tuple(
            note
            for note in self._notes(file, context)
            if not any(
                ignore.covers(note.rule, _instruction_start(file.tree, note.line))
                for ignore in ignores
            )
        ) + tuple(_unused(ignores, seen.get(file.path, set())))
        notes = tuple(
            sorted(
                (note for note in notes if _selected(note.rule, self.settings)),
                key=lambda note: (note.line, note.column, note.rule),
            )
        )
        after = apply_edits(before, (edit for change in changes for edit in change.edits))
        error: MigrateError | None = None
        if after != before:
            try:
                check_result(file.tree, after, decisions, insertions)
            except SafetyError as refused:
                error = refused
        return FileResult(file.path, before, before if error else after, changes, notes, error)

    def _notes(self, file: File, context: Context) -> Iterator[Note]:
        for use in context.graph.uses_in_file.get(file.path, ()):
            decision = context.decisions[id(use)]
            if not decision.changes and _is_noteworthy(decision.rule):
                yield Note(
                    decision.rule, use.line, use.column, decision.reason, decision.evidence
                )
        for remark in context.remarks:
            if remark.path == file.path:
                yield Note(remark.rule, remark.line, remark.column, remark.reason)

    # -- the whole ----------------------------------------------------------------------

    def _second_run(self, files: Mapping[str, FileResult]) -> dict[str, MigrateError]:
        """Plan again over the new texts: whatever would change once more is refused."""
        # After a refusal there may be more to do, and lines have moved.
        if self.refused or not any(result.changed for result in files.values()):
            return {}
        inputs = [
            replace(item, data=encode(files[item.path].after)) if item.path in files else item
            for item in self.inputs
        ]
        again = _Planner(inputs, self.settings, self.root_name, self.build_files, frozenset())
        again.builds = self.builds
        read = again._read()
        context = again._decide(read, again._ignores(read))
        unstable = {
            decision.use.path for decision in context.decisions.values() if decision.changes
        } | {insertion.file.path for insertion in context.insertions}
        return {
            path: SafetyError(
                "the safety net refused the result: a second run would change it again",
                path=path,
                hint="the file is untouched; this is a bug of migrate-cache, please report it",
            )
            for path in sorted(unstable)
        }

    def _result(
        self, read: _Read, context: Context | None, files: Mapping[str, FileResult]
    ) -> ProjectResult:
        results = []
        for item in self.inputs:
            if not item.writable and item.held_by != _HELD_BY_SAFETY:
                continue
            text = self.texts.get(item.path, "")
            results.append(
                files.get(item.path)
                or FileResult(item.path, text, text, error=read.errors.get(item.path))
            )
        return ProjectResult(
            self.root_name,
            tuple(results),
            tuple(_outcomes(context)) if context else (),
            tuple(_caches(context)) if context else (),
            self.warnings,
        )


def _selected(rule: str, settings: Settings) -> bool:
    if settings.select and not rule.startswith(settings.select):
        return rule.startswith("MC9")
    return not (settings.ignore and rule.startswith(settings.ignore))


def _is_noteworthy(rule: str) -> bool:
    return not rule.startswith("MC1")


def _instruction_start(tree: Dockerfile, line: int) -> int:
    for instruction in tree.instructions:
        if instruction.start_line <= line <= instruction.end_line:
            return instruction.start
    return -1


def _unused(ignores: Sequence[Ignore], seen: set[tuple[str, int]]) -> Iterator[Note]:
    for ignore in ignores:
        if not any(ignore.covers(rule, start) for rule, start in seen):
            yield Note(
                "MC214",
                ignore.line,
                ignore.column,
                f"`{ignore.written}` does nothing any more: remove it",
            )


def _outcomes(context: Context) -> Iterator[Outcome]:
    for use in context.graph.uses:
        decision = context.decisions[id(use)]
        cache = use.match.cache
        yield Outcome(
            use.path, use.line, use.column, use.stage.label, use.mount.target, use.directory,
            cache.name if cache else "", use.kind, use.mount.cache_id, decision.id_after,
            use.mount.sharing, decision.sharing_after, decision.rule, decision.reason,
            decision.evidence,
        )  # fmt: skip


def _caches(context: Context) -> Iterator[CacheInfo]:
    from migrate_cache.codemods.outputs import service_of

    for group in context.graph.groups:
        cache = group.deciding.match.cache
        users = []
        for use in group.uses:
            decision = context.decisions[id(use)]
            users.append(
                CacheUser(
                    use.path, use.line, use.stage.label, service_of(context, use), use.mode,
                    decision.sharing_after or "shared", decision.id_after,
                )
            )  # fmt: skip
        yield CacheInfo(
            group.key.id,
            group.kind,
            cache.name if cache else "",
            tuple(dict.fromkeys(use.directory for use in group.uses)),
            tuple(users),
        )
