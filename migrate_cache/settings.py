"""The declarations of all options: name, type, default, help, and the values that are allowed.

`Settings` are what a plan depends on: keys of the configuration, most of them options of the
command line, too. `Options` are how to run, and stand on the command line only. The command line,
the reader of the configuration, its JSON schema and the documentation are made from the fields of
these classes, which `options_of` lists.

A configuration may be somebody else's: nothing in it can name a place outside the root, run
anything, or break out of an id.
"""

# No `annotations` from the future: `options_of` reads the types of the fields.

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import Any, Literal, TypeVar, get_origin

from migrate_cache.text.globs import BACKSLASH, LEADS_OUT, Globs, check_glob, check_path
from migrate_cache.text.ids import ID, PLACEHOLDERS, TEMPLATE, check_id, check_template

_T = TypeVar("_T")

DEFAULT_ID_TEMPLATE = "{kind}-{stage}-{service}"
_PLACEHOLDERS = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text of an option stands for, and which texts are allowed.

    `metavar` is its placeholder in ``--help``. `pattern` has to match the whole text, `forbidden`
    no part of it: regular expressions, which mean the same to Python and to JSON schemas. `check`
    takes the option's name and a text, and raises ConfigError for a text that is not allowed.
    """

    metavar: str
    pattern: str = ""
    forbidden: str = ""
    check: Callable[[str, str], None] | None = None


# A rule's code or a prefix of codes; `rules.registry.check_codes` knows which rules there are.
CODE = Shape("CODE", pattern="([Mm][Cc][0-9]{0,3}|[Aa][Ll][Ll])")
_NAME = Shape("NAME", f"({ID})?", check=check_id)
_ID_TEMPLATE = Shape("TEMPLATE", TEMPLATE, check=check_template)
_GLOB = Shape("GLOB", ".+", f"{LEADS_OUT}|{BACKSLASH}", check_glob)
_BELOW = Shape("PATH", ".+", f"^/|{LEADS_OUT}|{BACKSLASH}", check_path)
_FILE = Shape("FILE")
_PATH = Shape("PATH")
_NUMBER = Shape("N")


class Topic(StrEnum):
    """The sections of ``--help``, in their order."""

    ARGUMENTS = "Arguments"
    WRITTEN = "What is written"
    CHANGES = "What changes, and how"
    FILES = "Which files and settings"
    SHOWN = "What is shown"
    ABOUT = "About rules and caches (nothing is written)"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Option:
    """The declaration of one option.

    `name` is the field's. `topic` is None for keys that only the configuration has. `short` is
    the one-letter form, with its dash.
    """

    name: str
    type: Any
    default: object
    help: str
    topic: Topic | None = None
    shape: Shape | None = None
    short: str = ""

    @property
    def key(self) -> str:
        """The name as users write it."""
        return self.name.replace("_", "-")

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is MISSING

    @property
    def is_list(self) -> bool:
        """Whether a value is a tuple of texts."""
        return bool(self.type == tuple[str, ...])

    @property
    def is_table(self) -> bool:
        """Whether a value is several tables of the configuration."""
        return get_origin(self.type) is tuple and not self.is_list

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, where the type is an enumeration."""
        kind = self.type
        return tuple(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else ()

    @property
    def words(self) -> str:
        """The type in words."""
        choices = ", ".join(self.choices)
        return f"one of {choices}" if choices else _WORDS.get(self.type, "tables")

    def check(self, value: object, table: str = "") -> None:
        """Raise ConfigError for a value of the right type that is not allowed.

        `table` is the name of the table that the option is in, if any.
        """
        check = self.shape.check if self.shape else None
        if check is not None and value != self.default:
            for text in value if isinstance(value, tuple) else (value,):
                check(f"{table}.{self.key}" if table else self.key, text)


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    str: "a string",
    tuple[str, ...]: "a list of strings",
}


