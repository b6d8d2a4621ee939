"""What a run writes and prints: modes, formats, and standard input."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from migrate_cache.report import FORMATS
from tests.cli.running import APT, GO, GO_AFTER, RUST, environment, run, texts

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


# Formats.


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


# Other tools.


def test_tally_is_warned_of(project: Path) -> None:
    (project / ".tally.toml").write_text("[rules]\nexclude = ['hadolint/DL3008']\n")
    said = run(project, "-n").stderr.decode()
    assert ".tally.toml: warning: tally's rule prefer-package-cache-mounts" in said
    (project / ".tally.toml").write_text(
        "[rules]\nexclude = ['tally/prefer-package-cache-mounts']\n"
    )
    assert "tally" not in run(project, "-n").stderr.decode()
