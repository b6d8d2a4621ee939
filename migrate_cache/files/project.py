"""The files of one run: found, read, planned together, written together."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrate_cache.cli.terminal import progress
from migrate_cache.files.config_file import Root, find_root, read_config
from migrate_cache.files.discovery import Found, discover, project_root, read
from migrate_cache.plan.model import FileResult, ProjectResult
from migrate_cache.settings import Settings, settings_from
from migrate_cache.text.errors import Warn, WriteError, display_path
from migrate_cache.text.source import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from migrate_cache.cli.options import Options
    from migrate_cache.plan.api import Input
    from migrate_cache.rules.context import Declined

__all__ = ["Job"]

# Fewer files are read before other processes have started.
WORTH_PROCESSES = 400


class Job:
    """The files and settings of one run, and what is planned and written from them."""

    def __init__(self, options: Options, given: Mapping[str, object]) -> None:
        self.options = options
        self.given = given
        self.root = Root("")
        self.settings = Settings()
        self.found: Found | None = None
        self.inputs: tuple[Input, ...] = ()
        self.errors: list[FileResult] = []
        self.warnings: list[Warn] = []

    def read_project(self) -> None:
        """Find and read the files that PATHS belong to."""
        self._configure(project_root(self.options.paths))
        self.found = discover(self.options.paths, self.root, self.settings)
        self.errors = [FileResult(e.path, "", "", error=e) for e in self.found.errors]
        self._read("", b"")

    def read_standard_input(self, data: bytes) -> bool:
        """Take `data` as the file to change; False where there is nothing to look at.

        The other files of the project are read only where they matter.
        """
        from migrate_cache.plan.api import has_cache_mount

        name = os.path.realpath(self.options.stdin_filename or "Dockerfile")
        folder = os.path.dirname(name)
        # A drive or share that does not exist (Windows) is its own parent.
        while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        self._configure(find_root(folder))
        path = display_path(os.path.relpath(name, self.root.path))
        if not has_cache_mount(data) and self.options.is_filter:
            return False
        self.found = discover((), self.root, self.settings, standard_input=path)
        self._read(path, data)
        return True

    def _configure(self, root: Root) -> None:
        options = self.options
        self.root = root
        configured: Mapping[str, object] = {}
        if options.config:
            configured = read_config(options.config)
        elif root.config and not options.isolated:
            configured = read_config(root.config, root=root.path)
        self.settings = settings_from(configured, self.given)

    def _read(self, standard_input: str, data: bytes) -> None:
        from migrate_cache.plan.api import Input

        assert self.found is not None
        files = self.found.dockerfiles
        inputs = []
        with progress(len(files), wanted=not self.options.quiet) as report:
            for number, file in enumerate(files):
                content: bytes | None = data
                problem = ""
                if file.path != standard_input:
                    try:
                        content = read(file.real)
                    except OSError as error:
                        content, problem = None, error.strerror or str(error)
                inputs.append(Input(file.path, content, problem, file.held_by))
                report(number + 1, len(files), "Reading")
        self.inputs = tuple(inputs)

    def plan(self, declined: Declined = frozenset()) -> ProjectResult:
        """Plan all files together, without the changes in `declined`."""
        from migrate_cache.plan.api import plan

        assert self.found is not None
        with progress(len(self.inputs), wanted=not self.options.quiet) as report:
            report(0, 0, "Planning")
            return plan(
                self.inputs,
                self.settings,
                root_name=os.path.basename(self.root.path),
                build_files=self.found.build_files,
                declined=declined,
                parallel=process_map(self.options.jobs),
            )

    def plan_writable(self) -> ProjectResult:
        """Plan what can be written: files that cannot be replaced are errors, and stay."""
        from migrate_cache.files.writer import refusal

        result = self.plan()
        held = {
            file.path: reason
            for file in result.files
            if file.changed and (reason := refusal(self._real(file.path)))
        }
        if held:
            # Others may depend on what cannot change: plan again with it as it is.
            self._hold(held)
            result = self.plan()
        return result

    def _real(self, path: str) -> str:
        assert self.found is not None
        return next(file.real for file in self.found.dockerfiles if file.path == path)

    def write(self, result: ProjectResult) -> ProjectResult:
        """Write what is planned, and return what came of it."""
        from migrate_cache.files.writer import Write, write_all

        writes = [
            Write(self._real(file.path), file.path, encode(file.before), encode(file.after))
            for file in result.files
            if file.changed
        ]
        if not writes:
            return result
        linked = [write.name for write in writes if _has_other_names(write.path)]
        message = "the file has another name (a hard link), which keeps the old text"
        self.warnings += [Warn(name, 0, 0, message) for name in linked]
        try:
            write_all(writes, self.root.path)
        except WriteError as error:
            result = _undone(result, error)
        return result

    def _hold(self, held: Mapping[str, str]) -> None:
        kept = []
        for file in self.inputs:
            reason = held.get(file.path)
            if reason is not None:
                text = decode(file.data or b"")
                error = WriteError(f"cannot be written: {reason}", path=file.path)
                self.errors.append(FileResult(file.path, text, text, error=error))
                file = replace(file, read_only=reason)  # noqa: PLW2901
            kept.append(file)
        self.inputs = tuple(kept)

    def completed(self, result: ProjectResult) -> ProjectResult:
        """Return `result` with what else there is to say about the project."""
        assert self.found is not None
        warnings = [*self.warnings]
        for path, problem in sorted(self.found.build_files.problems.items()):
            warnings.append(Warn(path, 0, 0, f"cannot be read: {problem}"))
        if result.outcomes and self.found.tally:
            from migrate_cache.files.tally import tally_warnings

            warnings += tally_warnings(self.root.path, self.found.tally)
        files = (*self.errors, *result.files)
        return replace(
            result,
            files=tuple(sorted(files, key=lambda file: file.path)),
            warnings=(*result.warnings, *warnings),
        )


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
        if file.changed:
            other = f"was not written, because {error.path} could not be"
            own = error if file.path == error.path else WriteError(other, path=file.path)
            file = FileResult(file.path, file.before, file.before, (), file.notes, own)  # noqa: PLW2901
        files.append(file)
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