def _option(
    default: _T,
    help: str,  # noqa: A002 - as everybody calls it
    topic: Topic | None = None,
    shape: Shape | None = None,
    *,
    short: str = "",
) -> _T:
    """Declare a field of a dataclass as an option."""
    about = {"help": help, "topic": topic, "shape": shape, "short": short}
    return field(default=default, metadata=about)


@lru_cache
def options_of(table: type) -> tuple[Option, ...]:
    """Return the options that the fields of `table` declare, in their order."""
    return tuple(Option(one.name, one.type, one.default, **one.metadata) for one in fields(table))


@dataclass(frozen=True, slots=True)
class Override:
    """One ``[[overrides]]`` table: settings for the files that match its globs."""

    files: tuple[str, ...] = field(
        metadata={"help": "The Dockerfiles that the other keys are for.", "shape": _GLOB}
    )
    service: str = _option("", "Use this service instead of inferring one.", shape=_NAME)
    id: str = _option("", "The id of build outputs, as it is to be written.", shape=_NAME)
    id_template: str = _option("", "The shape of new ids.", shape=_ID_TEMPLATE)
    skip: bool = _option(False, "Read these files, but do not write them.")


@dataclass(frozen=True, slots=True)
class FileSettings:
    """The settings in effect for one Dockerfile.

    `id` is the whole id that an override gives, ``""`` for none; `project` is the project's
    name; `override` is the table that matches the file, if any does.
    """

    service: str
    id: str
    id_template: str
    skip: bool
    project: str
    override: Override | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan depends on besides the files: the keys of the configuration.

    Those with a topic are options of the command line, too, and are overridden there.
    """

    select: tuple[str, ...] = _option(
        (), "Apply only these rules: codes or prefixes (MC101, MC1).", Topic.CHANGES, CODE
    )
    ignore: tuple[str, ...] = _option((), "Do not apply these rules.", Topic.CHANGES, CODE)
    service: str = _option("", "Use this service instead of inferring one.", Topic.CHANGES, _NAME)
    id_template: str = _option(
        DEFAULT_ID_TEMPLATE,
        f"The shape of new ids. Placeholders: {_PLACEHOLDERS}.",
        Topic.CHANGES,
        _ID_TEMPLATE,
    )
    project: str = _option(
        "",
        "The project's name: {project} in ids, and the last evidence for a service.",
        None,
        _NAME,
    )
    cargo_lock: bool = _option(
        True,
        "Link Cargo's package lock into shared registries (MC104). Without it, cold parallel "
        "builds can fail.",
        Topic.CHANGES,
    )
    fresh_ids: bool = _option(
        False,
        "Give every cache whose mode changes an id of its own: for builders that repositories "
        "share. Costs one cold start.",
        Topic.CHANGES,
    )
    keep_lock: bool = _option(
        False,
        "Keep sharing=locked beside every new id: for builders that build several checkouts of "
        "one service at once.",
        Topic.CHANGES,
    )
    exclude: tuple[str, ...] = _option(
        (), "Read these files, but do not write them; as in .gitignore.", Topic.FILES, _GLOB
    )
    gitignore: bool = _option(True, "Leave out what git ignores.", Topic.FILES)
    vendored: tuple[str, ...] = _option(
        ("vendor", "node_modules", "third_party", "testdata", ".git"),
        "Folders whose files are read, but never written; as in .gitignore.",
        shape=_GLOB,
    )
    build_files: tuple[str, ...] = _option(
        (),
        "Compose and bake files that lie where none is looked for, relative to the root.",
        shape=_BELOW,
    )
    overrides: tuple[Override, ...] = _option((), "What holds for some Dockerfiles only.")
    caches: tuple[Mapping[str, object], ...] = _option(
        (), "Caches to add to the known ones, or to change there."
    )

    def for_file(self, path: str, project: str) -> FileSettings:
        """Return the settings in effect for one file; the last override that matches counts."""
        matching = (own for own in reversed(self.overrides) if _globs(own.files).match(path))
        override = next(matching, None)
        own = override or Override(())
        return FileSettings(
            service=own.service or self.service,
            id=own.id,
            id_template=own.id_template or self.id_template,
            skip=own.skip,
            project=project,
            override=override,
        )


@lru_cache(maxsize=256)
def _globs(patterns: tuple[str, ...]) -> Globs:
    return Globs(patterns)


class Format(StrEnum):
    """Values of ``--format``."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    GITHUB = "github"
    PATCH = "patch"
    MARKDOWN = "markdown"


