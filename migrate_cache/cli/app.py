"""The command line: its help and its entry point, and no logic.

What a run needs is imported when it runs.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand

from migrate_cache.cli.command import EXIT_FAILED, EXIT_USAGE, run
from migrate_cache.cli.options import parse, takes_options
from migrate_cache.settings import Settings, Topic, options_of
from migrate_cache.text.errors import ConfigError, MigrateError

_HELP = """\
Move the BuildKit cache mounts of a repository from 'sharing=locked' to shared caches and
service-specific ids. Without options the Dockerfiles below the current folder are rewritten in
place.
"""

_KEYS = [
    f"[[{option.key}]]" if option.is_table else f"'{option.key}'"
    for option in options_of(Settings)
    if option.topic is None
]

_EPILOG = f"""\
Examples:

\b
  migrate-cache --dry-run             show what would change, as a patch
  migrate-cache                       rewrite the Dockerfiles of this project
  migrate-cache --check               for CI: fail where a change is pending
  migrate-cache -i services/api       decide change by change, below a folder
  migrate-cache --caches              who uses which cache, and who waits
  migrate-cache --explain MC104       why the lock of Cargo is linked
  migrate-cache - <Dockerfile         as a filter, for editors

Exit codes:

\b
  0  done, or nothing to do
  1  --check found a pending change
  2  wrong usage or configuration; nothing was read or written
  3  some files failed (also with --check); all others are done

Configuration: [tool.migrate-cache] in pyproject.toml, or migrate-cache.toml or
.migrate-cache.toml at the project's root, which is the nearest folder with one
of these or with .git. Keys are the long options, and {", ".join(_KEYS[:-1])} and
{_KEYS[-1]}. The command line wins.
"""


class _Command(TyperCommand):
    """Help by topics: each fits a screen."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        topics: dict[str, list[tuple[str, str]]] = {topic: [] for topic in Topic}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                # Typer adds options of its own, which have no topic.
                topic = getattr(parameter, "rich_help_panel", None) or Topic.OTHER
                topics[topic].append(record)
        for topic, records in topics.items():
            if records:
                with formatter.section(topic):
                    formatter.write_dl(records, col_max=26)


app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)


@app.command(cls=_Command, help=_HELP, epilog=_EPILOG)
@takes_options
def migrate(**values: Any) -> None:
    """Run the command with the values of its parameters."""
    from migrate_cache.cli.streams import Output

    output = Output(values["color"])
    try:
        options, given = parse(values)
        if options.explain is not None or options.list_rules:
            from migrate_cache.report import rule_pages

            code = options.explain
            output.text(rule_pages.list_rules() if code is None else rule_pages.explain(code))
            raise typer.Exit
        if options.show_tree is not None:
            from migrate_cache.cli.command import show_tree

            show_tree(options.show_tree, output)
            raise typer.Exit
        raise typer.Exit(run(options, given))
    except MigrateError as error:
        output.error(error)
        wrong_usage = isinstance(error, ConfigError)
        raise typer.Exit(EXIT_USAGE if wrong_usage else EXIT_FAILED) from None


def main() -> NoReturn:
    """Run the command; the process ends with its exit code and never with a traceback."""
    try:
        app(prog_name="migrate-cache")
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        os._exit(EXIT_FAILED)
    except Exception as error:
        # Whatever this is, it is a bug here; the words serve users better than a traceback.
        if os.environ.get("MIGRATE_CACHE_TRACEBACK"):
            raise
        sys.stderr.write(
            f"migrate-cache: internal error, a bug: {type(error).__name__}: {error!s:.300}\n"
            "  hint: set MIGRATE_CACHE_TRACEBACK=1 to see where, and please report it\n"
        )
        sys.exit(EXIT_FAILED)
    sys.exit(130)
