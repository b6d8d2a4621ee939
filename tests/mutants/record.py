"""Which tests run a line: modules are imported with a call before each statement."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import time
import types
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.mutants.mutate import ROOT

PACKAGE = ROOT / "migrate_cache"
DECIDING = ("services", "caches", "rules", "plan")


Change = Callable[[Path], ast.Module]


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a changed module."""

    def __init__(self, fullname: str, path: Path, change: Change) -> None:
        super().__init__(fullname, str(path))
        self._change = change

    def get_code(self, _fullname: str) -> types.CodeType:
        return compile(self._change(Path(self.path)), self.path, "exec")


class Finder(importlib.abc.MetaPathFinder):
    """Finds changed modules in the rooms that decide: all of them, or `only` one file."""

    def __init__(self, change: Change, only: Path | None = None) -> None:
        self._change = change
        self._only = only

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(tuple(f"migrate_cache.{room}" for room in DECIDING)):
            return None
        folder = ROOT.joinpath(*fullname.split("."))
        path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        if not path.exists() or self._only not in (None, path):
            return None
        loader = Loader(fullname, path, self._change)
        return importlib.util.spec_from_file_location(fullname, path, loader=loader)


@dataclass
class Coverage:
    """Which tests run a line, by file and line; how long each takes; `failed` ones."""

    tests: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    at_import: set[tuple[str, int]] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Recorder:
    """Records the coverage of each test."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self._test = ""
        # Of each statement its file and lines, whether an import runs it, and the tests that do.
        self._statements: list[tuple[str, set[int], bool]] = []
        self._seen: list[set[str]] = []
        vars(builtins)["__ran__"] = self._ran

    def _ran(self, number: int) -> None:
        self._seen[number].add(self._test)

    def instrumented(self, path: Path) -> ast.Module:
        """Return a module that reports each of its statements before running it."""
        tree = ast.parse(path.read_text("utf-8"))
        self._instrument(tree, str(path), at_import=True)
        return ast.fix_missing_locations(tree)

    def _instrument(self, node: ast.AST, path: str, at_import: bool) -> None:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue
            changed: list[ast.stmt] = []
            for statement in block:
                if not is_prologue(statement):
                    changed.append(self._report(statement, path, at_import))
                changed.append(statement)
                function = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
                self._instrument(statement, path, at_import and not function)
            setattr(node, name, changed)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            self._instrument(part, path, at_import)

    def _report(self, statement: ast.stmt, path: str, at_import: bool) -> ast.stmt:
        lines = lines_of(statement)
        for inner in ast.walk(statement):
            if isinstance(inner, ast.stmt) and inner is not statement:
                lines -= lines_of(inner)
        call = ast.parse(f"__ran__({len(self._statements)})").body[0]
        self._statements.append((path, lines, at_import))
        self._seen.append(set())
        return ast.copy_location(call, statement)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid
        forget_results()
        began = time.monotonic()
        try:
            return (yield)  # type: ignore[misc]
        finally:
            self.coverage.seconds[item.nodeid] = time.monotonic() - began
            self._test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.coverage.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        for (path, lines, at_import), tests in zip(self._statements, self._seen, strict=True):
            for line in lines:
                if tests and (at_import or "" in tests):
                    self.coverage.at_import.add((path, line))
                self.coverage.tests[path, line] |= tests - {""}


def is_prologue(statement: ast.stmt) -> bool:
    """Whether nothing may stand before a statement: a docstring, or an import of the future."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def lines_of(statement: ast.stmt) -> set[int]:
    return set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))


def forget_results() -> None:
    """Empty the caches of functions, so that each test runs all that it needs."""
    for name, module in list(sys.modules.items()):
        if name.startswith("migrate_cache.") and name.split(".")[1] in DECIDING:
            for value in vars(module).values():
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()
