"""Options, configuration and their errors; help and start-up."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from migrate_cache import __version__
from migrate_cache.__main__ import main
from tests.cli.running import GO, PLAIN, environment, run, texts

# Exit codes and errors.


def test_one_bad_file_never_stops_the_rest(project: Path) -> None:
    (project / "bad").mkdir()
    (project / "bad" / "Dockerfile").write_text(GO + "RUN <<EOF\nno end\n")
    done = run(project, "nope", ".")
    assert done.returncode == 3
    said = done.stderr.decode()
    assert re.search(r"^bad/Dockerfile:3:\d+: ", said, re.MULTILINE)
    assert "nope: no such file or folder" in said
    assert (project / "go" / "Dockerfile").read_text() == GO  # one user of the cache is unknown
    assert "id=target-builder-${SERVICE}" in (project / "rust" / "Dockerfile").read_text()


def test_failed_files_win_over_pending_ones(project: Path) -> None:
    assert run(project, "--check", "nope", ".").returncode == 3


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--bogus"], "No such option: --bogus"),
        (["--format", "xml"], "Invalid value for '--format'"),
        (["--select", "MC999"], "select: there is no rule 'MC999'"),
        (["--ignore", "MX101"], "did you mean MC101?"),
        (["--explain", "MC999"], "'MC999'"),
        (["--id-template", "{servce}"], "did you mean {service}?"),
        (["--service", "a,b"], "service: 'a,b' cannot stand in a cache id"),
        (["--exclude", "../x"], "leads out of the project"),
        (["--jobs", "-1"], "--jobs must not be negative"),
        (["--config", "nope.toml"], "nope.toml: no such configuration file"),
        (["--config", "x.toml", "--isolated"], "--config and --isolated exclude each other"),
        (["--quiet", "--verbose"], "--quiet and --verbose exclude each other"),
        (["-i"], "--interactive needs a terminal"),
        (["-i", "--check"], "--interactive and --check exclude each other"),
        (["-i", "--dry-run"], "--interactive and --dry-run exclude each other"),
        (["-i", "--format", "json"], "--interactive and --format json exclude each other"),
        (["-i", "-"], "--interactive cannot ask"),
        (["-", "go"], "cannot stand beside other paths"),
        (["--stdin-filename", "x"], "--stdin-filename needs '-'"),
        (["--diff", "--format", "sarif"], "--diff and --format sarif exclude each other"),
        (["--caches", "--format", "sarif"], "--caches has the formats text and json"),
    ],
)
def test_wrong_usage(
    project: Path,
    arguments: list[str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    before = texts(project)
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["migrate-cache", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    said = capfdbinary.readouterr()
    assert left.value.code == 2
    assert expected in said.err.decode()
    assert said.out == b""
    assert texts(project) == before


def test_wrong_configuration(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.migrate-cache]\nexlude = []\n")
    done = run(project)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("pyproject.toml:2:1: unknown key 'exlude'\n")
    assert (project / "go" / "Dockerfile").read_text() == GO
    assert run(project, "--isolated", "-q").returncode == 0


# Settings.


def test_the_configuration_and_what_wins_over_it(project: Path) -> None:
    (project / "migrate-cache.toml").write_text("service = 'conf'\ncargo-lock = false\n")
    patch = run(project, "-n").stdout.decode()
    assert "ln -sf" not in patch
    assert "id=target-builder-conf" in patch
    patch = run(project, "-n", "--service", "line", "--cargo-lock").stdout.decode()
    assert "ln -sf" in patch
    assert "id=target-builder-line" in patch
    (project / "other.toml").write_text("service = 'other'\n")
    assert "id=target-builder-other" in run(project, "-n", "--config", "other.toml").stdout.decode()
    assert "id=target-builder-${SERVICE}" in run(project, "-n", "--isolated").stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "there", "not_there"),
    [
        (["--no-cargo-lock"], "registry,sharing=shared", "ln -sf"),
        (["--id-template", "{kind}-x-{service}"], "id=target-x-${SERVICE}", "target-builder"),
        (["--keep-lock"], "id=target-builder-${SERVICE},sharing=locked", "{nothing}"),
        (["--fresh-ids"], "id=go-mod-", "{nothing}"),
        (["--select", "MC102"], "id=target-builder", "sharing=shared"),
        (["--select", "mc102,MC201"], "id=target-builder", "sharing=shared"),
        (["--ignore", "MC102"], "sharing=shared", "id=target-builder"),
        (["--exclude", "rust"], "a/go/Dockerfile", "a/rust/Dockerfile"),
        (["--exclude", "go", "--exclude", "ru*/**"], "", "a/rust/Dockerfile"),
        (["--jobs", "2"], "a/rust/Dockerfile", "{nothing}"),
    ],
)
def test_options_that_change_the_plan(
    project: Path, arguments: list[str], there: str, not_there: str
) -> None:
    patch = run(project, "-n", *arguments).stdout.decode()
    added = "".join(line for line in patch.splitlines(True) if not line.startswith("-"))
    assert there in added
    assert not_there not in added


def test_what_git_ignores(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, env=environment())
    (tmp_path / ".gitignore").write_text("out\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Dockerfile").write_text(GO)
    assert run(tmp_path, "--check").returncode == 0
    assert run(tmp_path, "--check", "--no-gitignore").returncode == 1
    assert run(tmp_path, "--check", "out/Dockerfile").returncode == 1


# Start and help.


def test_version(tmp_path: Path) -> None:
    expected = f"migrate-cache {__version__}\n".encode()
    assert run(tmp_path, "--version").stdout == expected
    assert run(tmp_path, "--version", "--check").stdout == expected


def test_help_fits(tmp_path: Path) -> None:
    done = run(tmp_path, "--help", COLUMNS="120")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert max(map(len, text.splitlines())) <= 80
    topics = re.split(r"\n(?=\S)", text)
    assert all(topic.count("\n") <= 24 for topic in topics if not topic.startswith("Other"))
    for option in (
        "--dry-run",
        "--stdin-filename",
        "--install-completion",
        "Examples:",
        "Exit codes:",
    ):
        assert option in text
    assert run(tmp_path, "-h", COLUMNS="120").stdout == done.stdout


def test_completion(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        "--show-completion",
        SHELL="/bin/bash",
        _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1",
    )
    assert shown.returncode in (0, 2)
    done = run(
        tmp_path, _MIGRATE_CACHE_COMPLETE="complete_bash",
        COMP_WORDS="migrate-cache --explain MC10", COMP_CWORD="2",
    )  # fmt: skip
    assert b"MC101" in done.stdout


HEAVY = ("lark", "yaml", "rich", "hcl2", "pathspec", "jsonschema", "tomllib", "pydantic", "click")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_what_is_not_needed_is_not_imported(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "Dockerfile").write_text(PLAIN)
    script = (
        "import atexit, runpy, sys; sys.argv = ['migrate-cache', *sys.argv[1:]];"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr));"
        "runpy.run_module('migrate_cache', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    loaded = {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)
