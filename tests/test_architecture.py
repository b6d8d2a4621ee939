"""The layout that CONTRIBUTING.md draws: the rooms in one spine, imports one way.

Imports inside functions and under TYPE_CHECKING count.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import migrate_cache
from tests.conftest import ROOT

PACKAGE = Path(migrate_cache.__file__).parent
# What stands at the top of the package: the public face, which imports what it offers.
FACE = {"__init__", "__main__", "_version", "testing"}
MACHINE = {"os", "subprocess", "multiprocessing", "concurrent", "typer", "rich"}

pytestmark = pytest.mark.checkout


def layout() -> tuple[dict[str, list[str]], set[str]]:
    """The rooms in their order with their files in theirs, and the rooms above the line."""
    rooms: dict[str, list[str]] = {}
    pure: set[str] = set()
    for line in (ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines():
        if "may touch the machine" in line:
            pure = set(rooms)
        row = re.match(r"\| `(\w+)/?` \|[^|]*\|([^|]*)\|", line)
        if row:
            names = re.findall(r"`([\w.*]+)/?`", row[2])
            rooms[row[1]] = [name for name in names if not name.endswith(".toml")]
    assert pure
    return rooms, pure


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        if name not in FACE:
            found[name] = path
    return found


def imports(path: Path) -> set[str]:
    """The package's own modules that a file imports, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("migrate_cache"):
            module = (node.module or "").removeprefix("migrate_cache").strip(".")
            folder = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
            for alias in node.names:
                is_module = (folder / alias.name).is_dir() or (folder / f"{alias.name}.py").exists()
                name = f"{module}.{alias.name}".strip(".") if is_module else module
                if name:
                    found.add(name)
    return found


def outside_imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def position(name: str, rooms: dict[str, list[str]]) -> tuple[int, int]:
    """Where a module stands: its room, and its place there; a package's `__init__` is last."""
    room, _, rest = name.partition(".")
    assert room in rooms, f"{name}: CONTRIBUTING.md has no room {room}"
    order = list(rooms)
    if not rest or not rooms[room]:
        return order.index(room), len(rooms[room])
    file = _listed(room, rest.partition(".")[0])
    assert file in rooms[room], f"{name}: CONTRIBUTING.md does not name {file} in {room}"
    return order.index(room), rooms[room].index(file)


def _listed(room: str, file: str) -> str:
    """The name of a file in the layout: rules are listed as one, in no order."""
    return "mc*" if room == "rules" and re.match(r"mc\d+_", file) else file


def test_imports_go_one_way() -> None:
    rooms, _ = layout()
    wrong = {
        (name, other)
        for name, path in modules().items()
        for other in imports(path)
        if other not in FACE and position(other, rooms) > position(name, rooms)
    }
    assert not wrong, "\n".join(f"{name} imports {other}" for name, other in sorted(wrong))


def test_the_layout_names_what_is_there() -> None:
    rooms, _ = layout()
    there = {([*name.split("."), ""])[0:2][0] for name in modules()}
    assert set(rooms) == there
    files = {
        room: {_listed(*name.split(".")[:2]) for name in modules() if name.startswith(room + ".")}
        for room in rooms
    }
    assert {room: set(names) for room, names in rooms.items()} == files


def test_nothing_above_the_line_touches_the_machine() -> None:
    _, pure = layout()
    wrong = {
        (name, used)
        for name, path in modules().items()
        if name.partition(".")[0] in pure
        for used in outside_imports(path) & MACHINE
    }
    assert not wrong


def test_no_circles_within_a_file_list() -> None:
    """No module imports itself through others: files of one place may not import each other."""
    graph = {name: imports(path) - {name} for name, path in modules().items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name in done or name not in graph:
            return
        for other in sorted(graph[name]):
            visit(other, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_the_calls_from_the_command_to_the_file(tmp_path: Path) -> None:
    """CONTRIBUTING.md lists them; a real run makes them in this order, and no deeper."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    wanted = re.findall(r"^\d+\. `([\w/]+)\.py` `(\w+)`", text, re.MULTILINE)
    assert len(wanted) == 12
    (tmp_path / "Dockerfile").write_text(
        "FROM golang:1.26\nRUN --mount=type=cache,target=/go/pkg/mod,sharing=locked go build .\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", TRACED, "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    calls = json.loads(result.stdout)
    first = [calls["order"].index(list(call)) for call in wanted]
    assert first == sorted(first)
    assert calls["depth"] <= 12


# Runs the command; prints the functions of the package in the order of their first calls, and
# how many of them stand between `main` and the edit of a mount.
TRACED = """
import json, os, sys
import migrate_cache.cli.app
root = os.path.dirname(migrate_cache.__file__)
order, depth = {}, []
def ours(frame):
    return frame.f_code.co_filename.startswith(root)
def watch(frame, event, argument):
    if event == "call" and ours(frame):
        file = os.path.relpath(frame.f_code.co_filename, root)[:-3].replace(os.sep, "/")
        order.setdefault((file, frame.f_code.co_name))
        if (file, frame.f_code.co_name) == ("dockerfile/mount", "set"):
            stack = []
            while frame:
                stack.append(frame)
                frame = frame.f_back
            depth.append(sum(map(ours, stack)))
sys.setprofile(watch)
try:
    migrate_cache.cli.app.main()
except SystemExit:
    sys.setprofile(None)
print(json.dumps({"order": list(order), "depth": max(depth)}))
"""


def test_only_the_parser_knows_lark() -> None:
    users = [
        name
        for name, path in modules().items()
        if "lark" in outside_imports(path) and not name.startswith("builds.")
    ]
    assert users == ["dockerfile.parser"]


def test_exported_names_exist_and_are_documented() -> None:
    assert len(set(migrate_cache.__all__)) == len(migrate_cache.__all__)
    for name in migrate_cache.__all__:
        value = getattr(migrate_cache, name)
        assert name.startswith("__") or value.__doc__, name


def test_functions_are_not_hidden_by_modules() -> None:
    importlib.import_module("migrate_cache.dockerfile.parser")
    importlib.import_module("migrate_cache.plan.api")
    tree = migrate_cache.parse(b"FROM x\n")
    assert isinstance(tree, migrate_cache.Dockerfile)
    assert not migrate_cache.migrate({"Dockerfile": tree.text}).files[0].changed
