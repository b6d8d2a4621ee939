"""The configuration: what it may say, and how wrong ones are answered."""

from __future__ import annotations

import json
import pickle
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from migrate_cache.files.config_file import Root, find_root, read_config
from migrate_cache.settings import Options, Override, Settings, options_of, settings_from
from migrate_cache.text.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FULL = """\
select = ["MC1"]
ignore = ["mc104"]
service = "api"
id-template = "s/x-{kind}-{stage}-${SERVICE}"
project = "shop"
cargo-lock = false
fresh-ids = true
keep-lock = true
exclude = ["legacy/**", "*.old.Dockerfile"]
gitignore = false
vendored = ["vendor"]
build-files = ["deploy/stack.yml"]

[[overrides]]
files = ["services/worker*/Dockerfile"]
service = "worker"
id-template = "target-worker-{stage}"

[[overrides]]
files = ["x"]
id = "s/abc-${TARGETARCH:-amd64}"
skip = true

[[caches]]
target = "/opt/cache"
kind = "shared"
slug = "opt"
reason = "it locks"
"""


def load(tmp_path: Path, text: str, name: str = "migrate-cache.toml") -> Settings:
    (tmp_path / name).write_text(text, "utf-8")
    return settings_from(read_config(str(tmp_path / name), root=str(tmp_path)))


def complaint(tmp_path: Path, text: str, name: str = "migrate-cache.toml") -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, name)
    return str(caught.value)


