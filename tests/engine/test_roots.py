"""The roots of other Debian suites: made once, made anew when damaged, replaced when broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import roots
from .modern import start_modern_docker
from .private import Unavailable, lock_folder
from .roots import Root, open_root, roots_folder, suites

pytestmark = pytest.mark.engine


@pytest.fixture
def installed(debian: Root | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A cache folder of the test's own, in which a root is made from links to the real one.

    The result lists the suites that were made.
    """
    if debian is None:
        pytest.skip("no other Debian suite can be had here")
    real = debian.path
    made = []

    def install(partial: Path, suite: str, log: Path) -> None:
        made.append(suite)
        log.touch()
        subprocess.run(["cp", "--archive", "--link", real, partial], check=True)
        # Written anew by what comes after; the link leads to the real one's.
        (partial / "install.sh").unlink()

    monkeypatch.setattr(roots, "_install", install)
    # Links need one file system.
    cache = real.parent / f"tests-{os.getpid()}"
    for left in real.parent.glob("tests-*"):
        if not Path("/proc", left.name.removeprefix("tests-")).exists():
            roots.remove(left)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    yield made
    roots.remove(cache)


def silent(text: str) -> None:
    assert text


def test_a_root_is_made_once(installed: list[str]) -> None:
    for _ in range(2):
        root = open_root("sid", silent)
        assert root.versions["docker"]
        assert root.path == roots_folder() / "sid"
        root.close()
    assert installed == ["sid"]


@pytest.mark.parametrize(
    "missing", ["usr/bin/docker", "usr/sbin/dockerd", "usr/lib/*/libc.so.6", "etc"]
)
def test_a_damaged_root_is_made_anew(installed: list[str], missing: str) -> None:
    open_root("sid", silent).close()
    (path,) = (roots_folder() / "sid").glob(missing)
    if path.is_dir():
        path.rename(path.with_suffix(".gone"))
    else:
        path.unlink()
    open_root("sid", silent).close()
    assert path.exists()
    assert installed == ["sid", "sid"]


def test_a_root_of_another_recipe_is_made_anew(installed: list[str]) -> None:
    open_root("sid", silent).close()
    (roots_folder() / "sid" / "install.sh").write_text("exit\n")
    open_root("sid", silent).close()
    assert installed == ["sid", "sid"]


def test_what_a_killed_run_left_is_removed(installed: list[str]) -> None:
    """Also a mount in it, whose contents are somebody else's."""
    partial = roots_folder() / "sid.partial"
    (partial / "proc").mkdir(parents=True)
    (partial / "half").touch()
    other = roots_folder() / "other"
    other.mkdir()
    (other / "precious").touch()
    subprocess.run(["mount", "--bind", other, partial / "proc"], check=True)
    open_root("sid", silent).close()
    assert not partial.exists()
    assert (other / "precious").exists()
    assert str(partial) not in Path("/proc/mounts").read_text()
    assert installed == ["sid"]


def test_a_suite_that_cannot_be_installed_is_replaced(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install = roots._install

    def broken(partial: Path, suite: str, log: Path) -> None:
        if suite == "sid":
            partial.mkdir()
            raise Unavailable("a package of sid is broken today")
        install(partial, suite, log)

    monkeypatch.setattr(roots, "_install", broken)
    for _ in range(2):
        engine = start_modern_docker(silent)
        assert engine.root is not None
        assert engine.root.suite == "trixie"
        engine.close()
        # It is not tried again at once.
        assert suites() == ["trixie", "sid"]
    assert installed == ["trixie"]
    assert not (roots_folder() / "sid.partial").exists()
    monkeypatch.setattr(roots, "_BROKEN_SECONDS", 0)
    assert suites() == ["sid", "trixie"]


def test_where_no_suite_can_be_had_there_are_reasons(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_partial: Path, suite: str, _log: Path) -> None:
        raise Unavailable(f"no {suite} today")

    monkeypatch.setattr(roots, "_install", broken)
    with pytest.raises(Unavailable, match="no sid today; no trixie today"):
        start_modern_docker(silent)
    assert installed == []


_MAKE = """
import sys
sys.path[0] = {folder!r}
from {package} import roots
from {package}.private import isolated
import subprocess

def install(partial, suite, log):
    partial.mkdir()
    script = 'mount -t tmpfs none "$0" && touch "$0/x" && echo begun && exec sleep 600'
    subprocess.run(isolated(["sh", "-c", script, str(partial)]), check=True)

roots._install = install
roots.open_root("sid", lambda text: None)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_installation_leaves_nothing(
    installed: list[str], number: signal.Signals
) -> None:
    package = __package__ or ""
    folder = Path(__file__).resolve().parents[package.count(".") + 1]
    maker = subprocess.Popen(
        [sys.executable, "-c", _MAKE.format(folder=str(folder), package=package)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert maker.stdout is not None
    with maker.stdout:
        assert maker.stdout.readline() == b"begun\n"
    partial = roots_folder() / "sid.partial"
    maker.send_signal(number)
    assert maker.wait(timeout=60) != 0
    deadline = time.monotonic() + 10
    while running(partial) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(partial) == []
    assert str(partial) not in Path("/proc/mounts").read_text()
    # The next run finds the lock free, and removes the folder.
    open_root("sid", silent).close()
    assert not partial.exists()
    assert installed == ["sid"]


def running(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def test_a_locked_folder_is_not_locked_again(tmp_path: Path) -> None:
    assert lock_folder(tmp_path) is not None
    assert lock_folder(tmp_path) is None
    assert lock_folder(tmp_path / "none") is None
