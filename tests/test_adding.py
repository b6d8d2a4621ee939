"""What it takes to add something: one file, in a copy of the tree, and ``make generate``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT

pytestmark = pytest.mark.checkout

# What the command runs from, and what is generated.
COPIED = ("migrate_cache", "grammar", "tools", "README.md", "examples")


class Tree:
    """A copy of the tree, and a project to run its command in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / ".git").mkdir()
        self.root.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, self.root / name, ignore=ignored)
            else:
                shutil.copy2(source, self.root / name)

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    def add(self, path: str, text: str, *, before: str = "") -> None:
        """Put `text` into a file, before another text that stands there once, or at the end."""
        now = self.read(path) if (self.root / path).exists() else ""
        assert not before or now.count(before) == 1
        at = now.index(before) if before else len(now)
        (self.root / path).write_text(now[:at] + text + now[at:], "utf-8")

    def python(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run Python in the project, with the package of the copy."""
        path = {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.project,
            env=os.environ | path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "migrate_cache", *arguments)

    def generate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python(self.root / "tools" / "generate.py", *arguments)

    def generated(self) -> list[str]:
        """Generate; return the files that were written."""
        stale = self.generate("--check")
        done = self.generate()
        assert done.returncode == 0, done.stderr
        current = self.generate("--check")
        written = [line.removeprefix("wrote ") for line in done.stdout.splitlines()]
        assert (stale.returncode, current.returncode) == (int(bool(written)), 0)
        return written


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_copy_is_current(tree: Tree) -> None:
    assert tree.generated() == []
    assert tree.generate("--bogus").returncode == 1


class Added(NamedTuple):
    """An option: its declaration, words for the command line, and values in a configuration."""

    declaration: str
    words: tuple[str, ...]
    right: str
    read: str
    wrong: str


OPTIONS = {
    "flag": Added(
        "deep_clean: bool = _option(False, 'Clean deeply.', Topic.CHANGES)",
        ("--no-deep-clean",), "true", "True", "'yes'",
    ),
    "number": Added(
        "most_ids: int = _option(3, 'As many ids at most.', Topic.FILES)",
        ("--most-ids", "4"), "7", "7", "true",
    ),
    "text": Added(
        "id_prefix: str = _option('', 'What ids begin with.', Topic.CHANGES, _NAME)",
        ("--id-prefix", "b"), "'a'", "'a'", "'a,b'",
    ),
    "choice": Added(
        "hue: Hue = _option(Hue.RED, 'Red or blue.', Topic.SHOWN)",
        ("--hue", "red"), "'blue'", "<Hue.BLUE: 'blue'>", "'green'",
    ),
    "key of the configuration": Added(
        "extra: tuple[str, ...] = _option((), 'More files.', shape=_GLOB)",
        (), "['a']", "('a',)", "['../a']",
    ),
}  # fmt: skip
HUE = 'class Hue(StrEnum):\n    """Hues."""\n\n    RED = "red"\n    BLUE = "blue"\n\n\n'


@pytest.mark.parametrize("kind", OPTIONS)
def test_adding_an_option(tree: Tree, kind: str) -> None:
    """One field in `settings`."""
    added = OPTIONS[kind]
    name = added.declaration.partition(":")[0]
    key = name.replace("_", "-")
    configuration = tree.project / "migrate-cache.toml"
    configuration.write_text(f"{key} = {added.right}\n")
    assert f"unknown key '{key}'" in tree.command("--check").stderr

    settings = "migrate_cache/settings.py"
    tree.add(settings, f"    {added.declaration}\n", before="    overrides: tuple[Override")
    tree.add(settings, HUE, before="@dataclass(frozen=True, slots=True)\nclass Settings:")
    assert set(tree.generated()) == {
        "README.md", "examples/migrate-cache.toml", "migrate_cache/files/config.schema.json",
    }  # fmt: skip

    # The command line.
    shown = tree.command("--help").stdout
    assert (f" --{key}" in shown) is bool(added.words)
    assert (f"'{key}'" in shown) is not bool(
        added.words
    )  # named as a key of the configuration only
    configuration.unlink()
    assert tree.command("--check", *added.words).returncode == 0
    assert tree.command("--check", f"--{key}x").returncode == 2

    # The configuration.
    configuration.write_text(f"{key} = {added.right}\n")
    assert tree.command("--check").returncode == 0
    read = (
        "from migrate_cache.files.config_file import read_config;"
        "from migrate_cache.settings import settings_from;"
        f"print(repr(settings_from(read_config('migrate-cache.toml')).{name}))"
    )
    assert tree.python("-c", read).stdout == f"{added.read}\n"
    configuration.write_text(f"\n{key} = {added.wrong}\n")
    refused = tree.command("--check")
    assert refused.returncode == 2
    assert refused.stderr.startswith("migrate-cache.toml:2:1: ")

    # The schema and the documents.
    schema = json.loads(tree.read("migrate_cache/files/config.schema.json"))
    accepts = Draft202012Validator(schema).is_valid
    assert accepts(tomllib.loads(f"{key} = {added.right}"))
    assert not accepts(tomllib.loads(f"{key} = {added.wrong}"))
    readme = tree.read("README.md")
    assert f"| `{key}` |" in readme
    assert (f" --{key}" in readme) is bool(added.words)
    assert f"\n# {key} = " in tree.read("examples/migrate-cache.toml")


CACHE = """
[[cache]]
name = "Assets"
slug = "assets"
kind = "shared"
targets = ["/opt/assets"]
tools = ["assets"]
reason = "assets are written under a name of their own and renamed"
source = "https://assets.example/cache"
evidence = "documented"
"""


def test_adding_a_download_cache(tree: Tree) -> None:
    """One entry of the catalogue."""
    text = "FROM a\nRUN --mount=type=cache,target=/opt/assets,sharing=locked assets fetch\n"
    dockerfile = tree.project / "Dockerfile"
    dockerfile.write_text(text)
    assert tree.command().returncode == 0
    assert dockerfile.read_text() == text

    tree.add("migrate_cache/caches/catalog.toml", CACHE)
    assert tree.generated() == ["README.md"]
    assert "| Assets | shared | assets are written under a name" in tree.read("README.md")
    assert tree.command().returncode == 0
    assert dockerfile.read_text() == text.replace("locked", "shared")


RULE = '''\
"""MC050: give every npm cache mount an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.edits import mount_edits
from migrate_cache.rules.rule import Change, Example, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = "FROM node:24\\nRUN --mount=type=cache,target=/root/.npm npm ci\\n"


@rule(
    code="MC050",
    name="npm-cache-id",
    severity="rewrite",
    summary="an npm cache mount without an id gets `id=npm`",
    explanation="All our builds share it.",
    examples=(Example(BEFORE, after=BEFORE.replace("/.npm", "/.npm,id=npm")),),
)
def npm_cache_id(cache: Cache, context: Context) -> Iterator[Change]:
    """Give npm's cache one id, wherever it is mounted."""
    for mount in context.undecided(cache):
        if mount.entry and mount.entry.slug == "npm" and not mount.id:
            yield Change(mount, mount_edits(mount.node, "npm"), "all our builds share it")
'''


def test_adding_a_rule(tree: Tree) -> None:
    """One file in `rules`."""
    text = "FROM node:24\nRUN --mount=type=cache,target=/root/.npm npm ci\n"
    dockerfile = tree.project / "Dockerfile"
    dockerfile.write_text(text)
    assert tree.command("--explain", "MC050").returncode == 2

    tree.add("migrate_cache/rules/mc050_npm_cache_id.py", RULE)
    assert tree.generated() == ["README.md"]
    assert "| MC050 | npm-cache-id | rewrite | an npm cache mount" in tree.read("README.md")
    assert "All our builds share it." in tree.command("--explain", "npm-cache-id").stdout
    assert "MC050  npm-cache-id" in tree.command("--list-rules").stdout
    assert tree.command("--ignore", "MC050", "--check").returncode == 0
    sarif = json.loads(tree.command("--dry-run", "--format", "sarif").stdout)
    assert "MC050" in [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]]
    assert tree.command().returncode == 0
    assert dockerfile.read_text() == text.replace("/root/.npm", "/root/.npm,id=npm")
