"""One run of the command: options and files in, texts and an exit code out.

0 is done or nothing to do, 1 a change that is pending (``--check``), 2 wrong usage or
configuration, 3 files that failed. 3 wins over 1: what failed may hide what is pending.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from migrate_cache.config import Settings, settings_from
from migrate_cache.config_file import Root, find_root, read_config
from migrate_cache.discovery import Found, discover, project_root, read
from migrate_cache.edits import FileResult, ProjectResult, Warn
from migrate_cache.errors import ConfigError, MigrateError, ParseError, WriteError, display_path
from migrate_cache.output import Output
from migrate_cache.source import decode, encode
from migrate_cache.terminal import Color, progress, prompt_possible

if TYPE_CHECKING:
    from migrate_cache.project import Input

__all__ = ["EXIT_FAILED", "EXIT_PENDING", "EXIT_USAGE", "Format", "Options", "run"]

EXIT_PENDING = 1
EXIT_USAGE = 2
EXIT_FAILED = 3

Refused = frozenset[tuple[str, int, str]]


class Format(StrEnum):
    """Values of ``--format``."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    GITHUB = "github"
    PATCH = "patch"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, as opposed to what to plan (`migrate_cache.config.Settings`)."""

    paths: tuple[str, ...] = ()
    dry_run: bool = False
    check: bool = False
    interactive: bool = False
    diff: bool = False
    caches: bool = False
    format: Format = Format.TEXT
    stdin_filename: str = ""
    config: str = ""
    isolated: bool = False
    jobs: int = 0
    quiet: bool = False
    verbose: bool = False
    color: Color = Color.AUTO

    @property
    def mode(self) -> Literal["write", "dry-run", "check"]:
        """What reports call the run."""
        if self.dry_run or self.caches:
            return "dry-run"
        return "check" if self.check else "write"

    @property
    def from_standard_input(self) -> bool:
        """Whether the Dockerfile comes on standard input."""
        return self.paths == ("-",)


def run(options: Options, given: Mapping[str, object]) -> int:
    """Do what the command line says and return the exit code.

    `given` are the settings that the command line names; they win over the configuration.
    Raise ConfigError for wrong usage or configuration, before anything is read or written.
    """
    _check_usage(options)
    output = Output(options.color)
    job = _Job(options, given)
    data = b""
    if options.from_standard_input:
        if sys.stdin is None:
            raise ConfigError("standard input is closed")
        data = sys.stdin.buffer.read()
        if not job.read_standard_input(data):
            return _filter(options, output, data, None)
    else:
        job.read_project()
    writes = options.mode == "write" and not options.from_standard_input
    result = job.plan_writable() if writes else job.plan()
    if options.interactive:
        from migrate_cache.interactive import choose

        result = choose(job.plan, result, color=output.color_talk)
    if writes:
        result = job.write(result)
    result = job.completed(result)
    if options.from_standard_input and _is_filter(options):
        return _filter(options, output, data, result)
    _show(options, output, result)
    return _exit_code(options, result)


def _check_usage(options: Options) -> None:
    def conflict(one: bool, other: bool, message: str) -> None:
        if one and other:
            raise ConfigError(message)

    if options.jobs < 0:
        raise ConfigError("--jobs must not be negative")
    stdin = "-" in options.paths
    asks, shown = options.interactive, options.format is not Format.TEXT
    conflict(stdin, len(options.paths) > 1, "'-' (standard input) cannot stand beside other paths")
    conflict(bool(options.stdin_filename), not stdin, "--stdin-filename needs '-' as the path")
    conflict(asks, stdin, "--interactive cannot ask while the file comes on standard input")
    conflict(asks, options.dry_run, "--interactive and --dry-run exclude each other")
    conflict(asks, options.check, "--interactive and --check exclude each other")
    conflict(asks, options.caches, "--interactive and --caches exclude each other")
    conflict(asks, options.quiet, "--interactive and --quiet exclude each other")
    conflict(asks, shown, f"--interactive and --format {options.format} exclude each other")
    conflict(options.diff, shown, f"--diff and --format {options.format} exclude each other")
    conflict(options.caches, options.diff, "--caches and --diff exclude each other")
    conflict(options.caches, options.check, "--caches and --check exclude each other")
    conflict(
        options.caches,
        options.format not in (Format.TEXT, Format.JSON),
        f"--caches has the formats text and json, not {options.format}",
    )
    conflict(bool(options.config), options.isolated, "--config and --isolated exclude each other")
    conflict(options.quiet, options.verbose, "--quiet and --verbose exclude each other")
    if asks and not prompt_possible():
        raise ConfigError(
            "--interactive needs a terminal on standard input and standard error",
            hint="use --dry-run to see the changes, and --select or PATHS to choose among them",
        )


class _Job:
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
        from migrate_cache.project import has_cache_mount

        name = os.path.realpath(self.options.stdin_filename or "Dockerfile")
        folder = os.path.dirname(name)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        self._configure(find_root(folder))
        path = display_path(os.path.relpath(name, self.root.path))
        if not has_cache_mount(data) and _is_filter(self.options):
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
        from migrate_cache.project import Input

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
                inputs.append(Input(file.path, content, problem, not file.held_by, file.held_by))
                report(number + 1, len(files), "Reading")
        self.inputs = tuple(inputs)

    def plan(self, refused: Refused = frozenset()) -> ProjectResult:
        """Plan all files together, without the changes in `refused`."""
        from migrate_cache.project import plan

        assert self.found is not None
        with progress(len(self.inputs), wanted=not self.options.quiet) as report:
            report(0, 0, "Planning")
            return plan(
                self.inputs,
                self.settings,
                root_name=os.path.basename(self.root.path),
                build_files=self.found.build_files,
                refused=refused,
            )

    def plan_writable(self) -> ProjectResult:
        """Plan what can be written: files that cannot be replaced are errors, and stay."""
        from migrate_cache.writer import refusal

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
        from migrate_cache.writer import Write, write_all

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
                file = replace(file, writable=False, held_by=reason)  # noqa: PLW2901
            kept.append(file)
        self.inputs = tuple(kept)

    def completed(self, result: ProjectResult) -> ProjectResult:
        """Return `result` with what else there is to say about the project."""
        assert self.found is not None
        warnings = [*self.warnings]
        for path, problem in sorted(self.found.build_files.problems.items()):
            warnings.append(Warn(path, 0, 0, f"cannot be read: {problem}"))
        if result.outcomes and self.found.tally:
            from migrate_cache.tally import tally_warnings

            warnings += tally_warnings(self.root.path, self.found.tally)
        files = (*self.errors, *result.files)
        return replace(
            result,
            files=tuple(sorted(files, key=lambda file: file.path)),
            warnings=(*result.warnings, *warnings),
        )


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


def _is_filter(options: Options) -> bool:
    """Whether standard output carries the changed file itself."""
    return options.mode == "write" and options.format is Format.TEXT and not options.diff


def _filter(options: Options, output: Output, data: bytes, result: ProjectResult | None) -> int:
    """Give the changed file on standard output; the same bytes where it failed."""
    after, code = data, 0
    if result is not None:
        for file in result.files:
            after = encode(file.after) if file.error is None else data
        code = _exit_code(options, result)
    output.write(after)
    if result is not None:
        output.report(result, mode="write", verbose=options.verbose, quiet=not options.verbose)
    return code


def _show(options: Options, output: Output, result: ProjectResult) -> None:
    shown = options.format
    if options.caches and shown is Format.TEXT:
        from migrate_cache.report.inventory import table

        output.text(table(result, output.color_result, verbose=options.verbose))
    elif shown is Format.PATCH or (shown is Format.TEXT and (options.dry_run or options.diff)):
        output.diffs(result.files)
    elif shown is not Format.TEXT:
        from migrate_cache.report import render

        output.data(render(shown, result, mode=options.mode))
    talk = shown in (Format.TEXT, Format.PATCH) and not options.caches
    output.report(
        result,
        mode=options.mode,
        verbose=options.verbose and talk,
        quiet=options.quiet or not talk,
    )


def _exit_code(options: Options, result: ProjectResult) -> int:
    if any(_failed(file) for file in result.files):
        return EXIT_FAILED
    if options.check and any(file.changed for file in result.files):
        return EXIT_PENDING
    return 0


def _failed(file: FileResult) -> bool:
    return file.error is not None or any(note.rule.startswith("MC9") for note in file.notes)


def show_tree(path: str, output: Output) -> int:
    """Print the syntax tree of one file."""
    from migrate_cache.parse import parse
    from migrate_cache.report.tree import format_tree

    try:
        tree = parse(read(path), display_path(path))
    except OSError as error:
        output.error(ParseError(error.strerror or str(error), path=display_path(path)))
        return EXIT_FAILED
    except MigrateError as error:
        output.error(error)
        return EXIT_FAILED
    output.data(format_tree(tree))
    return 0
