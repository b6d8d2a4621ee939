"""Planning a project that has cache mounts; see `migrate_cache.plan.api`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_cache.builds import Builds, read_builds
from migrate_cache.caches.entry import load_catalog
from migrate_cache.caches.graph import File, Use, build_graph, uses_of
from migrate_cache.dockerfile.prefilter import has_cache_mount
from migrate_cache.dockerfile.scope import resolve
from migrate_cache.plan.model import FileResult, Note, ProjectResult
from migrate_cache.plan.mount_results import caches, outcomes
from migrate_cache.plan.render import changes_of
from migrate_cache.plan.safety import check_result
from migrate_cache.plan.trees import Trees
from migrate_cache.rules.codemods import CODEMODS
from migrate_cache.rules.context import Context, Decision, Insertion
from migrate_cache.rules.suppressions import Ignore, read_ignores
from migrate_cache.text.edit import apply_edits
from migrate_cache.text.errors import MigrateError, ParseError, SafetyError
from migrate_cache.text.source import decode

if TYPE_CHECKING:
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.plan.api import Input, Refused
    from migrate_cache.settings import Settings

_REWRITES = ("MC101", "MC102", "MC103", "MC104")
_HELD_BY_SAFETY = "the safety net refused the result"

Ignores = Mapping[str, tuple[Ignore, ...]]


@dataclass
class _Read:
    """The project after reading: trees where there are any, else what is wrong."""

    files: list[File] = field(default_factory=list)
    errors: dict[str, FileResult] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    ignores: dict[str, tuple[Ignore, ...]] = field(default_factory=dict)


class Planner:
    """Plans a project; `run` may be called again with files that are to be left alone."""

    def __init__(
        self,
        inputs: Sequence[Input],
        settings: Settings,
        root_name: str,
        build_files: Mapping[str, bytes],
        refused: Refused,
        jobs: int = 0,
    ) -> None:
        self._inputs = inputs
        self._settings = settings
        self._root_name = root_name
        self._refused = refused
        self._builds = Builds((), ())
        if build_files:
            self._builds = read_builds(Path(), sorted(build_files), build_files.get)
        self._trees = Trees(jobs)

    def run(
        self, held: Mapping[str, MigrateError]
    ) -> tuple[ProjectResult, dict[str, MigrateError]]:
        """Plan once, without the files in `held`; return also what the safety net refuses."""
        texts = {item.path: decode(item.data) for item in self._inputs if item.data is not None}
        read = self._read(texts, held)
        context = self._decide(read, read.ignores)
        seen = self._seen_without_ignores(read)
        drafts = [
            self._draft(file, context, read.ignores.get(file.path, ()), seen) for file in read.files
        ]
        self._trees.read_ahead((draft.path, draft.after) for draft in drafts if draft.changed)
        results = {
            file.path: self._checked(file, draft, context)
            for file, draft in zip(read.files, drafts, strict=True)
        }
        unsafe: dict[str, MigrateError] = {
            path: result.error
            for path, result in results.items()
            if isinstance(result.error, SafetyError)
        }
        unsafe = unsafe or self._second_run(texts, results, held)
        result = ProjectResult(
            self._root_name,
            (*results.values(), *read.errors.values()),
            tuple(outcomes(context)),
            tuple(caches(context)),
            self._builds.warnings,
        )
        return result, unsafe

    # -- reading ------------------------------------------------------------------------

    def _read(self, texts: Mapping[str, str], held: Mapping[str, MigrateError]) -> _Read:
        read = _Read()
        mounting = [
            item for item in self._inputs if item.data is not None and has_cache_mount(item.data)
        ]
        self._trees.read_ahead((item.path, texts[item.path]) for item in mounting)
        for item in mounting:
            text = texts[item.path]
            try:
                tree = self._trees.get(item.path, text)
            except ParseError as error:
                read.errors[item.path] = FileResult(item.path, text, text, error=error)
                read.unread[item.path] = text
                continue
            why = "" if item.writable else item.held_by or "the file is not to be written"
            why = _HELD_BY_SAFETY if item.path in held else why
            read.files.append(File(item.path, tree, resolve(tree), why))
            if "migrate-cache:" in text.lower():
                read.ignores[item.path] = read_ignores(tree)
        return read

    # -- deciding -----------------------------------------------------------------------

    @property
    def _project(self) -> str:
        """The project's name: from the configuration, a compose file, or the root folder."""
        if self._settings.project:
            return self._settings.project
        named = {
            (build.origin.count("/"), build.project)
            for build in self._builds.builds
            if build.project
        }
        nearest = {name for depth, name in named if depth == min(named)[0]}
        # Compose files that disagree name no project.
        return nearest.pop() if len(nearest) == 1 else self._root_name

    def _decide(self, read: _Read, ignores: Ignores) -> Context:
        catalog = load_catalog(self._settings.caches)
        builds = self._builds.builds
        uses = [use for file in read.files for use in uses_of(file, catalog, builds)]
        graph = build_graph(read.files, uses, read.unread)
        context = Context(graph, self._settings, self._project, builds)
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
            if (use.path, use.line, rule) in self._refused:
                use.refusals[rule] = "refused"
            if not _is_selected(rule, self._settings):
                use.refusals[rule] = f"{rule} is not selected"

    def _seen_without_ignores(self, read: _Read) -> dict[str, set[tuple[str, int]]]:
        """Return, by file, which rules speak of which instruction when nothing is ignored."""
        if not read.ignores:
            return {}
        context = self._decide(read, {})
        seen: dict[str, set[tuple[str, int]]] = {}

        def add(path: str, rule: str, start: int) -> None:
            seen.setdefault(path, set()).add((rule, start))

        for decision in context.decisions.values():
            if decision.changes or _is_noteworthy(decision.rule):
                add(decision.use.path, decision.rule, decision.use.instruction.start)
        for insertion in context.insertions:
            add(insertion.file.path, insertion.rule, insertion.before.start)
        trees = {file.path: file.tree for file in read.files}
        for remark in context.remarks:
            start = _instruction_start(trees[remark.path], remark.line)
            add(remark.path, remark.rule, start)
        return seen

    # -- one file -----------------------------------------------------------------------

    def _draft(
        self,
        file: File,
        context: Context,
        ignores: Sequence[Ignore],
        seen: Mapping[str, set[tuple[str, int]]],
    ) -> FileResult:
        """Return what is planned for a file, before the safety net has seen it."""
        before = file.tree.source.text
        changes = changes_of(file, _decisions(file, context).values(), _insertions(file, context))
        notes = [
            note
            for note in (
                *_notes_that_count(file, context, ignores),
                *_unused(ignores, seen.get(file.path, set())),
            )
            if _is_selected(note.rule, self._settings)
        ]
        notes.sort(key=lambda note: (note.line, note.column, note.rule))
        after = apply_edits(before, (edit for change in changes for edit in change.edits))
        return FileResult(file.path, before, after, changes, tuple(notes))

    def _checked(self, file: File, draft: FileResult, context: Context) -> FileResult:
        """Return a draft that passed the safety net, else one that changes nothing."""
        if not draft.changed:
            return draft
        try:
            after = self._trees.get(file.path, draft.after)
            check_result(file.tree, after, _decisions(file, context), _insertions(file, context))
        except ParseError as error:
            refused = SafetyError(
                f"the safety net refused the result: it does not parse: {error.message}",
                path=file.path,
            )
            return replace(draft, after=draft.before, error=refused)
        except SafetyError as error:
            return replace(draft, after=draft.before, error=error)
        return draft

    def _second_run(
        self,
        texts: Mapping[str, str],
        results: Mapping[str, FileResult],
        held: Mapping[str, MigrateError],
    ) -> dict[str, MigrateError]:
        """Plan again over the new texts: whatever would change once more is refused."""
        # After a refusal there may be more to do, and lines have moved.
        if self._refused or not any(result.changed for result in results.values()):
            return {}
        new = {**texts, **{path: result.after for path, result in results.items()}}
        read = self._read(new, held)
        context = self._decide(read, read.ignores)
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


