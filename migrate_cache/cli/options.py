"""How to run, as opposed to what to plan: the options that are no settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from migrate_cache.cli.terminal import Color, prompt_possible
from migrate_cache.text.errors import ConfigError

__all__ = ["Format", "Options", "check_usage"]


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
    """How to run, as opposed to what to plan (`migrate_cache.settings.Settings`)."""

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

    @property
    def is_filter(self) -> bool:
        """Whether standard output carries the changed file itself."""
        return (
            self.from_standard_input
            and self.mode == "write"
            and self.format is Format.TEXT
            and not self.diff
        )


def check_usage(options: Options) -> None:
    """Refuse options that contradict each other, with ConfigError."""

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
