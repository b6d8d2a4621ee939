"""The engines, and the table of what was shown on them.

``pytest tests/engine -m engine [--engine-report FILE]`` runs on the machine's own Docker and
buildah, and on those of Debian's unstable suite, which live in a folder of their own (roots.py).
A missing engine skips its tests with the reason; in CI (the variable CI is set) the machine's
Docker must be there.

MIGRATE_CACHE_ENGINE names another engine in place of the machine's Docker: a folder with
``dockerd`` or with ``buildkitd`` and ``buildctl`` in it, or ``docker+unix:///SOCKET`` or
``buildkit+unix:///SOCKET`` for one that runs already. The build cache of that one is emptied.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .buildah import Buildah
from .buildkit import Buildkit
from .docker import Docker
from .engine import DOCKERS, ENGINES, Engine
from .modern import start_modern_docker
from .private import Unavailable
from .report import Report, Row
from .standin import needs_busybox

if TYPE_CHECKING:
    from .roots import Root

Proved = Callable[[str, str], None]

_TITLES = {
    "docker": "Docker",
    "modern_docker": "a modern Docker",
    "buildah": "buildah",
    "modern_buildah": "a modern buildah",
}

_report = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine-report",
        metavar="FILE",
        help="write what the engine tests showed: Markdown, or JSON where FILE ends so",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_report] = Report()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[_report]
    if report.used:
        terminalreporter.section("what was shown on the engines")
        terminalreporter.write(report.markdown())
        name = config.getoption("engine_report")
        if name:
            report.write(Path(name))


@pytest.fixture(scope="session")
def machine() -> Iterator[None]:
    """The machine, for one engine suite at a time, with what the stand-in images are made of."""
    with _one_worker():
        needs_busybox()
        yield


@pytest.fixture(scope="session")
def docker(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The engine that MIGRATE_CACHE_ENGINE names, or the machine's Docker, started privately."""
    yield from _started(request, _chosen, required="CI" in os.environ)


@pytest.fixture(scope="session")
def modern_docker(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The Docker of Debian's unstable or stable suite, with buildx and compose."""
    yield from _started(request, lambda: start_modern_docker(_sayer(request.config)))


@pytest.fixture(scope="session")
def buildah(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The machine's buildah."""
    yield from _started(request, Buildah)


@pytest.fixture(scope="session")
def modern_buildah(request: pytest.FixtureRequest, modern_docker: Docker) -> Iterator[Engine]:
    """The buildah of the suite that the modern Docker is of."""
    assert modern_docker.root is not None
    root = modern_docker.root
    yield from _started(request, lambda: Buildah(root.share()))


@pytest.fixture(scope="session")
def debian(request: pytest.FixtureRequest) -> Root | None:
    """The root of the modern Docker, as a source of other programs; None where there is none."""
    try:
        modern: Docker = request.getfixturevalue("modern_docker")
    except pytest.skip.Exception:
        return None
    return modern.root


@pytest.fixture(params=DOCKERS)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every Docker in turn, without caches and layers."""
    return _emptied(request)


@pytest.fixture(params=ENGINES)
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine in turn, without caches and layers."""
    return _emptied(request)


@pytest.fixture
def modern(modern_docker: Docker) -> Docker:
    """The modern Docker, without caches and layers."""
    modern_docker.reset()
    return modern_docker


@pytest.fixture
def proved(request: pytest.FixtureRequest) -> Proved:
    """Note what a test has shown: the claim, and what was seen."""
    names = ("any_engine", "engine", "modern", "modern_docker")
    name = next(name for name in names if name in request.fixturenames)
    engine: Engine = request.getfixturevalue(name)

    def note(claim: str, seen: str) -> None:
        subject = request.path.stem.removeprefix("test_")
        request.config.stash[_report].add(subject, Row(claim, engine.short_name, seen))

    return note


def _emptied(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(request.param)
    engine.reset()
    return engine


def _started(
    request: pytest.FixtureRequest, start: Callable[[], Engine], *, required: bool = False
) -> Iterator[Engine]:
    name = str(request.fixturename)
    report = request.config.stash[_report]
    try:
        request.getfixturevalue("machine")
        engine = start()
    except Unavailable as reason:
        report.missing[_TITLES[name]] = str(reason)
        if required:
            pytest.fail(f"CI needs an engine: {reason}")
        pytest.skip(f"{_TITLES[name]} cannot be started here: {reason}")
    report.use(ENGINES.index(name), engine)
    try:
        yield engine
    finally:
        engine.close()


def _chosen() -> Engine:
    choice = os.environ.get("MIGRATE_CACHE_ENGINE", "")
    kind, separator, running = choice.partition("+unix://")
    if separator:
        if kind not in ("docker", "buildkit"):
            raise Unavailable(f"MIGRATE_CACHE_ENGINE={choice}: neither docker nor buildkit")
        made: type[Docker | Buildkit] = Docker if kind == "docker" else Buildkit
        return made(running=Path(running))
    if not choice:
        return Docker()
    folder = Path(choice).resolve()
    if not folder.is_dir():
        raise Unavailable(f"MIGRATE_CACHE_ENGINE={choice}: neither a folder nor KIND+unix://SOCKET")
    return Buildkit(folder) if (folder / "buildkitd").exists() else Docker(folder)


def _sayer(config: pytest.Config) -> Callable[[str], None]:
    """Return a function that tells the user something although output is captured."""

    def say(text: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", file=sys.stderr, flush=True)  # noqa: T201 (it may take a minute)

    return say


@contextmanager
def _one_worker() -> Iterator[None]:
    """Under pytest-xdist, let one worker have its engines at a time; the tests fill the machine."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    with (Path(tempfile.gettempdir()) / "migrate-cache-engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