def _is_selected(rule: str, settings: Settings) -> bool:
    if settings.select and not rule.startswith(settings.select):
        return rule.startswith("MC9")
    return not (settings.ignore and rule.startswith(settings.ignore))


def _is_noteworthy(rule: str) -> bool:
    """Whether a decision that changes nothing is worth a note: a rewriting rule's is not."""
    return not rule.startswith("MC1")


def _decisions(file: File, context: Context) -> dict[int, Decision]:
    """Return what was decided about a file's mounts, by the identity of the mount."""
    return {
        id(use.mount): context.decisions[id(use)]
        for use in context.graph.uses_in_file.get(file.path, ())
    }


def _insertions(file: File, context: Context) -> list[Insertion]:
    return context.insertions_in.get(file.path, [])


def _notes_that_count(file: File, context: Context, ignores: Sequence[Ignore]) -> Iterator[Note]:
    for note in _notes(file, context):
        start = _instruction_start(file.tree, note.line) if ignores else -1
        if not any(ignore.covers(note.rule, start) for ignore in ignores):
            yield note


def _notes(file: File, context: Context) -> Iterator[Note]:
    for use in context.graph.uses_in_file.get(file.path, ()):
        decision = context.decisions[id(use)]
        if not decision.changes and _is_noteworthy(decision.rule):
            yield Note(decision.rule, use.line, use.column, decision.reason, decision.evidence)
    for remark in context.remarks_in.get(file.path, ()):
        yield Note(remark.rule, remark.line, remark.column, remark.reason)


def _unused(ignores: Sequence[Ignore], seen: set[tuple[str, int]]) -> Iterator[Note]:
    for ignore in ignores:
        if not any(ignore.covers(rule, start) for rule, start in seen):
            reason = f"`{ignore.written}` does nothing any more: remove it"
            yield Note("MC214", ignore.line, ignore.column, reason)


def _instruction_start(tree: Dockerfile, line: int) -> int:
    for instruction in tree.instructions:
        if instruction.start_line <= line <= instruction.end_line:
            return instruction.start
    return -1
