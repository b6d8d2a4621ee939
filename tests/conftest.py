"""Options of the test run.

``--corpus DIR``: a folder of real Dockerfiles with what BuildKit reads in each.
``--fuzz-seconds N``: how long each of the random searches goes on (a few seconds in all by
default).
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Let children be interrupted although this process may not: some tests do that.

    A shell that starts the tests in the background, or ``nohup``, ignores signals for all its
    children; a handler that does nothing is not inherited.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give more time, before they are killed, to tests that install, build or search for long."""
    search = 3 * config.getoption("--fuzz-seconds")
    for item in items:
        if item.get_closest_marker("integration") or item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.timeout(900))
        elif search:
            item.add_marker(pytest.mark.timeout(120 + search))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("migrate-cache")
    group.addoption(
        "--corpus",
        metavar="DIR",
        default=str(ROOT.parent / "shared" / "corpus"),
        help="folder with buildkit.jsonl and the Dockerfiles it names (default: %(default)s)",
    )
    group.addoption(
        "--fuzz-seconds",
        metavar="N",
        type=float,
        default=0.0,
        help="seconds for each random search; 0 is a short, seeded run",
    )


@pytest.fixture(scope="session")
def corpus(request: pytest.FixtureRequest) -> Path:
    """The folder of real Dockerfiles."""
    folder = Path(request.config.getoption("--corpus"))
    if not (folder / "buildkit.jsonl").is_file():
        pytest.skip(f"no corpus: {folder} has no buildkit.jsonl (see --corpus)")
    return folder


@pytest.fixture(scope="session")
def fuzz_seconds(request: pytest.FixtureRequest) -> float:
    """How long a random search goes on; 0 for a short one."""
    return float(request.config.getoption("--fuzz-seconds"))
