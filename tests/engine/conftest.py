"""The engines, and the table of what was proved on them.

``pytest tests/engine -m engine [--engine-report FILE]``. Where no engine can be started the tests
are skipped with the reason; in CI (the variable CI is set) they fail.

MIGRATE_CACHE_ENGINE names another engine than the machine's own ``dockerd``: a folder with
``dockerd`` or with ``buildkitd`` and ``buildctl`` in it, or ``docker+unix:///SOCKET`` or
``buildkit+unix:///SOCKET`` for one that runs already. The build cache of that one is emptied.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .buildah import Buildah
from .buildkit import Buildkit
from .docker import Docker
from .private import Unavailable
from .report import Report, Row
from .standin import needs_busybox

if TYPE_CHECKING:
    from .engine import Engine

Proved = Callable[[str, str], None]

_report = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine-report",
        metavar="FILE",
        help="write what the engine tests proved: Markdown, or JSON where FILE ends so",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_report] = Report()


def pytest_unconfigure(config: pytest.Config) -> None:
    name = config.getoption("engine_report", default=None)
    if name and config.stash[_report].rows:
        config.stash[_report].write(Path(name))


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """The engine that MIGRATE_CACHE_ENGINE names, else the machine's Docker, started privately."""
    with _one_worker(), _started(_chosen, required="CI" in os.environ) as engine:
        yield engine


@pytest.fixture(scope="session")
def buildah() -> Iterator[Engine]:
    """The machine's buildah."""
    with _started(Buildah, required=False) as engine:
        yield engine


@pytest.fixture
def engine(docker: Engine) -> Engine:
    """The engine, without caches and layers."""
    docker.reset()
    return docker


@pytest.fixture(params=["docker", "buildah"])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine in turn, without caches and layers."""
    engine: Engine = request.getfixturevalue(request.param)
    engine.reset()
    return engine


@pytest.fixture
def proved(request: pytest.FixtureRequest) -> Proved:
    """Note what a test has shown: the claim, and what was seen."""
    name = "any_engine" if "any_engine" in request.fixturenames else "docker"
    engine: Engine = request.getfixturevalue(name)

    def note(claim: str, seen: str) -> None:
        subject = request.path.stem.removeprefix("test_")
        request.config.stash[_report].add(subject, Row(claim, str(engine), seen))

    return note


@contextmanager
def _started(start: Callable[[], Engine], *, required: bool) -> Iterator[Engine]:
    try:
        needs_busybox()
        engine = start()
    except Unavailable as reason:
        if required:
            pytest.fail(f"CI needs an engine: {reason}")
        pytest.skip(f"no engine can be started here: {reason}")
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


@contextmanager
def _one_worker() -> Iterator[None]:
    """Under pytest-xdist, let one worker have its engine at a time; the tests fill the machine."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    with (Path(tempfile.gettempdir()) / "migrate-cache-engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
