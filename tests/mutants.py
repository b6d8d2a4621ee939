"""Mutation testing: change the code that decides, and see whether a test notices.

``python -m tests.mutants [--count 400] [--seed 1] [--minutes 30] [--only PART] [--jobs N]``

A seeded sample of small changes to `DECIDING` is tried, one at a time; those that no test of
`TESTS` notices are printed. Texts are never changed, and nothing is written: a mutant lives in
the memory of one process, which is forked with everything imported but what decides. Each
mutant is shown to the tests that run its line, the quickest first.
"""

# ruff: noqa: T201 - it prints a report
from __future__ import annotations

import argparse
import ast
import copy
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import pickle
import random
import signal
import sys
import tempfile
import time
import traceback
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "migrate_cache"
DECIDING = ("services", "caches", "rules", "plan")
TESTS = (
    "tests/rules", "tests/plan", "tests/services", "tests/caches", "tests/test_fixtures.py",
)  # fmt: skip
# What the tests import and the mutants do not touch: it is imported once.
SHARED = (
    "hypothesis", "hypothesis.strategies", "syrupy", "pytest_timeout", "jsonschema", "yaml",
    "hcl2", "lark", "pathspec", "typer.testing", "rich.console", "difflib",
    "concurrent.futures.process",
    *(f"migrate_cache.{room}" for room in ("text", "settings", "shell", "dockerfile", "builds")),
    "migrate_cache.dockerfile.parser", "migrate_cache.dockerfile.scope",
)  # fmt: skip
OPTIONS = (
    "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "tmp_path_retention_policy=none",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


# -- mutants ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One change: `node` is the number of the changed node in the walk over its file."""

    path: Path
    line: int
    end: int
    node: int
    variant: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
NAMES = {
    "any": "all", "all": "any", "min": "max", "max": "min",
    "startswith": "endswith", "endswith": "startswith", "find": "rfind", "rfind": "find",
    "partition": "rpartition", "rpartition": "partition", "union": "intersection",
    "issubset": "issuperset", "match": "search", "fullmatch": "match",
}  # fmt: skip
# Calls that may be left out: what they are given comes instead.
PASSED_ON = {"sorted", "reversed", "set", "frozenset", "clean_path"}
METHODS_PASSED_ON = {"lower", "upper", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place."""
    make = MAKERS.get(type(node))
    if make:
        yield from make(node)


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for at, operator in enumerate(node.ops):
        changed = copy.deepcopy(node)
        changed.ops[at] = COMPARISONS[type(operator)]()
        yield changed


def _bool_op(node: ast.BoolOp) -> Iterator[ast.AST]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield ast.BoolOp(other, node.values)
    for at in range(len(node.values)):
        rest = node.values[:at] + node.values[at + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _test(node: Any) -> Iterator[ast.AST]:
    """Turn a condition round, where no other mutant does so."""
    if isinstance(node.test, ast.Compare | ast.UnaryOp):
        return
    changed = copy.deepcopy(node)
    changed.test = ast.UnaryOp(ast.Not(), changed.test)
    yield changed


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for at in range(len(node.ifs)):
        changed = copy.deepcopy(node)
        del changed.ifs[at]
        yield changed


def _return(node: ast.Return) -> Iterator[ast.AST]:
    value = node.value
    if value is None or isinstance(value, ast.Constant):
        return
    yield ast.Return(ast.Constant(None))
    if isinstance(value, ast.BoolOp | ast.Call):
        yield ast.Return(ast.UnaryOp(ast.Not(), value))


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _expression(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom):
        yield ast.Pass()


def _assignment(node: ast.Assign | ast.AugAssign) -> Iterator[ast.AST]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    # A name that is never bound is an error at once, and shows nothing.
    if isinstance(node, ast.AugAssign) or not isinstance(targets[0], ast.Name | ast.Tuple):
        yield ast.Pass()


def _bin_op(node: ast.BinOp) -> Iterator[ast.AST]:
    numbers = any(isinstance(side, ast.Constant) and isinstance(side.value, int)
                  for side in (node.left, node.right))  # fmt: skip
    if isinstance(node.op, ast.Add) and numbers:
        yield ast.BinOp(node.left, ast.Sub(), node.right)
    elif type(node.op) in OPERATORS and not isinstance(node.left, ast.Constant | ast.JoinedStr):
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    function = node.func
    if isinstance(function, ast.Name):
        if function.id in NAMES:
            yield ast.Call(ast.Name(NAMES[function.id], ast.Load()), node.args, node.keywords)
        if function.id in PASSED_ON and node.args:
            yield node.args[0]
    elif isinstance(function, ast.Attribute):
        if function.attr in NAMES:
            other = ast.Attribute(function.value, NAMES[function.attr], ast.Load())
            yield ast.Call(other, node.args, node.keywords)
        if function.attr in METHODS_PASSED_ON:
            yield function.value


def _subscript(node: ast.Subscript) -> Iterator[ast.AST]:
    if isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
        yield node.value


def _if(node: ast.If) -> Iterator[ast.AST]:
    yield from _test(node)
    if not node.orelse:
        yield ast.Pass()
    else:
        # Without the condition: what stood under it always happens.
        yield ast.If(ast.Constant(True), node.body, [])


MAKERS: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.Compare: _compare, ast.BoolOp: _bool_op, ast.UnaryOp: _unary, ast.If: _if,
    ast.IfExp: _test, ast.While: _test, ast.comprehension: _comprehension, ast.Return: _return,
    ast.Constant: _constant, ast.Expr: _expression, ast.Assign: _assignment,
    ast.AugAssign: _assignment, ast.BinOp: _bin_op, ast.Call: _call, ast.Subscript: _subscript,
    ast.Continue: lambda _: iter([ast.Break()]), ast.Break: lambda _: iter([ast.Continue()]),
    ast.Raise: lambda _: iter([ast.Pass()]),
}  # fmt: skip


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """Yield what may be changed within a node: no annotation, decorator, assertion or text."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for at, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, ast.AST) and not left_alone(item):
                yield name, at, item


def left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__slots__"):
        return True
    if isinstance(node, ast.FunctionDef) and node.name == "__repr__":
        return True
    return isinstance(node, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom)


Place = tuple[ast.AST, str, int | None, ast.AST]


def places(tree: ast.AST) -> Iterator[Place]:
    """Yield each node that may be changed, with its parent and where it hangs there."""
    for name, at, child in children(tree):
        yield tree, name, at, child
        yield from places(child)


def mutants_of(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text("utf-8"))
    line = end = 1
    for number, (_, _, _, node) in enumerate(places(tree)):
        line = getattr(node, "lineno", line)
        end = getattr(node, "end_lineno", line)
        for variant, changed in enumerate(variants(node)):
            before, after = shown(node), shown(changed)
            if before != after:
                yield Mutant(path, line, end, number, variant, before, after)


def shown(node: ast.AST) -> str:
    if isinstance(node, ast.comprehension):
        return ast.unparse(ast.GeneratorExp(ast.Constant(...), [node]))
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 90 else text[:89] + "…"


def mutated(mutant: Mutant) -> ast.Module:
    tree = ast.parse(mutant.path.read_text("utf-8"))
    parent, name, at, node = list(places(tree))[mutant.node]
    changed = list(variants(node))[mutant.variant]
    for new in ast.walk(changed):
        if "lineno" in new._attributes and not hasattr(new, "lineno"):
            ast.copy_location(new, node)
    if at is None:
        setattr(parent, name, changed)
    else:
        getattr(parent, name)[at] = changed
    return ast.fix_missing_locations(tree)


class Loader(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Imports one module as its mutant, the others as they are."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        parts = mutant.path.relative_to(ROOT).with_suffix("").parts
        self._name = ".".join(parts).removesuffix(".__init__")

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        locations = (
            [str(self._mutant.path.parent)] if self._mutant.path.stem == "__init__" else None
        )
        return importlib.util.spec_from_file_location(
            fullname, self._mutant.path, loader=self, submodule_search_locations=locations
        )

    def get_filename(self, _fullname: str) -> str:
        return str(self._mutant.path)

    def get_data(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def get_code(self, _fullname: str) -> types.CodeType:
        return compile(mutated(self._mutant), self._mutant.path, "exec")


# -- tests --------------------------------------------------------------------------------


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
        self._test: str | None = None
        self._prefixes = tuple(f"{PACKAGE / room}{os.sep}" for room in DECIDING)

    def trace(self, frame: types.FrameType, event: str, _arg: object) -> Any:
        if event == "call":
            if not frame.f_code.co_filename.startswith(self._prefixes):
                return None
        elif event == "line":
            place = (frame.f_code.co_filename, frame.f_lineno)
            if self._test is None:
                self.coverage.at_import.add(place)
            else:
                self.coverage.tests[place].add(self._test)
                if not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
                    # The body of a module or a class: a test happened to import it.
                    self.coverage.at_import.add(place)
        return self.trace

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid
        forget_results()
        began = time.monotonic()
        # A test that counts steps puts the trace away.
        sys.settrace(self.trace)
        try:
            return (yield)  # type: ignore[misc]
        finally:
            self.coverage.seconds[item.nodeid] = time.monotonic() - began
            self._test = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.coverage.failed.append(report.nodeid)


def forget_results() -> None:
    """Empty the caches of functions, so that each test runs all that it needs."""
    for name, module in list(sys.modules.items()):
        if name.startswith("migrate_cache.") and name.split(".")[1] in DECIDING:
            for value in vars(module).values():
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()


class Chosen:
    """Runs the chosen tests only, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )


def record(answer: Path) -> int:
    recorder = Recorder()
    sys.settrace(recorder.trace)
    pytest.main(
        [*OPTIONS, "--timeout=300", f"--basetemp={answer.parent / 'record'}", *TESTS],
        plugins=[recorder],
    )
    sys.settrace(None)
    answer.write_bytes(pickle.dumps(recorder.coverage))
    return 0


def try_mutant(mutant: Mutant, tests: Sequence[str], scratch: Path) -> int:
    sys.meta_path.insert(0, Loader(mutant))
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    options = [*OPTIONS, "-x", "--timeout=20", f"--basetemp={scratch / str(os.getpid())}"]
    return int(pytest.main([*options, *files], plugins=[Chosen(tests)]))


def preload() -> None:
    """Import what every child needs, and make the parser; leave out what imports deciders."""
    deciding = tuple(f"migrate_cache.{room}" for room in DECIDING)
    for name in SHARED:
        before = set(sys.modules)
        importlib.import_module(name)
        new = set(sys.modules) - before
        if any(module.startswith(deciding) for module in new):
            for module in [module for module in new if module.startswith("migrate_cache.")]:
                parent, _, child = module.rpartition(".")
                vars(sys.modules[parent]).pop(child, None) if parent in sys.modules else None
                del sys.modules[module]
    parse = importlib.import_module("migrate_cache.dockerfile.parser").parse
    parse("FROM x\nRUN --mount=type=cache,target=/x y\n")


def fork(work: Callable[[], int], output: str = os.devnull) -> int:
    """Run something in a child; return the child's id."""
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        file = os.open(output, os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(file, stream)
        code = work()
    except BaseException:  # noqa: BLE001 - whatever a mutant raises, it was noticed
        code = 1
        traceback.print_exc()
    finally:
        os._exit(code)


def end(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)


# -- the run ------------------------------------------------------------------------------


def chosen_tests(mutant: Mutant, coverage: Coverage) -> list[str]:
    """Return the tests that may notice a mutant, the quickest first."""
    lines = [(str(mutant.path), line) for line in range(mutant.line, mutant.end + 1)]
    if any(line in coverage.at_import for line in lines):
        tests = set(coverage.seconds)
    else:
        tests = set().union(*(coverage.tests.get(line, ()) for line in lines))
    return sorted(tests, key=lambda test: (coverage.seconds[test], test))


def sample(count: int, seed: int, only: str) -> tuple[list[Mutant], int]:
    everything = [
        mutant
        for room in DECIDING
        for path in sorted((PACKAGE / room).rglob("*.py"))
        if only in str(path.relative_to(ROOT))
        for mutant in mutants_of(path)
    ]
    chance = random.Random(seed)
    return chance.sample(everything, min(count, len(everything))), len(everything)


class Run:
    """Tries mutants in several processes at once, until there are none or time is up."""

    def __init__(self, coverage: Coverage, scratch: Path, jobs: int, until: float) -> None:
        self._coverage = coverage
        self._scratch = scratch
        self._jobs = jobs
        self._until = until
        self._children: dict[int, tuple[Mutant, float]] = {}
        self.results: dict[Mutant, str] = {}

    def __call__(self, mutants: Sequence[Mutant]) -> None:
        try:
            self._try(mutants)
        finally:
            for child in self._children:
                end(child)

    def _try(self, mutants: Sequence[Mutant]) -> None:
        for mutant in mutants:
            while len(self._children) >= self._jobs:
                self._wait()
            if time.monotonic() > self._until:
                break
            tests = chosen_tests(mutant, self._coverage)
            if not tests:
                self._say(mutant, "not run by any test")
                continue
            limit = 60 + 3 * sum(self._coverage.seconds[test] for test in tests)
            child = fork(functools.partial(try_mutant, mutant, tests, self._scratch))
            self._children[child] = (mutant, time.monotonic() + limit)
        while self._children:
            self._wait()

    def _wait(self) -> None:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            mutant, _ = self._children.pop(child)
            code = os.waitstatus_to_exitcode(status)
            self._say(mutant, "survived" if code in (0, 5) else "killed")
            return
        for child, (mutant, limit) in list(self._children.items()):
            if time.monotonic() > limit:
                end(child)
                os.waitpid(child, 0)
                del self._children[child]
                self._say(mutant, "timeout")
        time.sleep(0.02)

    def _say(self, mutant: Mutant, result: str) -> None:
        self.results[mutant] = result
        if result not in ("killed", "timeout"):
            print(f"{result}: {mutant}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Try mutants.")
    parser.add_argument("--count", type=int, default=400, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=30, help="at most (default: %(default)s)")
    parser.add_argument("--only", default="", help="files with this in their path")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    os.chdir(ROOT)
    scratch = tempfile.TemporaryDirectory(prefix="mutants-")
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch.name
    mutants, number = sample(options.count, options.seed, options.only)
    print(f"{len(mutants)} of {number} mutants, seed {options.seed}", flush=True)
    preload()
    with scratch as folder:
        answer = Path(folder) / "coverage"
        output = answer.with_suffix(".log")
        os.waitpid(fork(functools.partial(record, answer), str(output)), 0)
        if not answer.exists():
            print(output.read_text("utf-8", "replace"))
            return 2
        coverage = pickle.loads(answer.read_bytes())
        if coverage.failed:
            print("These tests fail without any mutant:", *coverage.failed, sep="\n  ")
            return 2
        print(f"{len(coverage.seconds)} tests, {time.monotonic() - began:.0f} s", flush=True)
        run = Run(coverage, Path(folder), options.jobs, began + 60 * options.minutes)
        run(mutants)
    took = time.monotonic() - began
    counts = Counter(run.results.values())
    said = ", ".join(f"{count} {result}" for result, count in counts.most_common())
    print(f"{said}, of {len(mutants)}; {took:.0f} s")
    if len(run.results) < len(mutants):
        print(f"{len(mutants) - len(run.results)} not tried: the time was up")
    return 0


if __name__ == "__main__":
    sys.exit(main())
