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
from migrate_cache.files.paths import display_path, reason
from migrate_cache.files.project import read, write
from migrate_cache.settings import Format, Options
from migrate_cache.text.errors import ConfigError, ParseError
from migrate_cache.text.source import encode

if TYPE_CHECKING:
    from migrate_cache.plan.model import ProjectResult

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
    data = b""
    if options.from_standard_input:
        if sys.stdin is None:
            raise ConfigError("standard input is closed")
        data = sys.stdin.buffer.read()
    project = read(options, given, data, partial(progress, wanted=not options.quiet))
    if project is None:
        output.write(data)
        return 0
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
        # The changed file, or the same bytes where it failed.
        after = [encode(file.after) for file in result.files if file.error is None]
        output.write(after[0] if after else data)
        output.report(result, mode="write", verbose=options.verbose, quiet=not options.verbose)
    else:
        _show(options, output, result)
    if any(file.error is not None for file in result.files):
        return EXIT_FAILED
    if options.check and any(file.changed for file in result.files):
        return EXIT_PENDING
    return 0


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


def show_tree(path: str, output: Output) -> None:
    """Print the syntax tree of one file; raise ParseError if it cannot be read."""
    from migrate_cache.dockerfile.parser import parse
    from migrate_cache.report.tree import format_tree

    try:
        data = read_file(path)
    except OSError as error:
        raise ParseError(reason(error), path=display_path(path)) from None
    output.data(format_tree(parse(data, display_path(path))))
