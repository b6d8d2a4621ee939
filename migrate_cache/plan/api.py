"""Plan the migration of a project: pure, and the only way to a plan.

    texts -> trees -> facts -> rules decide -> edits -> new texts -> safety net

What is imported at the top is all that a project without a cache mount needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrate_cache.dockerfile.prefilter import has_cache_mount
from migrate_cache.plan.model import FileResult, ProjectResult
from migrate_cache.settings import Settings
from migrate_cache.text.errors import MigrateError, ParseError
from migrate_cache.text.source import decode, encode

if TYPE_CHECKING:
    from migrate_cache.caches.facts import Project
    from migrate_cache.rules.context import Decisions, Declined

__all__ = ["Input", "has_cache_mount", "migrate", "plan"]


@dataclass(frozen=True, slots=True)
class Input:
    """One Dockerfile of the project.

    `path` is relative to the root, with forward slashes. `data` is None where the file
    cannot be read, for the `problem`. `read_only` says why the file is read for its facts
    only, ``""`` where it may be written.
    """

    path: str
    data: bytes | None
    problem: str = ""
    read_only: str = ""


def plan(
    inputs: Sequence[Input],
    settings: Settings | None = None,
    *,
    root_name: str = "",
    build_files: Mapping[str, bytes] | None = None,
    declined: Declined = frozenset(),
    parallel: Callable[..., Any] = map,
) -> ProjectResult:
    """Plan the migration of a project; nothing is read or written.

    `root_name` is the name of the root folder, the last evidence for a service.
    `build_files` are the compose, bake, workflow and ``.env`` files by path. `declined` are
    changes that must not be made: the others are planned without them. `parallel` maps the
    parser over many files, as the built-in does; the plan does not depend on it.
    """
    ordered = sorted(inputs, key=lambda item: item.path)
    mounting = [item for item in ordered if item.data is not None and has_cache_mount(item.data)]
    if not mounting:
        return ProjectResult(root_name, _in_order(ordered, {}))
    from migrate_cache.builds import Builds, read_builds
    from migrate_cache.caches.facts import build_project

    builds = Builds((), ())
    if build_files:
        builds = read_builds(sorted(build_files), build_files.get)
    project = build_project(
        {item.path: decode(item.data or b"") for item in mounting},
        settings or Settings(),
        builds,
        root_name=root_name,
        read_only={item.path: item.read_only for item in mounting if item.read_only},
        parallel=parallel,
    )
    refused: dict[str, MigrateError] = {}
    while True:
        result, unsafe = _plan_once(project, declined, parallel)
        if not unsafe:
            break
        # A refused file takes part in caches with others: plan the others without it.
        refused |= unsafe
        project = project.read_only(dict.fromkeys(unsafe, "the safety net refused the result"))
    planned = {
        file.path: replace(file, error=refused.get(file.path, file.error)) for file in result.files
    }
    return replace(result, root=root_name, files=_in_order(ordered, planned))


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
        Input(path, encode(data) if isinstance(data, str) else data) for path, data in files.items()
    ]
    return plan(inputs, settings, root_name=root_name, build_files=build_files)


def _plan_once(
    project: Project, declined: Declined, parallel: Callable[..., Any]
) -> tuple[ProjectResult, dict[str, MigrateError]]:
    """Return a plan, and the files whose results the safety net refuses, with the errors."""
    from migrate_cache.plan.mount_results import cache_results, mount_results
    from migrate_cache.plan.safety import second_run, verify_all
    from migrate_cache.rules.decide import decide

    decisions = decide(project, declined)
    drafts, unsafe = _drafts(project, decisions)
    failed = (
        FileResult(path, project.unread[path], project.unread[path], error=error)
        for path, error in project.errors.items()
    )
    result = ProjectResult(
        project.name,
        (*drafts, *failed),
        tuple(mount_results(project, decisions)),
        tuple(cache_results(project, decisions)),
        project.builds.warnings,
    )
    changed = {draft.path: draft.after for draft in drafts if draft.changed}
    if changed:
        after = project.with_texts(changed, parallel)
        unsafe |= verify_all(project, after, decisions)
        # After a change was declined there may be more to do, and lines have moved.
        if not unsafe and not declined:
            unsafe |= second_run(after, decide(after))
    return result, unsafe


def _drafts(
    project: Project, decisions: Decisions
) -> tuple[list[FileResult], dict[str, MigrateError]]:
    """Return what is planned for each file, and the files whose edits meet."""
    from migrate_cache.plan.render import render
    from migrate_cache.plan.safety import refused

    drafts: list[FileResult] = []
    unsafe: dict[str, MigrateError] = {}
    for file in project.files:
        try:
            drafts.append(render(file, project, decisions))
        except ValueError as error:
            text = file.tree.source.text
            drafts.append(FileResult(file.path, text, text))
            unsafe[file.path] = refused(file.path, str(error))
    return drafts, unsafe


def _unread(item: Input) -> FileResult:
    """Return the result of a file that needs no reading, or cannot be read."""
    if item.data is None:
        problem = ParseError(item.problem or "the file cannot be read", path=item.path)
        return FileResult(item.path, "", "", error=problem)
    text = decode(item.data)
    return FileResult(item.path, text, text)


def _in_order(inputs: Sequence[Input], planned: Mapping[str, FileResult]) -> tuple[FileResult, ...]:
    """Return a result for each file that may be written, those not read included."""
    return tuple(planned.get(item.path) or _unread(item) for item in inputs if not item.read_only)
