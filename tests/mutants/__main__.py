"""Mutation testing: change the code that decides, and see whether a test notices.

``python -m tests.mutants [--count 400] [--seed 1] [--minutes 30] [--only PART] [--jobs N]``

A seeded sample of small changes to the rooms of `DECIDING` is tried, one at a time; those that
no test of `TESTS` notices are printed. Texts are never changed, and nothing is written: a mutant
lives in the memory of one process, which is forked with everything imported but what decides.
Each mutant is shown to the tests that run its line, the quickest first.
"""

# ruff: noqa: T201 - it prints a report
from __future__ import annotations

import argparse
import functools
import importlib
import os
import pickle
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.mutants.mutate import ROOT, Mutant, mutants_of, mutated
from tests.mutants.record import DECIDING, PACKAGE, Coverage, Finder, Recorder

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
    sys.meta_path.insert(0, Finder(recorder.instrumented))
    pytest.main([*OPTIONS, f"--basetemp={answer.parent / 'record'}", *TESTS], plugins=[recorder])
    answer.write_bytes(pickle.dumps(recorder.coverage))
    return 0


def try_mutant(mutant: Mutant, tests: Sequence[str], scratch: Path) -> int:
    sys.meta_path.insert(0, Finder(lambda _: mutated(mutant), mutant.path))
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
