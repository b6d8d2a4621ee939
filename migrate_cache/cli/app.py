"""The command line: options and their words, and no logic.

Typer is imported here and nowhere else; what a run needs is imported when it runs.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from migrate_cache import __version__
from migrate_cache.cli.command import EXIT_FAILED, EXIT_USAGE, run
from migrate_cache.cli.options import Format, Options
from migrate_cache.cli.terminal import Color  # noqa: TC001 - Typer reads the annotations
from migrate_cache.settings import DEFAULT_ID_TEMPLATE, PLACEHOLDERS
from migrate_cache.text.errors import ConfigError, MigrateError

__all__ = ["app", "main"]

_PATHS = "Arguments"
_MODES = "What is written"
_PLAN = "What changes, and how"
_FILES = "Which files and settings"
_SHOWN = "What is shown"
_ABOUT = "About rules and caches (nothing is written)"
_OTHER = "Other"
_TOPICS = (_MODES, _PLAN, _FILES, _SHOWN, _ABOUT, _OTHER)

_EPILOG = """\
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
of these or with .git. Keys are the long options, and 'project', 'vendored',
'build-files', [[overrides]] and [[caches]].
"""


class _Command(TyperCommand):
    """Help by topics: each fits a screen."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        topics: dict[str, list[tuple[str, str]]] = {topic: [] for topic in (_PATHS, *_TOPICS)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                panel = getattr(parameter, "rich_help_panel", None)
                argument = parameter.param_type_name == "argument"
                topics[_PATHS if argument else panel if panel in topics else _OTHER].append(record)
        for topic, records in topics.items():
            if records:
                with formatter.section(topic):
                    formatter.write_dl(records, col_max=26)


app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)

_DEFAULT = Options()


def _option(*names: str, topic: str, help: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, rich_help_panel=topic, help=help, show_default=False, **more)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"migrate-cache {__version__}")
        raise typer.Exit


def _complete_code(incomplete: str) -> list[tuple[str, str]]:
    from migrate_cache.rules.registry import rule_names

    wanted = incomplete.upper()
    return [(code, name) for code, name in rule_names().items() if code.startswith(wanted)]


