"""One run of the command: options and files in, texts and an exit code out.

0 is done or nothing to do, 1 a change that is pending (``--check``), 2 wrong usage or
configuration, 3 files that failed. 3 wins over 1: what failed may hide what is pending.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from migrate_cache.cli.options import check_usage
from migrate_cache.cli.streams import Output
from migrate_cache.cli.terminal import progress
from migrate_cache.files.discovery import read_file
from migrate_cache.files.paths import display_path
from migrate_cache.files.project import Request, read, write
from migrate_cache.settings import Format, Options
from migrate_cache.text.errors import ConfigError, MigrateError, ParseError
from migrate_cache.text.source import encode

if TYPE_CHECKING:
    from migrate_cache.plan.model import ProjectResult

__all__ = ["EXIT_FAILED", "EXIT_PENDING", "EXIT_USAGE", "run", "show_tree"]

EXIT_PENDING = 1
EXIT_USAGE = 2
EXIT_FAILED = 3


def run(options: Options, given: Mapping[str, object]) -> int:
    """Do what the command line says and return the exit code.

    `given` are the settings that the command line names; they win over the configuration.
    Raise ConfigError for wrong usage or configuration, before anything is read or written.
    """
    check_usage(options)
    output = Output(options.color)
    request = _request(options, given)
    data = request.standard_input[1] if request.standard_input else b""
    project = read(request)
    if project is None:
        return _filter(options, output, data, None)
    result = project.plan()
    writes = options.mode == "write" and not options.from_standard_input
    if writes and (rest := project.writable(result)) is not project:
        project = rest
        result = project.plan()
    if options.interactive:
        from migrate_cache.cli.interactive import choose

        result = choose(project.plan, result, color=output.color_talk)
    if writes:
        result = write(project, result)
    if options.is_filter:
        return _filter(options, output, data, result)
    _show(options, output, result)
    return _exit_code(options, result)


def _request(options: Options, given: Mapping[str, object]) -> Request:
    standard_input = None
    if options.from_standard_input:
        if sys.stdin is None:
            raise ConfigError("standard input is closed")
        standard_input = (options.stdin_filename or "Dockerfile", sys.stdin.buffer.read())
    return Request(
        paths=() if standard_input else options.paths,
        given=given,
        config=options.config,
        isolated=options.isolated,
        standard_input=standard_input,
        filtering=options.is_filter,
        jobs=options.jobs,
        watch=partial(progress, wanted=not options.quiet),
    )


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
    if any(file.error is not None for file in result.files):
        return EXIT_FAILED
    if options.check and any(file.changed for file in result.files):
        return EXIT_PENDING
    return 0


def show_tree(path: str, output: Output) -> int:
    """Print the syntax tree of one file."""
    from migrate_cache.dockerfile.parser import parse
    from migrate_cache.report.tree import format_tree

    try:
        tree = parse(read_file(path), display_path(path))
    except OSError as error:
        output.error(ParseError(error.strerror or str(error), path=display_path(path)))
        return EXIT_FAILED
    except MigrateError as error:
        output.error(error)
        return EXIT_FAILED
    output.data(format_tree(tree))
    return 0