def test_every_key_is_read(tmp_path: Path) -> None:
    settings = load(tmp_path, FULL)
    assert settings == Settings(
        select=("MC1",),
        ignore=("MC104",),
        service="api",
        id_template="s/x-{kind}-{stage}-${SERVICE}",
        project="shop",
        cargo_lock=False,
        fresh_ids=True,
        keep_lock=True,
        exclude=("legacy/**", "*.old.Dockerfile"),
        gitignore=False,
        vendored=("vendor",),
        build_files=("deploy/stack.yml",),
        overrides=(
            Override(
                ("services/worker*/Dockerfile",),
                service="worker",
                id_template="target-worker-{stage}",
            ),
            Override(("x",), id="s/abc-${TARGETARCH:-amd64}", skip=True),
        ),
        caches=({"target": "/opt/cache", "kind": "shared", "slug": "opt", "reason": "it locks"},),
    )
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_an_empty_configuration_is_the_default(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Settings()
    assert load(tmp_path, "[tool.migrate-cache]\n", "pyproject.toml") == Settings()


def test_the_opposite_of_an_option_is_a_key_too(tmp_path: Path) -> None:
    settings = load(tmp_path, "no-cargo-lock = true\nno-gitignore = true\n")
    assert (settings.cargo_lock, settings.gitignore) == (False, False)
    assert "both given" in complaint(tmp_path, "cargo-lock = true\nno-cargo-lock = true\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\nexlude = []",
            "migrate-cache.toml:2:1: unknown key 'exlude'\n  hint: did you mean 'exclude'?",
        ),
        ("zzz = 1", "migrate-cache.toml:1:1: unknown key 'zzz'\n  hint: known keys: build-files, "),
        (
            "dry-run = true",
            "migrate-cache.toml:1:1: 'dry-run' is an option of the command line only",
        ),
        (
            "select = 'MC1'",
            "migrate-cache.toml:1:1: 'select': expected a list of strings, not a string",
        ),
        ("select = [1]", "'select': expected a list of strings, not a list of other things"),
        ("keep-lock = 'yes'", "'keep-lock': expected true or false, not a string"),
        ("service = 1", "'service': expected a string, not a number"),
        ("service = 2024-01-01", "'service': expected a string, not a date or a time"),
        ("overrides = 1", "'overrides': expected tables, written [[overrides]]"),
        ("# x\n[[overrides]]\nservice = 'a'", "migrate-cache.toml:2:1: an override needs 'files'"),
        (
            "[[overrides]]\nfiles=['a']\n[[overrides]]\nfiles=['b']\nservise='x'",
            "migrate-cache.toml:5:1: unknown key 'servise' in [[overrides]]\n  hint: did you mean ",
        ),
        ("x = 1\ny = [", "migrate-cache.toml:2:1: not valid TOML: "),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "not valid TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "not valid TOML"),
        ("[[caches]]\ntarget='/x'\nkind='shard'", "migrate-cache.toml:3:1: "),
        (
            "[[caches]]\ntarget='/x'\nkind='shared'\n[[caches]]\nkidn='a'",
            "migrate-cache.toml:5:1: ",
        ),
        ("select = ['MC9999']", "migrate-cache.toml:1:1: select: there is no rule 'MC9999'"),
        ("ignore = ['MC211', 'MX101']", "hint: did you mean MC101?"),
        (
            "id-template = '{kind}-{servce}'",
            "unknown placeholder {servce}\n  hint: did you mean {service}?",
        ),
        ("id-template = ''", "migrate-cache.toml:1:1: id-template is empty"),
        (
            "\n[[overrides]]\nfiles=['a']\nid-template='{x}'",
            "migrate-cache.toml:4:1: overrides.id-template",
        ),
        (
            "[[overrides]]\nfiles=['a']\n[[overrides]]\nfiles=['../b']",
            "migrate-cache.toml:4:1: overrides.files: '../b' leads out",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in complaint(tmp_path, text)


def test_how_to_run_is_for_the_command_line_only(tmp_path: Path) -> None:
    for option in options_of(Options):
        if option.name != "caches":  # a key of the configuration, too
            said = complaint(tmp_path, f"{option.key} = true")
            assert f"{option.key!r} is an option of the command line only" in said


def test_places_in_a_pyproject(tmp_path: Path) -> None:
    text = "[project]\nselct = 1\n[tool.migrate-cache]\n\nselct = []\n"
    assert complaint(tmp_path, text, "pyproject.toml").startswith("pyproject.toml:5:1: unknown key")
    assert "expected a table" in complaint(tmp_path, "tool.migrate-cache = 1", "pyproject.toml")
    assert "has no table" in complaint(tmp_path, "[tool.other]", "pyproject.toml")


def test_the_nearest_folder_with_a_configuration_or_git_is_the_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_root(str(deep)) == Root(str(tmp_path), marked=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_root(str(deep)).path == str(tmp_path)
    (tmp_path / "a" / "pyproject.toml").write_text("# migrate-cache is mentioned only\n")
    assert find_root(str(deep)).path == str(tmp_path)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.migrate-cache]\n")
    assert find_root(str(deep)).config == str(tmp_path / "a" / "pyproject.toml")
    (tmp_path / "a" / "migrate-cache.toml").write_text("")
    assert find_root(str(deep)).config == str(tmp_path / "a" / "migrate-cache.toml")
    (tmp_path / "a" / ".migrate-cache.toml").write_text("")
    assert find_root(str(deep)).config == str(tmp_path / "a" / ".migrate-cache.toml")


def test_a_project_without_a_mark(tmp_path: Path) -> None:
    # Above the temporary folder there is neither git nor a configuration.
    assert find_root(str(tmp_path)) == Root(str(tmp_path))


def test_a_broken_pyproject_of_somebody_else_is_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("x = [")
    assert find_root(str(tmp_path)) == Root(str(tmp_path))


def test_a_configuration_that_is_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.toml").write_text("keep-lock = true\n")
    root = tmp_path / "root"
    root.mkdir()
    try:
        (root / "migrate-cache.toml").symlink_to(tmp_path / "outside.toml")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(ConfigError, match="link out of the project"):
        read_config(str(root / "migrate-cache.toml"), root=str(root))
    assert read_config(str(root / "migrate-cache.toml")) == {"keep_lock": True}


def test_the_schema_accepts_every_key() -> None:
    text = files("migrate_cache.files").joinpath("config.schema.json").read_text("utf-8")
    Draft202012Validator(json.loads(text)).validate(tomllib.loads(FULL))
    assert {option.key for option in options_of(Settings)} == set(tomllib.loads(FULL))