@app.command(cls=_Command, epilog=_EPILOG)
def migrate(  # noqa: PLR0913, PLR0917 - one parameter an option
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATHS]...",
            help="Files or folders to write; '-' is standard input. The current folder, if none.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        _option(
            "--dry-run",
            "-n",
            topic=_MODES,
            help="Write nothing; give diffs on standard output, in a form that 'git apply' takes.",
        ),
    ] = _DEFAULT.dry_run,
    check: Annotated[
        bool,
        _option("--check", topic=_MODES, help="Write nothing; exit with 1 if a change is pending."),
    ] = _DEFAULT.check,
    interactive: Annotated[
        bool,
        _option(
            "--interactive",
            "-i",
            topic=_MODES,
            help="Ask per change: yes, no, all of this file, quit.",
        ),
    ] = _DEFAULT.interactive,
    diff: Annotated[
        bool, _option("--diff", topic=_MODES, help="Show the diffs of what is written, too.")
    ] = _DEFAULT.diff,
    select: Annotated[
        list[str] | None,
        _option(
            "--select",
            topic=_PLAN,
            metavar="CODE",
            autocompletion=_complete_code,
            help="Only these rules: codes or prefixes (MC101, MC1), with commas or repeated.",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        _option(
            "--ignore",
            topic=_PLAN,
            metavar="CODE",
            autocompletion=_complete_code,
            help="Not these rules.",
        ),
    ] = None,
    service: Annotated[
        str | None,
        _option(
            "--service", topic=_PLAN, metavar="NAME", help="The service, in place of inferring it."
        ),
    ] = None,
    id_template: Annotated[
        str | None,
        _option(
            "--id-template",
            topic=_PLAN,
            metavar="T",
            help=f"The shape of new ids, by default {DEFAULT_ID_TEMPLATE}. "
            f"Placeholders: {' '.join(f'{{{name}}}' for name in PLACEHOLDERS)}.",
        ),
    ] = None,
    cargo_lock: Annotated[
        bool | None,
        _option(
            "--cargo-lock/--no-cargo-lock",
            topic=_PLAN,
            help="Link the lock of Cargo into shared registries (MC104), as by default, or not.",
        ),
    ] = None,
    fresh_ids: Annotated[
        bool | None,
        _option(
            "--fresh-ids/--no-fresh-ids",
            topic=_PLAN,
            help="Give every cache whose mode changes an id of its own: for builders that "
            "repositories share. Costs one cold start.",
        ),
    ] = None,
    keep_lock: Annotated[
        bool | None,
        _option(
            "--keep-lock/--no-keep-lock",
            topic=_PLAN,
            help="Keep sharing=locked beside every new id: for builders that build several "
            "checkouts of one service at once.",
        ),
    ] = None,
    config: Annotated[
        str | None,
        _option(
            "--config",
            topic=_FILES,
            metavar="FILE",
            help="The configuration, in place of the project's; the root stays where it is.",
        ),
    ] = None,
    isolated: Annotated[
        bool, _option("--isolated", topic=_FILES, help="No configuration.")
    ] = _DEFAULT.isolated,
    exclude: Annotated[
        list[str] | None,
        _option(
            "--exclude",
            topic=_FILES,
            metavar="GLOB",
            help="Read these files, but do not write them; patterns as in .gitignore, repeatable. "
            "In place of the configuration's.",
        ),
    ] = None,
    gitignore: Annotated[
        bool | None,
        _option(
            "--gitignore/--no-gitignore",
            topic=_FILES,
            help="Leave out what git ignores, as by default, or not.",
        ),
    ] = None,
    stdin_filename: Annotated[
        str | None,
        _option(
            "--stdin-filename",
            topic=_FILES,
            metavar="PATH",
            help="The name of what comes on standard input: it decides on the service and the "
            "configuration.",
        ),
    ] = None,
    jobs: Annotated[
        int,
        _option("--jobs", "-j", topic=_FILES, metavar="N", help="Work in N processes at most."),
    ] = _DEFAULT.jobs,
    format: Annotated[  # noqa: A002 - the option's name
        Format,
        _option(
            "--format",
            topic=_SHOWN,
            help="What standard output carries. Alone it does not keep files from being written.",
        ),
    ] = _DEFAULT.format,
    quiet: Annotated[
        bool, _option("--quiet", "-q", topic=_SHOWN, help="Say nothing but errors.")
    ] = _DEFAULT.quiet,
    verbose: Annotated[
        bool,
        _option("--verbose", "-v", topic=_SHOWN, help="Say what becomes of every mount, and why."),
    ] = _DEFAULT.verbose,
    color: Annotated[
        Color, _option("--color", topic=_SHOWN, help="Colours; NO_COLOR is honoured.")
    ] = _DEFAULT.color,
    caches: Annotated[
        bool,
        _option(
            "--caches",
            topic=_ABOUT,
            help="The inventory: each cache, who uses it in which mode, what waits for what, "
            "before and after; --format json gives it as data.",
        ),
    ] = _DEFAULT.caches,
    explain: Annotated[
        str | None,
        _option(
            "--explain",
            topic=_ABOUT,
            metavar="CODE",
            autocompletion=_complete_code,
            help="What a rule does and why, with an example and its source.",
        ),
    ] = None,
    list_rules: Annotated[bool, _option("--list-rules", topic=_ABOUT, help="All rules.")] = False,
    show_tree: Annotated[
        str | None,
        _option("--show-tree", topic=_ABOUT, metavar="FILE", help="How a file is read: its tree."),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        _option("--version", topic=_OTHER, is_eager=True, callback=_version, help="The version."),
    ] = False,
) -> None:
    """Move the BuildKit cache mounts of a repository from 'sharing=locked' to
    shared caches and service-specific ids. Without options the Dockerfiles below the
    current folder are rewritten in place.
    """  # noqa: D205
    given: dict[str, object] = {
        "select": _codes(select),
        "ignore": _codes(ignore),
        "service": service,
        "id_template": id_template,
        "cargo_lock": cargo_lock,
        "fresh_ids": fresh_ids,
        "keep_lock": keep_lock,
        "exclude": tuple(exclude) if exclude else None,
        "gitignore": gitignore,
    }
    options = Options(
        paths=tuple(paths or ()),
        dry_run=dry_run,
        check=check,
        interactive=interactive,
        diff=diff,
        caches=caches,
        format=format,
        stdin_filename=stdin_filename or "",
        config=config or "",
        isolated=isolated,
        jobs=jobs,
        quiet=quiet,
        verbose=verbose,
        color=color,
    )
    from migrate_cache.cli.streams import Output

    output = Output(color)
    try:
        if explain is not None or list_rules:
            from migrate_cache.report import rule_pages as rules

            output.text(rules.list_rules() if explain is None else rules.explain(explain))
            raise typer.Exit
        if show_tree is not None:
            from migrate_cache.cli.command import show_tree as show

            raise typer.Exit(show(show_tree, output))
        code = run(options, {name: value for name, value in given.items() if value is not None})
    except ConfigError as error:
        output.error(error)
        raise typer.Exit(EXIT_USAGE) from None
    except MigrateError as error:
        output.error(error)
        raise typer.Exit(EXIT_FAILED) from None
    raise typer.Exit(code)


def _codes(values: list[str] | None) -> tuple[str, ...] | None:
    """Split at commas; None where the option is not given."""
    if values is None:
        return None
    return tuple(code.strip() for value in values for code in value.split(",") if code.strip())


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
