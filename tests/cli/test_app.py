"""The command as a process: options, exit codes, and what goes where."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate_cache import __version__
from migrate_cache.__main__ import main
from migrate_cache.cli.options import Format
from migrate_cache.report import FORMATS

HERE = Path(__file__).parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="takes root to become somebody else"
)

GO = "FROM golang:1\nRUN --mount=type=cache,target=/go/pkg/mod,sharing=locked go build ./...\n"
GO_AFTER = GO.replace("locked", "shared")
RUST = """\
# syntax=docker/dockerfile:1
FROM rust:1 AS builder
ARG SERVICE
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\
    --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin shop-${SERVICE}
"""
APT = """\
FROM debian
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get install -y curl
"""
PLAIN = "FROM scratch\nCOPY a b\n"


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for name in ("NO_COLOR", "COLUMNS", "PYTHONWARNINGS", "MIGRATE_CACHE_TRACEBACK"):
        kept.pop(name, None)
    return kept | {"PYTHONPATH": str(HERE)} | more


def run(
    folder: Path, *arguments: str, stdin: bytes | None = None, **more: str
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "migrate_cache", *arguments],
        cwd=folder,
        env=environment(**more),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    assert b"internal error" not in done.stderr, done.stderr
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    for name, text in (("go", GO), ("rust", RUST), ("apt", APT), ("plain", PLAIN)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_bytes(text.encode())
    return tmp_path


def texts(project: Path) -> dict[str, bytes]:
    files = sorted(path for path in project.rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in files}


# Modes.


def test_the_default_writes_in_place(project: Path) -> None:
    before = texts(project)
    done = run(project)
    assert (done.returncode, done.stdout) == (0, b"")
    after = texts(project)
    assert set(after) == set(before)
    assert {name for name in after if after[name] != before[name]} == {
        "go/Dockerfile", "rust/Dockerfile",
    }  # fmt: skip
    assert after["go/Dockerfile"].decode() == GO_AFTER
    said = done.stderr.decode()
    assert "go/Dockerfile  changed, 1 change" in said
    assert "Changed 2 files" in said
    again = run(project)
    assert (again.returncode, again.stdout) == (0, b"")
    assert texts(project) == after
    assert "Nothing to change" in again.stderr.decode()


@pytest.mark.parametrize("option", ["--dry-run", "-n"])
def test_a_dry_run_gives_a_patch_that_git_takes(project: Path, option: str) -> None:
    before = texts(project)
    done = run(project, option)
    assert done.returncode == 0
    assert texts(project) == before
    assert done.stdout.startswith(b"diff --git a/go/Dockerfile b/go/Dockerfile\n")
    assert b"would change" in done.stderr
    shutil.rmtree(project / ".git")
    subprocess.run(["git", "apply"], input=done.stdout, cwd=project, check=True, env=environment())
    assert (project / "go" / "Dockerfile").read_text() == GO_AFTER
    (project / ".git").mkdir()
    assert run(project, "--check", "-q").returncode == 0


def test_check(project: Path) -> None:
    before = texts(project)
    done = run(project, "--check")
    assert (done.returncode, done.stdout, texts(project)) == (1, b"", before)
    assert b"would change" in done.stderr
    assert run(project, "--check", "apt", "plain").returncode == 0
    with_diff = run(project, "--check", "--diff", "-q")
    assert with_diff.returncode == 1
    assert with_diff.stdout.startswith(b"diff --git ")
    both = run(project, "--check", "--dry-run", "-q")
    assert (both.returncode, both.stdout) == (1, with_diff.stdout)


def test_diff_shows_what_is_written(project: Path) -> None:
    expected = run(project, "--dry-run", "-q").stdout
    done = run(project, "--diff")
    assert (done.returncode, done.stdout) == (0, expected)
    assert (project / "go" / "Dockerfile").read_text() == GO_AFTER


def test_quiet_and_verbose(project: Path) -> None:
    quiet = run(project, "-n", "--quiet")
    assert quiet.stderr == b""
    verbose = run(project, "-n", "--verbose")
    assert b"MC201" in verbose.stderr
    assert b"apt/Dockerfile" in verbose.stderr


def test_paths_limit_what_is_written(project: Path) -> None:
    assert run(project, "go").returncode == 0
    assert (project / "go" / "Dockerfile").read_text() == GO_AFTER
    assert (project / "rust" / "Dockerfile").read_text() == RUST
    assert run(project / "rust").returncode == 0
    assert "id=target-builder-${SERVICE}" in (project / "rust" / "Dockerfile").read_text()


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


# Formats.


def test_the_formats_are_those_of_the_reports() -> None:
    assert tuple(Format) == tuple(FORMATS)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_standard_output_carries_only_the_format(project: Path, name: str) -> None:
    done = run(project, "-n", "--format", name)
    assert done.returncode == 0
    out = done.stdout.decode()
    if name in ("json", "sarif"):
        json.loads(out)
    elif name == "jsonl":
        assert [json.loads(line) for line in out.splitlines()]
    elif name == "github":
        assert all(line.startswith("::") for line in out.splitlines())
    elif name == "patch":
        assert out.startswith("diff --git ")
    if name != "patch":
        assert done.stderr == b""


def test_a_format_does_not_keep_files_from_being_written(project: Path) -> None:
    data = json.loads(run(project, "--format", "json").stdout)
    assert data["mode"] == "write"
    assert (project / "go" / "Dockerfile").read_text() == GO_AFTER
    pending = run(project, "--check", "--format", "json")
    assert pending.returncode == 0


def test_caches(project: Path) -> None:
    done = run(project, "--caches")
    assert done.returncode == 0
    assert b"/go/pkg/mod" in done.stdout
    assert done.stderr == b""
    data = json.loads(run(project, "--caches", "--format", "json").stdout)
    assert {cache["id"] for cache in data["caches"]} >= {"/go/pkg/mod", "/var/cache/apt"}
    assert (project / "go" / "Dockerfile").read_text() == GO


def test_rules(tmp_path: Path) -> None:
    listed = run(tmp_path, "--list-rules")
    assert listed.returncode == 0
    assert b"MC101" in listed.stdout
    explained = run(tmp_path, "--explain", "mc104")
    assert explained.returncode == 0
    assert b"MC104" in explained.stdout


def test_show_tree(project: Path) -> None:
    done = run(project, "--show-tree", "go/Dockerfile")
    assert done.returncode == 0
    assert b"/go/pkg/mod" in done.stdout
    for name in ("nope", "go"):
        done = run(project, "--show-tree", name)
        assert (done.returncode, done.stdout) == (3, b"")
        assert done.stderr.startswith(name.encode() + b": ")


def test_colours(project: Path) -> None:
    assert b"\x1b[" not in run(project, "-n").stdout
    assert b"\x1b[31m" in run(project, "-n", "--color", "always", NO_COLOR="1").stdout
    assert b"\x1b[" not in run(project, "-n", "--color", "never").stdout


# Standard input.


def test_a_filter(project: Path) -> None:
    done = run(project, "-", "--stdin-filename", "go/Dockerfile", stdin=GO.encode())
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, GO_AFTER, b"")
    name = ("--stdin-filename", "rust/Dockerfile")
    done = run(project, "-", *name, stdin=RUST.encode())
    assert b"id=target-builder-${SERVICE}" in done.stdout
    assert (project / "rust" / "Dockerfile").read_text() == RUST


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"FROM x", b"\xff\xfe\x00", b"\xef\xbb\xbfFROM x\r\nRUN a\r\n", APT.encode(),
        b"not a dockerfile \x00", b"FROM x\nRUN --mount=type=cache,target=/x <<E\n",
    ],
)  # fmt: skip
def test_bytes_are_untouched_where_nothing_changes(tmp_path: Path, data: bytes) -> None:
    done = run(tmp_path, "-", stdin=data)
    assert done.stdout == data
    assert done.returncode == (3 if b"<<E" in data else 0)


def test_line_endings_and_bytes_stay(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf# \xff\xfe\r\n" + GO.replace("\n", "\r\n").encode().rstrip()
    done = run(tmp_path, "-", stdin=data)
    assert done.stdout == data.replace(b"locked", b"shared")


def test_a_filter_with_modes(project: Path) -> None:
    (project / "go" / "Dockerfile").unlink()
    done = run(project, "-", "--check", stdin=GO.encode())
    assert (done.returncode, done.stdout) == (1, b"")
    assert run(project, "-", "--check", stdin=GO_AFTER.encode()).returncode == 0
    done = run(project, "-", "-n", "--stdin-filename", "new/place/Dockerfile", stdin=GO.encode())
    assert done.stdout.startswith(b"diff --git a/new/place/Dockerfile b/new/place/Dockerfile\n")
    done = run(project, "-", "--format", "json", stdin=GO.encode())
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == ["Dockerfile"]


def test_a_filter_sees_the_project(project: Path) -> None:
    """The cache is used by another file, which stays locked: so this one stays, too."""
    done = run(project, "-", "--stdin-filename", "other/Dockerfile", "-v", stdin=GO.encode())
    assert done.stdout.decode() == GO
    assert b"MC203" in done.stderr


# Safety.


@posix
def test_modes_and_links_stay(project: Path) -> None:
    os.chmod(project / "go" / "Dockerfile", 0o755)
    (project / "go" / "Dockerfile.link").symlink_to("Dockerfile")
    assert run(project, "-q").returncode == 0
    assert (project / "go" / "Dockerfile").stat().st_mode & 0o777 == 0o755
    assert (project / "go" / "Dockerfile.link").is_symlink()
    assert (project / "go" / "Dockerfile.link").read_text() == GO_AFTER


@posix
def test_hard_links_are_mentioned(project: Path) -> None:
    os.link(project / "go" / "Dockerfile", project / "copy")
    done = run(project)
    assert b"hard link" in done.stderr
    assert (project / "copy").read_text() == GO


@posix
def test_a_read_only_file_is_an_error_and_the_rest_goes_on(project: Path) -> None:
    os.chmod(project / "go" / "Dockerfile", 0o444)
    done = run(project)
    assert done.returncode == 3
    assert "go/Dockerfile: cannot be written: is read-only" in done.stderr.decode()
    assert (project / "go" / "Dockerfile").read_text() == GO
    assert "id=target-builder" in (project / "rust" / "Dockerfile").read_text()


@posix
def test_a_full_disk_changes_nothing(project: Path) -> None:
    (project / "rust" / "Dockerfile").write_text(RUST + "# " + "x" * 5000 + "\n")
    before = texts(project)
    script = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.argv = ['migrate-cache', '--format', 'json'];"
        "runpy.run_module('migrate_cache', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        cwd=project, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert texts(project) == before
    assert b"rust/Dockerfile: could not be written: File too large" in done.stderr
    data = json.loads(done.stdout)
    assert data["summary"]["files_changed"] == data["summary"]["mounts_changed"] == 0
    errors = {file["path"]: file["error"] for file in data["files"] if file["error"]}
    assert set(errors) == {"go/Dockerfile", "rust/Dockerfile"}


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_at_any_time_leave_whole_files_and_no_litter(tmp_path: Path, number: int) -> None:
    (tmp_path / ".git").mkdir()
    for name in range(60):
        (tmp_path / f"d{name}").mkdir()
    for delay in (0.1, 0.3):
        for name in range(60):
            (tmp_path / f"d{name}" / "Dockerfile").write_text(GO)
        process = subprocess.Popen(
            [sys.executable, "-m", "migrate_cache", "-q"],
            cwd=tmp_path, env=environment(), stderr=subprocess.PIPE,
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode in (0, 130, -signal.SIGTERM, -signal.SIGINT)
        if delay > 0.2:  # later than the interpreter's own start
            assert b"Traceback" not in said
        after = texts(tmp_path)
        assert len(after) == 60
        assert len(set(after.values())) == 1


@posix
def test_a_reader_that_leaves_early_is_no_error(project: Path) -> None:
    command = f'"{sys.executable}" -m migrate_cache -n --format json; echo $? >&3'
    done = subprocess.run(
        ["sh", "-c", f"exec 3>&2; ({command}) 2>err | true"],
        cwd=project, env=environment(), capture_output=True, check=True,
    )  # fmt: skip
    assert done.stderr == b"0\n"
    assert (project / "err").read_bytes() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="takes /dev/full")
def test_a_standard_output_that_cannot_be_written_is_an_error(project: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "migrate_cache", "-n"],
            cwd=project, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert b"standard output cannot be written: No space left" in done.stderr


@posix
def test_closed_streams(project: Path) -> None:
    command = f'"{sys.executable}" -m migrate_cache -n'
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        done = subprocess.run(
            ["sh", "-c", f"{command} {closed}"],
            cwd=project, env=environment(), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr


@posix
def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    (tmp_path / "Dockerfile.\x1b]0;pwned\x07").write_text("# \x1b]0;pwned\x07\x9b\n" + GO)
    (tmp_path / "Dockerfile.bad\x1b[2J").write_text(GO + "RUN <<\x1b[2J\n")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate_cache", "-n", "-v", "no\x1b[2Jpe", "."],
        cwd=tmp_path, env=environment(TERM="xterm"), stdout=slave, stderr=slave,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(master)
    assert process.wait(timeout=30) == 3
    # Colours are ours; nothing else is.
    rest = re.sub(rb"\x1b\[[0-9;]*m", b"", seen)
    assert b"\x1b" not in rest
    assert b"\x07" not in rest
    assert rb"\x1b]0;pwned" in rest


def test_tally_is_warned_of(project: Path) -> None:
    (project / ".tally.toml").write_text("[rules]\nexclude = ['hadolint/DL3008']\n")
    said = run(project, "-n").stderr.decode()
    assert ".tally.toml: warning: tally's rule prefer-package-cache-mounts" in said
    (project / ".tally.toml").write_text(
        "[rules]\nexclude = ['tally/prefer-package-cache-mounts']\n"
    )
    assert "tally" not in run(project, "-n").stderr.decode()


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
