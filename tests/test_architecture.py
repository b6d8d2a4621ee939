"""Arrows point one way: what each module may import of the package."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import migrate_cache

PACKAGE = Path(__file__).parent.parent / "migrate_cache"
# From the bottom to the top; a module imports only what stands below its own layer, or in it.
LAYERS = (
    ("source", "errors", "report.escape"),
    ("edits", "words", "globs", "commands", "images"),
    ("lines", "rejections", "builds", "catalog"),
    ("rule_texts", "rules"),
    ("config",),
    ("nodes", "mounts", "cst"),
    ("flag_words", "flag_checks", "mount_checks", "checks"),
    ("parser",),
    ("scope", "ignores"),
    ("services", "graph"),
    ("codemods",),
    ("safety", "scan", "outcomes", "trees"),
    ("project", "planner"),
    ("report",),
    ("terminal", "options", "config_file", "listing", "tally", "discovery", "writer"),
    ("output", "interactive", "job"),
    ("run",),
    ("cli",),
    ("__main__",),
)


def layer(module: str) -> int:
    """The layer of a module, by its longest name that stands in one."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for index, names in enumerate(LAYERS):
            if name in names:
                return index
    raise AssertionError(f"{module} stands in no layer")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("migrate_cache"):
            module = (node.module or "").removeprefix("migrate_cache").strip(".")
            if module:
                found.add(module)
            else:
                found.update(
                    alias.name
                    for alias in node.names
                    if (PACKAGE / alias.name).is_dir() or (PACKAGE / f"{alias.name}.py").exists()
                )
    return found


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            found[name] = path
    return found


@pytest.mark.checkout
def test_arrows_point_one_way() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, path in modules().items()
        for other in imports(path)
        if layer(other) > layer(module)
    ]
    assert not wrong


@pytest.mark.checkout
def test_only_the_parser_knows_lark() -> None:
    users = [
        module
        for module, path in modules().items()
        if "lark" in path.read_text("utf-8").replace("dockerfile.lark", "").replace("Lark", "lark")
        and any(
            line.strip().startswith(("import lark", "from lark"))
            for line in path.read_text("utf-8").splitlines()
        )
        and not module.startswith("builds.")
    ]
    assert users == ["parser"]


def test_exported_names_exist_and_are_documented() -> None:
    assert len(set(migrate_cache.__all__)) == len(migrate_cache.__all__)
    for name in migrate_cache.__all__:
        value = getattr(migrate_cache, name)
        assert name.startswith("__") or value.__doc__, name


def test_functions_are_not_hidden_by_modules() -> None:
    importlib.import_module("migrate_cache.parser")
    importlib.import_module("migrate_cache.project")
    tree = migrate_cache.parse(b"FROM x\n")
    assert isinstance(tree, migrate_cache.Dockerfile)
    assert not migrate_cache.migrate({"Dockerfile": tree.text}).files[0].changed
