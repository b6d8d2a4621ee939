"""Turn the declared options into Typer's parameters, and their values into `Options`.

Typer is used here and in `migrate_cache.cli.app`, and nowhere else.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from migrate_cache import __version__
from migrate_cache.cli.terminal import is_terminal
from migrate_cache.settings import CODE, Format, Option, Options, Settings, Topic, options_of
from migrate_cache.text.errors import ConfigError

# Settings that are keys of the configuration only have no topic.
_SETTINGS = tuple(option for option in options_of(Settings) if option.topic)


def takes_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give `function` the signature that Typer makes the command of: one parameter an option."""
    # Settings have no default here, so that those of the configuration count.
    parameters = [_parameter(option, None) for option in _SETTINGS]
    parameters += [_parameter(option, option.default) for option in options_of(Options)]
    signature = inspect.Signature(parameters)
    function.__signature__ = signature  # type: ignore[attr-defined] # as `inspect` reads it
    return function


def _parameter(option: Option, default: object) -> inspect.Parameter:
    common: dict[str, Any] = {
        "metavar": option.shape.metavar if option.shape else None,
        "rich_help_panel": option.topic,
        "show_default": False,
    }
    about: Any
    if option.topic is Topic.ARGUMENTS:
        about = typer.Argument(help=option.help, **common)
    else:
        name = f"--{option.key}"
        if option.type is bool and default is None:
            name = f"{name}/--no-{option.key}"
        about = typer.Option(
            *((name, option.short) if option.short else (name,)),
            help=_help(option),
            autocompletion=_complete_code if option.shape is CODE else None,
            callback=_show_version if option.name == "version" else None,
            is_eager=option.name == "version",
            **common,
        )
    kind: Any = list[str] if option.is_list else option.type
    if option.is_list or default is None:
        kind, default = kind | None, None
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, about],
    )


def _help(option: Option) -> str:
    """Return the help with what concerns the command line only."""
    more = ""
    if option.is_list:
        more = " Repeatable, or with commas." if option.shape is CODE else " Repeatable."
    elif option.default is True:
        more = " On by default."
    elif option.default and isinstance(option.default, str):
        more = f" By default {option.default}."
    return option.help + more


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"migrate-cache {__version__}")
        raise typer.Exit


def _complete_code(incomplete: str) -> list[tuple[str, str]]:
    from migrate_cache.rules.registry import rule_names

    wanted = incomplete.upper()
    return [(code, name) for code, name in rule_names().items() if code.startswith(wanted)]


def parse(values: Mapping[str, Any]) -> tuple[Options, dict[str, object]]:
    """Split the values of the parameters into options and the settings that are given.

    Settings are by field name. Raise ConfigError for a rule that does not exist.
    """
    options: dict[str, Any] = {
        option.name: tuple(values[option.name] or ()) if option.is_list else values[option.name]
        for option in options_of(Options)
    }
    given: dict[str, object] = {}
    for option in _SETTINGS:
        value = values[option.name]
        # An absent option is None, or an empty list.
        if value is None or value == []:
            continue
        if option.shape is CODE:
            from migrate_cache.rules.registry import check_codes

            value = [code.strip() for text in value for code in text.split(",") if code.strip()]
            check_codes(option.key, value)
        given[option.name] = tuple(value) if option.is_list else value
    return Options(**options), given


# Options that exclude each other.
_EXCLUSIVE = (
    ("interactive", "dry-run"),
    ("interactive", "check"),
    ("interactive", "caches"),
    ("interactive", "quiet"),
    ("caches", "diff"),
    ("caches", "check"),
    ("config", "isolated"),
    ("quiet", "verbose"),
)


def check_usage(options: Options) -> None:
    """Raise ConfigError for options that contradict each other."""
    given = {option.key for option in options_of(Options) if getattr(options, option.name)}
    stdin, shown = "-" in options.paths, options.format
    problems = {
        "--jobs must not be negative": options.jobs < 0,
        "'-' (standard input) cannot stand beside other paths": stdin and len(options.paths) > 1,
        "--stdin-filename needs '-' as the path": "stdin-filename" in given and not stdin,
        "--interactive cannot ask while the file comes on standard input": (
            options.interactive and stdin
        ),
    }
    for one, other in _EXCLUSIVE:
        problems[f"--{one} and --{other} exclude each other"] = {one, other} <= given
    if shown is not Format.TEXT:
        for name in ("interactive", "diff"):
            problems[f"--{name} and --format {shown} exclude each other"] = name in given
    if shown not in (Format.TEXT, Format.JSON):
        problems[f"--caches has the formats text and json, not {shown}"] = options.caches
    for message, contradicts in problems.items():
        if contradicts:
            raise ConfigError(message)
    if options.interactive and not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise ConfigError(
            "--interactive needs a terminal on standard input and standard error",
            hint="use --dry-run to see the changes, and --select or PATHS to choose among them",
        )
