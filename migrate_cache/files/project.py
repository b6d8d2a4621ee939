"""The files of a project: found, read, planned together, written together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrate_cache.files.config_file import Root, find_root, read_config
from migrate_cache.files.discovery import Found, discover, project_root, read_file
from migrate_cache.files.paths import reason, relative, upwards
from migrate_cache.plan.api import Input, has_cache_mount, plan
from migrate_cache.plan.model import FileResult, ProjectResult
from migrate_cache.settings import Options, Settings, settings_from
from migrate_cache.text.errors import Warn, WriteError
from migrate_cache.text.source import decode, encode

if TYPE_CHECKING:
    from migrate_cache.rules.context import Declined

    # Told how many files are done, how many there are (0: not known), and what is done.
    Progress = Callable[[int, int, str], None]
    Watch = Callable[[int], AbstractContextManager[Progress]]

# Fewer files are read before other processes have started.
WORTH_PROCESSES = 400


@dataclass(frozen=True)
class ProjectFiles:
    """The files of a project, read; `errors` are those that cannot be taken or written."""

    root: Root
    settings: Settings
    found: Found
    inputs: tuple[Input, ...]
    options: Options
    watch: Watch
    errors: tuple[FileResult, ...] = ()

    def plan(self, declined: Declined = frozenset()) -> ProjectResult:
        """Plan all files together, without the changes that the user declined."""
        with self.watch(len(self.inputs)) as report:
            report(0, 0, "Planning")
            result = plan(
                self.inputs,
                self.settings,
                root_name=os.path.basename(self.root.path),
                build_files=self.found.build_files,
                declined=declined,
                parallel=process_map(self.options.jobs),
            )
        return self._completed(result)

    def writable(self, result: ProjectResult) -> ProjectFiles:
        """Return the project with what cannot be written held back, itself if all can be.

        Others may depend on what cannot change: they are to be planned again.
        """
        from migrate_cache.files.writer import refusal

        reasons = {
            file.path: reason
            for file in result.files
            if file.changed and (reason := refusal(self.real(file.path)))
        }
        inputs, errors = [], [*self.errors]
        for item in self.inputs:
            reason = reasons.get(item.path, "")
            if reason:
                text = decode(item.data or b"")
                error = WriteError(f"cannot be written: {reason}", path=item.path)
                errors.append(FileResult(item.path, text, text, error=error))
            inputs.append(replace(item, read_only=reason) if reason else item)
        return replace(self, inputs=tuple(inputs), errors=tuple(errors)) if reasons else self

    def real(self, path: str) -> str:
        """Return the file itself behind a path of the project."""
        return next(file.real for file in self.found.dockerfiles if file.path == path)

    def _completed(self, result: ProjectResult) -> ProjectResult:
        """Return a plan with what else there is to say about the project."""
        problems = sorted(self.found.build_files.problems.items())
        warnings = [Warn(path, 0, 0, f"cannot be read: {problem}") for path, problem in problems]
        if result.outcomes and self.found.tally:
            from migrate_cache.files.tally import tally_warnings

            warnings += tally_warnings(self.root.path, self.found.tally)
        files = sorted((*self.errors, *result.files), key=lambda file: file.path)
        return replace(result, files=tuple(files), warnings=(*result.warnings, *warnings))


def read(
    options: Options, given: Mapping[str, object], standard_input: bytes, watch: Watch
) -> ProjectFiles | None:
    """Find and read the files of a project.

    `given` are settings by field name, which win over the configuration file. If the Dockerfile
    comes on standard input, it is the one file to change; None if nobody asks for more than that
    file, and it has no cache mount.

    Raises:
        ConfigError: where the configuration is wrong.

    """
    if not options.from_standard_input:
        root, own = project_root(options.paths), ""
    else:
        real = os.path.realpath(options.stdin_filename or "Dockerfile")
        folders = list(upwards(os.path.dirname(real)))
        # Of a drive or share that does not exist (Windows), not even the last one is there.
        root = find_root(next(filter(os.path.isdir, folders), folders[-1]))
        own = relative(real, root.path)
    settings = _settings(options, given, root)
    if options.is_filter and not has_cache_mount(standard_input):
        return None
    found = discover(options.paths, root, settings, standard_input=own)
    inputs = []
    with watch(len(found.dockerfiles)) as report:
        for number, file in enumerate(found.dockerfiles, 1):
            content, problem = (standard_input, "") if file.path == own else _content(file.real)
            inputs.append(Input(file.path, content, problem, file.read_only))
            report(number, len(found.dockerfiles), "Reading")
    errors = tuple(FileResult(error.path, "", "", error=error) for error in found.errors)
    return ProjectFiles(root, settings, found, tuple(inputs), options, watch, errors)


def _settings(options: Options, given: Mapping[str, object], root: Root) -> Settings:
    configured: Mapping[str, object] = {}
    if options.config:
        configured = read_config(options.config)
    elif root.config and not options.isolated:
        configured = read_config(root.config, root=root.path)
    return settings_from(configured, given)


def _content(path: str) -> tuple[bytes | None, str]:
    """Return the bytes of a file, or None and what is wrong."""
    try:
        return read_file(path), ""
    except OSError as error:
        return None, reason(error)


def write(project: ProjectFiles, result: ProjectResult) -> ProjectResult:
    """Write what is planned, all or nothing, and return what came of it."""
    from migrate_cache.files.writer import Write, write_all

    writes = [
        Write(project.real(file.path), file.path, encode(file.before), encode(file.after))
        for file in result.files
        if file.changed
    ]
    if not writes:
        return result
    message = "the file has another name (a hard link), which keeps the old text"
    linked = [Warn(write.name, 0, 0, message) for write in writes if _has_other_names(write.path)]
    result = replace(result, warnings=(*result.warnings, *linked))
    try:
        write_all(writes, project.root.path)
    except WriteError as error:
        return _undone(result, error)
    return result


def process_map(jobs: int) -> Callable[..., Iterable[Any]]:
    """Return a map that uses `jobs` processes where that is faster, 0 for one a processor."""
    processes = jobs or os.cpu_count() or 1

    def mapped(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
        given = list(items)
        if processes < 2 or len(given) < WORTH_PROCESSES:
            return map(function, given)
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        try:
            with ProcessPoolExecutor(processes) as pool:
                return list(pool.map(function, given, chunksize=50))
        except (OSError, BrokenProcessPool):
            # No processes to be had: one file after the other.
            return map(function, given)

    return mapped


def _has_other_names(path: str) -> bool:
    try:
        return os.stat(path).st_nlink > 1
    except OSError:  # gone meanwhile: the writer says so
        return False


def _undone(result: ProjectResult, error: WriteError) -> ProjectResult:
    """Return the result of a run whose changes could not be written: nothing changed."""
    files = []
    for file in result.files:
        own = file.error
        if file.changed:
            other = f"was not written, because {error.path} could not be"
            own = error if file.path == error.path else WriteError(other, path=file.path)
        files.append(replace(file, after=file.before, changes=(), error=own))
    if error.path not in {file.path for file in files}:
        files.append(FileResult(error.path, "", "", error=error))
    outcomes = [
        replace(one, id_after=one.id_before, sharing_after=one.sharing_before)
        for one in result.outcomes
    ]
    caches = [
        replace(
            cache,
            users=tuple(
                replace(user, mode_after=user.mode_before, id_after=cache.id)
                for user in cache.users
            ),
        )
        for cache in result.caches
    ]
    return replace(result, files=tuple(files), outcomes=tuple(outcomes), caches=tuple(caches))