class Color(StrEnum):
    """Values of ``--color``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: the options that only the command line has."""

    paths: tuple[str, ...] = _option(
        (),
        "Files or folders to write; '-' is standard input. The current folder, if none.",
        Topic.ARGUMENTS,
        Shape("[PATHS]..."),
    )
    dry_run: bool = _option(
        False,
        "Write nothing; print the changes as a patch that 'git apply' takes.",
        Topic.WRITTEN,
        short="-n",
    )
    check: bool = _option(
        False, "Write nothing; exit with 1 if a change is pending.", Topic.WRITTEN
    )
    interactive: bool = _option(
        False, "Ask about each change: yes, no, all of this file, quit.", Topic.WRITTEN, short="-i"
    )
    diff: bool = _option(False, "Print the diffs of what is written, too.", Topic.WRITTEN)
    config: str = _option(
        "",
        "Read this configuration instead of the project's; the root stays the same.",
        Topic.FILES,
        _FILE,
    )
    isolated: bool = _option(False, "Read no configuration.", Topic.FILES)
    stdin_filename: str = _option(
        "",
        "The path of what comes on standard input: it decides on the service and the "
        "configuration.",
        Topic.FILES,
        _PATH,
    )
    jobs: int = _option(
        0,
        "Work in N processes at most; by default one for each processor.",
        Topic.FILES,
        _NUMBER,
        short="-j",
    )
    format: Format = _option(
        Format.TEXT,
        "What standard output carries. Alone it does not keep files from being written.",
        Topic.SHOWN,
    )
    quiet: bool = _option(False, "Report errors only.", Topic.SHOWN, short="-q")
    verbose: bool = _option(
        False, "Report what becomes of every mount, and why.", Topic.SHOWN, short="-v"
    )
    color: Color = _option(Color.AUTO, "Colours; auto honours NO_COLOR.", Topic.SHOWN)
    caches: bool = _option(
        False,
        "The inventory: each cache, who uses it in which mode, and what waits for what, before "
        "and after; --format json gives it as data.",
        Topic.ABOUT,
    )
    explain: str | None = _option(
        None, "What a rule does and why, with an example and its sources.", Topic.ABOUT, CODE
    )
    list_rules: bool = _option(False, "All rules.", Topic.ABOUT)
    show_tree: str | None = _option(None, "The syntax tree of a file.", Topic.ABOUT, _FILE)
    version: bool = _option(False, "The version.", Topic.OTHER)

    @property
    def mode(self) -> Literal["write", "dry-run", "check"]:
        """The name of the run's mode in reports."""
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


def settings_from(*sources: Mapping[str, object]) -> Settings:
    """Return settings from values by field name; later sources override earlier ones.

    Raise ConfigError, without a place, for values that could break out of an id or that name
    places outside the root.
    """
    values: dict[str, Any] = {name: given for one in sources for name, given in one.items()}
    for option in options_of(Settings):
        if option.shape is CODE and option.name in values:
            values[option.name] = tuple(map(_prefix, values[option.name]))
    settings = Settings(**values)
    for option in options_of(Settings):
        option.check(getattr(settings, option.name))
    for override, option in product(settings.overrides, options_of(Override)):
        option.check(getattr(override, option.name), "overrides")
    return settings


def _prefix(code: str) -> str:
    return "MC" if code.upper() == "ALL" else code.upper()
