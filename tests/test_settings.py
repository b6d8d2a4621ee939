"""The declared options: what each says of itself, and which values are refused."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import Any

import pytest
import typer.main
from jsonschema import Draft202012Validator

from migrate_cache.cli.app import app
from migrate_cache.report import FORMATS
from migrate_cache.settings import (
    Format,
    Option,
    Options,
    Override,
    Settings,
    Topic,
    options_of,
    settings_from,
)
from migrate_cache.text.errors import ConfigError

SCHEMA = json.loads(files("migrate_cache.files").joinpath("config.schema.json").read_text("utf-8"))
DECLARED = [*options_of(Settings), *options_of(Override), *options_of(Options)]


def valid(text: str) -> bool:
    return Draft202012Validator(SCHEMA).is_valid(tomllib.loads(text))


# The declarations.


def test_the_settings_are_the_public_ones() -> None:
    """Their names and defaults are the library's interface."""
    assert Settings() == Settings(
        select=(),
        ignore=(),
        service="",
        id_template="{kind}-{stage}-{service}",
        project="",
        cargo_lock=True,
        fresh_ids=False,
        keep_lock=False,
        exclude=(),
        gitignore=True,
        vendored=("vendor", "node_modules", "third_party", "testdata", ".git"),
        build_files=(),
        overrides=(),
        caches=(),
    )
    assert Override(("a",)) == Override(("a",), service="", id="", id_template="", skip=False)


@pytest.mark.parametrize("option", DECLARED, ids=lambda option: option.key)
def test_every_option_says_what_it_is_for(option: Option) -> None:
    assert option.help[0].isupper()
    assert option.help.endswith(".")
    assert "\n" not in option.help
    assert option.shape is None or option.type in (str, str | None, tuple[str, ...], int)


def test_the_formats_are_those_of_the_reports() -> None:
    assert tuple(Format) == tuple(FORMATS)


def command() -> dict[str, Any]:
    return {parameter.name: parameter for parameter in typer.main.get_command(app).params}


def test_the_command_has_every_option_that_has_a_topic() -> None:
    wanted = {option.name for option in DECLARED if option.topic}
    assert set(command()) == wanted | {"install_completion", "show_completion"}


@pytest.mark.parametrize("option", [o for o in DECLARED if o.topic], ids=lambda option: option.key)
def test_how_the_command_line_takes_an_option(option: Option) -> None:
    parameter = command()[option.name]
    if option.topic is Topic.ARGUMENTS:
        assert parameter.param_type_name == "argument"
        return
    names = {f"--{option.key}"} | ({option.short} if option.short else set())
    assert set(parameter.opts) == names
    negatable = option in options_of(Settings) and option.type is bool
    assert parameter.secondary_opts == ([f"--no-{option.key}"] if negatable else [])
    assert parameter.help.startswith(option.help)
    assert parameter.multiple == option.is_list
    assert parameter.is_flag == (option.type is bool)
    if option in options_of(Settings):
        assert parameter.default is None  # the configuration counts


def test_no_letter_and_no_name_is_used_twice() -> None:
    letters = [option.short for option in DECLARED if option.short]
    names = [option.name for option in DECLARED if option.topic]
    assert len(set(letters)) == len(letters)
    assert len(set(names)) == len(names)


# What is refused.

BREAKING_OUT = [
    "a,sharing=locked", "a b", 'a"b', "a'b", "a\nb", "a\tb", "$(id)", "`id`", "$X", "${X", "${x y}",
    "${X:-a,b}", "a\\", "a;b", "é", "\x1b[31m",
]  # fmt: skip
LEADING_OUT = ["../x", "a/../../x", "..", "C:/x", "~/x", "a\\b", ""]


@pytest.mark.parametrize("value", BREAKING_OUT)
@pytest.mark.parametrize("key", ["service", "project", "id_template"])
def test_nothing_breaks_out_of_an_id(key: str, value: str) -> None:
    with pytest.raises(ConfigError):
        settings_from({key: value})


@pytest.mark.parametrize("value", BREAKING_OUT)
@pytest.mark.parametrize("key", ["service", "id", "id_template"])
def test_nothing_breaks_out_of_an_override(key: str, value: str) -> None:
    with pytest.raises(ConfigError):
        settings_from({"overrides": (Override(("x",), **{key: value}),)})  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["exclude", "vendored", "build_files"])
@pytest.mark.parametrize("glob", [*LEADING_OUT, " ", "a\nb", "*a" * 9])
def test_no_pattern_leads_out_of_the_root(key: str, glob: str) -> None:
    with pytest.raises(ConfigError):
        settings_from({key: (glob,)})


@pytest.mark.parametrize("value", ["api", "s/x-${SERVICE}", "${A:-b.c}", "a@b+c:1_2"])
def test_what_may_stand_in_an_id(value: str) -> None:
    assert settings_from({"service": value}).service == value
    assert valid(f"service = '{value}'")


@pytest.mark.parametrize("glob", ["legacy/", "/top", "*.old", "**/x/**", "!kept", "a..b", "*a" * 8])
def test_what_may_be_a_pattern(glob: str) -> None:
    assert settings_from({"exclude": (glob,)}).exclude == (glob,)
    assert valid(f"exclude = ['{glob}']")


def test_build_files_are_relative() -> None:
    with pytest.raises(ConfigError, match="absolute"):
        settings_from({"build_files": ("/etc/compose.yml",)})
    assert not valid("build-files = ['/etc/compose.yml']")


def test_an_empty_template_makes_no_id() -> None:
    with pytest.raises(ConfigError, match="id-template is empty"):
        settings_from({"id_template": ""})


def test_later_sources_win() -> None:
    settings = settings_from({"service": "a", "keep_lock": True}, {"service": "b"})
    assert (settings.service, settings.keep_lock) == ("b", True)


def test_codes_are_prefixes_in_upper_case() -> None:
    settings = settings_from({"select": ("all",), "ignore": ("mc1", "MC201")})
    assert (settings.select, settings.ignore) == (("MC",), ("MC1", "MC201"))


# The schema.


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("value", BREAKING_OUT)
def test_the_schema_refuses_what_breaks_out(value: str) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid({"service": value})
    assert not Draft202012Validator(SCHEMA).is_valid({"id-template": value})


@pytest.mark.parametrize("glob", LEADING_OUT)
def test_the_schema_refuses_what_leads_out(glob: str) -> None:
    for key in ("exclude", "vendored", "build-files"):
        assert not Draft202012Validator(SCHEMA).is_valid({key: [glob]})


@pytest.mark.parametrize(
    "text",
    [
        "exlude = []",
        "dry-run = true",
        "select = 'MC1'",
        "select = ['MC9999']",
        "keep-lock = 'yes'",
        "cargo-lock = true\nno-cargo-lock = true",
        "[[overrides]]\nservice = 'a'",
        "[[overrides]]\nfiles = []",
        "[[overrides]]\nfiles = ['a']\nskip = true\nno-skip = true",
        "[[caches]]\ntarget = '/x'\nkind = 'shard'",
        "[[caches]]\ntarget = '/x'\ncustom = true",
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(text: str) -> None:
    assert not valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-keep-lock = true",
        "select = ['all', 'mc1']",
        "service = ''",
        "[[overrides]]\nfiles = ['a']\nno-skip = true",
        "[[caches]]\ntarget = ['/x', '~/y']\nkind = 'output'\nneeds-tool = true\ntools = 'make'",
    ],
)
def test_the_schema_accepts_what_the_reader_accepts(text: str) -> None:
    assert valid(text)
