"""What ships: the archives, the ways to install them, completion, and the version."""

from __future__ import annotations

import email
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata, util
from pathlib import Path

import pytest

import migrate_cache
from migrate_cache import __version__

HERE = Path(__file__).parent.parent
DEMO = HERE / "fixtures" / "demo"
CONSTRAINTS = HERE / "constraints.txt"
SHIPPED = (
    "pyproject.toml", ".gitignore", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
    "migrate_cache", "grammar", "tools", "tests", "fixtures",
)  # fmt: skip
# What the code reads at run time, or what others read of it.
RESOURCES = {
    "migrate_cache/caches/catalog.toml",
    "migrate_cache/files/config.schema.json",
    "migrate_cache/dockerfile.lark",
    "migrate_cache/py.typed",
    "migrate_cache/report/output.schema.json",
    "migrate_cache/shell/build_tools.toml",
}

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
checkout = pytest.mark.checkout
needs_hatchling = pytest.mark.skipif(
    util.find_spec("hatchling") is None, reason="hatchling is in the group integration"
)


def environment(**more: str) -> dict[str, str]:
    dropped = ("PYTHON", "VIRTUAL_ENV", "COMP_", "_TYPER", "_MIGRATE", "GIT_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return kept | {"NO_COLOR": "1", "COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1"} | more


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Run a command that must succeed; return its standard output."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
    return done.stdout.decode("utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def migrates_the_demo(folder: Path, *command: str | Path, **more: str) -> None:
    shop = folder / "shop"
    shutil.copytree(DEMO / "before", shop)
    (shop / ".git").mkdir()
    run(*command, cwd=shop, **more)
    assert contents(shop) == contents(DEMO / "after")


# The archives.


def copied(source: Path, target: Path, mode: int, time: int) -> Path:
    """Copy what archives are made of, with other modes and times, in another order."""
    target.mkdir()
    for name in reversed(SHIPPED):
        if (source / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache")
            shutil.copytree(source / name, target / name, ignore=ignored)
        else:
            shutil.copy2(source / name, target / name)
    for path in target.rglob("*"):
        if path.is_file():
            path.chmod(mode | (path.stat().st_mode & 0o100))
        os.utime(path, (time, time))
    return target


def built(tree: Path, target: Path, *kinds: str) -> Path:
    """Build in `tree`; return the folder with what was built."""
    words = [word for kind in kinds for word in ("-t", kind)]
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    run(sys.executable, "-m", "hatchling", "build", "-d", target, *words, cwd=tree, **epoch)
    return target


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(HERE, tmp_path_factory.mktemp("build") / "tree", 0o644, 1_600_000_000)


@pytest.fixture(scope="session")
def dist(tree: Path) -> Path:
    return built(tree, tree.parent / "dist", "sdist", "wheel")


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(dist: Path) -> Path:
    return next(dist.glob("*.tar.gz"))


@checkout
@needs_hatchling
def test_archives_are_the_same_bytes_each_time(tree: Path, dist: Path, tmp_path: Path) -> None:
    other = copied(tree, tmp_path / "a folder of another name", 0o600, 1_650_000_000)
    again = built(other, tmp_path / "dist", "wheel", "sdist")
    sums = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        for folder in (dist, again)
    ]
    assert len(sums[0]) == 2
    assert sums[0] == sums[1]


@checkout
@needs_hatchling
def test_a_wheel_from_the_sdist_is_the_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    again = built(folder, tmp_path / "dist", "wheel")
    assert next(again.iterdir()).read_bytes() == wheel.read_bytes()


@checkout
@needs_hatchling
def test_what_the_wheel_holds(wheel: Path, tree: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        grammar = archive.read("migrate_cache/dockerfile.lark")
        info = next(name for name in names if name.endswith("/METADATA"))
        described = email.message_from_bytes(archive.read(info))
        scripts = archive.read(info.replace("METADATA", "entry_points.txt")).decode()
    assert names >= RESOURCES
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert grammar == (tree / "grammar" / "dockerfile.lark").read_bytes()
    assert {name.partition("/")[0] for name in names} == {
        "migrate_cache", f"migrate_cache-{__version__}.dist-info",
    }  # fmt: skip
    ours = {name for name in names if name.startswith("migrate_cache/")} - RESOURCES
    assert {Path(name).suffix for name in ours} == {".py"}
    assert not [name for name in ours if re.search(r"tests?[/_]|fixture|conftest|pycache", name)]
    modules = {f"migrate_cache/{name}" for name in contents(tree / "migrate_cache")}
    assert ours == {name for name in modules if name.endswith(".py")}
    assert described["Version"] == __version__
    assert described["License-Expression"] == "MIT"
    assert described["Requires-Python"] == ">=3.11"
    assert "migrate-cache = migrate_cache." in scripts
    assert wheel.name == f"migrate_cache-{__version__}-py3-none-any.whl"


@checkout
@needs_hatchling
def test_what_the_sdist_holds(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        members = {member.name.partition("/")[2]: member for member in archive.getmembers()}
    for name in (
        "grammar/dockerfile.lark",
        "migrate_cache/caches/catalog.toml",
        "LICENSE",
        "README.md",
    ):
        assert name in members
    assert "tests/test_packaging.py" in members
    assert "fixtures/demo/before/Dockerfile" in members
    assert not [name for name in members if re.search(r"__pycache__|\.pyc$|_cache/|\.venv", name)
                and not name.startswith("migrate_cache/")]  # fmt: skip
    assert {(member.uid, member.gid, member.uname) for member in members.values()} == {(0, 0, "")}


@checkout
def test_no_module_looks_for_data_beside_itself() -> None:
    """Data is read through ``importlib.resources``; only the checkout's grammar is a path."""
    found = [
        path.name
        for path in sorted((HERE / "migrate_cache").rglob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if "__file__" in line and '"grammar"' not in line
    ]
    assert found == []


# Running and installing what was built.


@pytest.fixture
def zipped(wheel: Path, tmp_path: Path) -> dict[str, str]:
    """The environment in which the wheel itself is imported."""
    variables = {"PYTHONPATH": str(wheel), "PYTHONWARNINGS": "error"}
    code = "import migrate_cache; print(migrate_cache.__file__)"
    assert wheel.name in run(sys.executable, "-c", code, cwd=tmp_path, **variables)
    return variables


@checkout
@needs_hatchling
def test_it_runs_from_a_zipped_wheel(zipped: dict[str, str], tmp_path: Path) -> None:
    command = (sys.executable, "-m", "migrate_cache")
    assert run(*command, "--version", cwd=tmp_path, **zipped) == f"migrate-cache {__version__}\n"
    assert "Usage: migrate-cache" in run(*command, "--help", cwd=tmp_path, **zipped)
    assert "MC104" in run(*command, "--list-rules", cwd=tmp_path, **zipped)
    migrates_the_demo(tmp_path, *command, "--quiet", **zipped)


@checkout
@needs_hatchling
def test_worker_processes_run_from_a_zipped_wheel(zipped: dict[str, str], tmp_path: Path) -> None:
    command = (sys.executable, "-m", "migrate_cache", "--quiet", "--jobs", "2")
    migrates_the_demo(tmp_path, *command, **zipped)


@pytest.mark.integration
@checkout
@needs_hatchling
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_pip_installs_it(wheel: Path, sdist: Path, kind: str, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    binaries = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    archive = {"wheel": wheel, "sdist": sdist}[kind]
    run(binaries / "python", "-m", "pip", "install", "-q", "-c", CONSTRAINTS, archive, cwd=tmp_path)
    works(binaries, tmp_path)
    run(binaries / "python", "-m", "pip", "check", cwd=tmp_path)


def works(binaries: Path, folder: Path) -> None:
    command = binaries / "migrate-cache"
    assert run(command, "--version", cwd=folder) == f"migrate-cache {__version__}\n"
    migrates_the_demo(folder, command, "--quiet")


@pytest.mark.integration
@checkout
@needs_hatchling
@pytest.mark.skipif(util.find_spec("uv") is None, reason="uv is in the group integration")
def test_uv_installs_it(wheel: Path, tmp_path: Path) -> None:
    folders = {"UV_TOOL_DIR": tmp_path / "tools", "UV_TOOL_BIN_DIR": tmp_path / "bin"}
    folders |= {"UV_CACHE_DIR": tmp_path / "cache"}
    run(
        sys.executable, "-m", "uv", "tool", "install", "--python", sys.executable,
        "--constraints", CONSTRAINTS, wheel,
        cwd=tmp_path, **{name: str(path) for name, path in folders.items()},
    )  # fmt: skip
    works(tmp_path / "bin", tmp_path)


@pytest.mark.integration
@checkout
@needs_hatchling
@pytest.mark.skipif(util.find_spec("pipx") is None, reason="pipx is in the group integration")
def test_pipx_installs_it(wheel: Path, tmp_path: Path) -> None:
    folders = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    run(
        sys.executable, "-m", "pipx", "install", "--python", sys.executable,
        f"--pip-args=--constraint={CONSTRAINTS}", wheel, cwd=tmp_path, **folders,
    )  # fmt: skip
    works(tmp_path / "bin", tmp_path)


# One version.


def test_the_version_that_is_installed_is_the_version() -> None:
    if Path(migrate_cache.__file__).is_relative_to(HERE / "migrate_cache"):
        pytest.skip("an editable installation keeps the version of the day it was made")
    assert metadata.version("migrate-cache") == __version__


def test_the_command_and_the_module_say_the_version(tmp_path: Path) -> None:
    said = f"migrate-cache {__version__}\n"
    path = {"PYTHONPATH": str(HERE)}
    module = (sys.executable, "-m", "migrate_cache")
    assert run(*module, "--version", cwd=tmp_path, **path) == said
    # As an option among others it is Typer's.
    assert run(*module, "--check", "--version", cwd=tmp_path, **path) == said


@checkout
def test_the_version_stands_in_one_place() -> None:
    found = [
        path.relative_to(HERE).as_posix()
        for path in [HERE / "pyproject.toml", *sorted((HERE / "migrate_cache").rglob("*.py"))]
        if re.search(rf"""["']{re.escape(__version__)}["']""", path.read_text("utf-8"))
    ]
    assert found == ["migrate_cache/_version.py"]


# Completion. The protocol is Typer's: a variable says what is wanted for which shell.


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A folder with the command in it, for the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "migrate-cache"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{HERE}" exec "{sys.executable}" -m migrate_cache "$@"\n', "utf-8"
    )
    script.chmod(0o755)
    return folder


def complete(shell: str, line: str, folder: Path) -> str:
    words = line.split(" ")
    variables = {"_TYPER_COMPLETE_ARGS": f"migrate-cache {line}"}
    if shell == "bash":
        variables = {"COMP_WORDS": f"migrate-cache {line}", "COMP_CWORD": str(len(words))}
    if shell == "fish":
        variables["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    variables |= {"_MIGRATE_CACHE_COMPLETE": f"complete_{shell}", "PYTHONPATH": str(HERE)}
    return run(sys.executable, "-m", "migrate_cache", cwd=folder, **variables)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_options_values_and_rules(shell: str, tmp_path: Path) -> None:
    options = complete(shell, "--no", tmp_path)
    assert "--no-cargo-lock" in options
    assert "--dry-run" not in options
    assert "sarif" in complete(shell, "--format s", tmp_path)
    rules = complete(shell, "--explain MC10", tmp_path)
    assert "MC104" in rules
    assert "MC201" not in rules
    # Files are the shell's own affair.
    assert complete(shell, "Docker", tmp_path).strip() in {"", "_files"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, tmp_path: Path) -> None:
    variables = {"_MIGRATE_CACHE_COMPLETE": f"source_{shell}", "PYTHONPATH": str(HERE)}
    script = run(sys.executable, "-m", "migrate_cache", cwd=tmp_path, **variables)
    assert f"_MIGRATE_CACHE_COMPLETE=complete_{shell}" in script
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"no {shell} here to read the script")
    (tmp_path / "script").write_text(script, "utf-8")
    run(program, "-n", "script", cwd=tmp_path)


@posix
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_in_bash_itself(command: Path, tmp_path: Path) -> None:
    script = """
        set -eu
        source <(_MIGRATE_CACHE_COMPLETE=source_bash migrate-cache)
        complete -p migrate-cache
        COMP_WORDS=(migrate-cache --select MC10) COMP_CWORD=2
        _migrate_cache_completion migrate-cache MC10 --select
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{command}{os.pathsep}{os.environ['PATH']}"
    shown = run("bash", "-c", script, cwd=tmp_path, PATH=path).split("\n")
    assert shown[0] == "complete -o default -F _migrate_cache_completion migrate-cache"
    assert shown[1:-1] == ["MC101", "MC102", "MC103", "MC104"]
