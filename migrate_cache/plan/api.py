"""From the files of a project to a plan: pure, and the one path behind the command.

    bytes -> trees -> uses -> graph -> codemods decide -> edits -> new text -> safety net

What is imported at the top is all that a project without a cache mount needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrate_cache.dockerfile.prefilter import has_cache_mount
from migrate_cache.plan.model import FileResult, ProjectResult
from migrate_cache.settings import Settings
from migrate_cache.text.errors import MigrateError, ParseError
from migrate_cache.text.source import decode, encode

__all__ = ["Input", "Refused", "has_cache_mount", "migrate", "plan"]

# Changes that the user said no to: path, line, rule.
Refused = frozenset[tuple[str, int, str]]

_MOST_PASSES = 5


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


def plan(
    inputs: Sequence[Input],
    settings: Settings | None = None,
    *,
    root_name: str = "",
    build_files: Mapping[str, bytes] | None = None,
    refused: Refused = frozenset(),
    jobs: int = 1,
) -> ProjectResult:
    """Plan the migration of a project; nothing is read or written.

    `root_name` is the name of the root folder, the last evidence for a service.
    `build_files` are the compose, bake, workflow and ``.env`` files by path. `refused` are
    changes that must not be made: the others are planned without them. `jobs` processes
    read files, 0 for one on each processor; the plan does not depend on it.
    """
    ordered = sorted(inputs, key=lambda item: item.path)
    if not any(item.data is not None and has_cache_mount(item.data) for item in ordered):
        return ProjectResult(root_name, tuple(_unread(item) for item in ordered if item.writable))
    from migrate_cache.plan.planner import Planner

    planner = Planner(ordered, settings or Settings(), root_name, build_files or {}, refused, jobs)
    errors: dict[str, MigrateError] = {}
    for _ in range(_MOST_PASSES):
        result, unsafe = planner.run(held=errors)
        if not unsafe:
            return _in_order(ordered, _with_errors(result, errors))
        # A refused file takes part in caches with others: plan the others without it.
        errors |= unsafe
    nothing = {file.path: errors.get(file.path) for file in result.files}
    return _in_order(ordered, _with_errors(result, nothing))


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


def _unread(item: Input) -> FileResult:
    """Return the result of a file that needs no reading, or cannot be read."""
    if item.data is None:
        problem = ParseError(item.problem or "the file cannot be read", path=item.path)
        return FileResult(item.path, "", "", error=problem)
    text = decode(item.data)
    return FileResult(item.path, text, text)


def _in_order(inputs: Sequence[Input], result: ProjectResult) -> ProjectResult:
    """Return a plan with a result for each file that may be written, those not read included."""
    planned = {file.path: file for file in result.files}
    files = (planned.get(item.path) or _unread(item) for item in inputs if item.writable)
    return replace(result, files=tuple(files))


def _with_errors(result: ProjectResult, errors: Mapping[str, MigrateError | None]) -> ProjectResult:
    """Return a plan in which the files that `errors` names stay as they are."""
    files = tuple(
        replace(file, after=file.before, changes=(), error=errors[file.path] or file.error)
        if file.path in errors
        else file
        for file in result.files
    )
    return replace(result, files=files)
