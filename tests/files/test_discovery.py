"""Which files are found: names, ignore rules, links, and what PATHS mean."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrate_cache.files import git_files as listing
from migrate_cache.files.discovery import (
    BuildFiles,
    Found,
    discover,
    is_dockerfile,
    project_root,
    read_file,
)
from migrate_cache.settings import Settings
from migrate_cache.text.errors import ConfigError
from migrate_cache.text.globs import IgnoreFile

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

TAKEN = [
    "Dockerfile", "dockerfile", "DOCKERFILE", "Dockerfile.api", "Dockerfile-api",
    "Dockerfile.sensor.optimized", "api.Dockerfile", "api.dockerfile", "a.b.DockerFile",
    "Containerfile", "containerfile", "Containerfile.api", "Containerfile-api",
    "api.Containerfile", "Dockerfile.ts", "Dockerfile.x\ny", "Dockerfile.\udcff",
]  # fmt: skip
NOT_TAKEN = [
    "Dockerfiles", "MyDockerfile", "Dockerfile_api", "Dockerfile.", "Dockerfile-",
    ".dockerfile", "docker", ".dockerignore", "Dockerfile.dockerignore",
    "api.Dockerfile.dockerignore", "Containerfile.dockerignore", "Dockerfile.j2",
    "Dockerfile.erb", "Dockerfile.tmpl", "Dockerfile.tt", "Dockerfile.in", "Dockerfile.J2",
    "Dockerfile~", "Dockerfile.api~", "Dockerfile.bak", "Dockerfile.orig", "Dockerfile.rej",
    "Dockerfile.swp", ".Dockerfile.swp", "#Dockerfile#", ".#Dockerfile", "Dockerfile.md",
    "dockerfile.lark", "docker-compose.yml",
]  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_names_that_are_taken(name: str) -> None:
    assert is_dockerfile(name)


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_names_that_are_not(name: str) -> None:
    assert not is_dockerfile(name)


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"FROM x\n")


def find(*paths: Path | str, **settings: object) -> Found:
    named = [str(path) for path in paths]
    return discover(named, project_root(named), Settings(**settings))  # type: ignore[arg-type]


def written(found: Found) -> list[str]:
    return [file.path for file in found.dockerfiles if not file.read_only]


def read_only(found: Found) -> dict[str, str]:
    return {file.path: file.read_only for file in found.dockerfiles if file.read_only}


def git(root: Path, *arguments: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    identity = (
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.org",
        "-c",
        "protocol.file.allow=always",
    )
    subprocess.run(
        ("git", *identity, *arguments), cwd=root, check=True, capture_output=True, env=environment
    )


@pytest.fixture(params=["git", "no git program", "no repository"])
def repository(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with ignore files, which all ways of listing see in the same way."""
    names = """Dockerfile a/Dockerfile a/b/Dockerfile.x out/Dockerfile a/out/Dockerfile
        a/keep/Dockerfile.log a/Dockerfile.log deep/only/Dockerfile other/only/Dockerfile
        x_y/Dockerfile ä/Dockerfile compose.yaml a/docker-compose.yml out/compose.yml"""
    tree(tmp_path, *(name.replace("_", " ") for name in names.split()))
    (tmp_path / ".gitignore").write_text("/out/\n*.log\n# remark\n\ndeep/only\n")
    (tmp_path / "a" / ".gitignore").write_text("out\n!keep/*.log\n")
    if request.param != "no repository":
        git(tmp_path, "init", "-q")
    if request.param == "no git program":
        monkeypatch.setattr(listing, "_program", lambda *_: "")
    return tmp_path


def test_what_git_ignores_is_left_out(repository: Path) -> None:
    found = find(repository)
    assert written(found) == [
        "Dockerfile", "a/Dockerfile", "a/b/Dockerfile.x", "a/keep/Dockerfile.log",
        "other/only/Dockerfile", "x y/Dockerfile", "ä/Dockerfile",
    ]  # fmt: skip
    assert list(found.build_files) == ["a/docker-compose.yml", "compose.yaml"]


def test_without_ignore_files_all_are_found(repository: Path) -> None:
    assert len(written(find(repository, gitignore=False))) == 11


def test_a_root_below_the_top_of_the_work_tree(repository: Path) -> None:
    (repository / "a" / "migrate-cache.toml").write_text("")
    found = find(repository / "a")
    assert project_root([str(repository / "a")]).path == str(repository / "a")
    expected = ["Dockerfile", "b/Dockerfile.x", "keep/Dockerfile.log"]
    if not (repository / ".git").exists():
        expected.insert(1, "Dockerfile.log")  # nothing says that the folder above has a say
    assert written(found) == expected


def test_paths_limit_what_is_written_not_what_is_read(repository: Path) -> None:
    (repository / ".git").mkdir(exist_ok=True)
    found = find(repository / "a" / "b", repository / "Dockerfile")
    assert written(found) == ["Dockerfile", "a/b/Dockerfile.x"]
    assert read_only(found)["a/Dockerfile"] == "outside the given paths"
    assert len(found.dockerfiles) == 7


def test_a_file_named_outright_is_always_taken(repository: Path) -> None:
    (repository / ".git").mkdir(exist_ok=True)
    tree(repository, "odd.txt", "vendor/Dockerfile", "legacy/Dockerfile")
    names = ["out/Dockerfile", "odd.txt", "vendor/Dockerfile", "legacy/Dockerfile"]
    found = find(*(repository / name for name in names), exclude=("legacy",))
    assert written(found) == sorted(names)


def test_excluded_and_vendored_files_are_read_only(tmp_path: Path) -> None:
    names = [
        "Dockerfile",
        "legacy/Dockerfile",
        "a/node_modules/x/Dockerfile",
        "vendor/Dockerfile",
        "b/old.Dockerfile",
    ]
    tree(tmp_path, *names)
    found = find(tmp_path, exclude=("legacy/**", "*.Dockerfile"))
    assert written(found) == ["Dockerfile"]
    assert read_only(found) == {
        "legacy/Dockerfile": "excluded",
        "b/old.Dockerfile": "excluded",
        "a/node_modules/x/Dockerfile": "in a vendored folder",
        "vendor/Dockerfile": "in a vendored folder",
    }
    assert "vendor/Dockerfile" in written(find(tmp_path, vendored=()))


def test_a_vendored_folder_that_is_named_is_meant(tmp_path: Path) -> None:
    tree(tmp_path, "vendor/a/Dockerfile", "vendor/a/vendor/Dockerfile")
    (tmp_path / ".git").mkdir()
    found = find(tmp_path / "vendor" / "a")
    assert written(found) == ["vendor/a/Dockerfile"]


def test_what_does_not_exist_is_an_error_and_the_rest_goes_on(tmp_path: Path) -> None:
    tree(tmp_path, "a/Dockerfile")
    found = find(tmp_path / "nope", tmp_path / "a", tmp_path / "a" / "x\0y")
    assert written(found) == ["a/Dockerfile"]
    assert found.errors[0].message == "no such file or folder"
    assert len(found.errors) == 2


@posix
def test_what_is_no_regular_file_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")
    assert written(find(tmp_path)) == []
    assert "standard input" in find(tmp_path / "Dockerfile").errors[0].message
    with pytest.raises(OSError, match="regular"):
        read_file(str(tmp_path / "Dockerfile"))


def test_submodules_and_nested_repositories_are_left_out(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    tree(inner, "Dockerfile")
    git(inner, "init", "-q")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "x")
    tree(outer, "Dockerfile", "nested/Dockerfile")
    git(outer, "init", "-q")
    git(outer / "nested", "init", "-q")
    git(outer, "submodule", "add", "-q", str(inner), "sub")
    assert written(find(outer)) == ["Dockerfile"]
    assert written(find(outer, gitignore=False)) == ["Dockerfile"]


def test_deleted_and_tracked_but_ignored_files(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "gone/Dockerfile", "ignored/Dockerfile")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "gone" / "Dockerfile").unlink()
    assert written(find(tmp_path)) == ["Dockerfile", "ignored/Dockerfile"]


@posix
def test_links_are_taken_once_and_never_lead_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tree(root, "Dockerfile", "base/common.txt", "vendor/Dockerfile.v")
    tree(tmp_path, "outside/Dockerfile")
    git(root, "init", "-q")
    (root / "Dockerfile.link").symlink_to("Dockerfile")
    (root / "Dockerfile.common").symlink_to("base/common.txt")
    (root / "Dockerfile.again").symlink_to("base/common.txt")
    (root / "Dockerfile.out").symlink_to("../outside/Dockerfile")
    (root / "Dockerfile.git").symlink_to(".git/config")
    (root / "Dockerfile.vendor").symlink_to("vendor/Dockerfile.v")
    (root / "Dockerfile.loop").symlink_to("Dockerfile.loop")
    (root / "Dockerfile.none").symlink_to("none")
    (root / "folder").symlink_to("../outside")
    for found in (find(root), find(root, gitignore=False)):
        assert written(found) == ["Dockerfile", "Dockerfile.again"]
        assert read_only(found) == {"vendor/Dockerfile.v": "in a vendored folder"}
        assert found.dockerfiles[1].real == str(root / "base" / "common.txt")


@posix
def test_a_link_that_is_named_is_the_file_it_leads_to(tmp_path: Path) -> None:
    tree(tmp_path, "a/Dockerfile", "b/x")
    (tmp_path / "b" / "Dockerfile").symlink_to("../a/Dockerfile")
    found = find(tmp_path / "b" / "Dockerfile", tmp_path / "a" / "Dockerfile")
    assert [(file.path, file.real) for file in found.dockerfiles] == [
        ("Dockerfile", str(tmp_path / "a" / "Dockerfile"))
    ]


def test_hard_links_are_files_of_their_own(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile")
    os.link(tmp_path / "Dockerfile", tmp_path / "Dockerfile.b")
    assert written(find(tmp_path)) == ["Dockerfile", "Dockerfile.b"]


@posix
def test_odd_names(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for name in (b"Dockerfile.\xff", b"Dockerfile.a\nb", b"Dockerfile.\x1b[31m", b" Dockerfile-x "):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
            file.write(b"FROM x\n")
    expected = ["Dockerfile.\x1b[31m", "Dockerfile.a\nb", "Dockerfile.\udcff"]
    assert written(find(tmp_path)) == expected
    assert written(find(tmp_path, gitignore=False)) == expected


def test_without_a_mark_the_project_is_what_is_named(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "a/Dockerfile",
        "a/deep/Dockerfile",
        "b/Dockerfile",
        "c/Dockerfile",
        "a/compose.yml",
    )
    paths = (str(tmp_path / "a" / "Dockerfile"), str(tmp_path / "b"))
    assert project_root(paths).path == str(tmp_path)
    found = find(*paths)
    assert [file.path for file in found.dockerfiles] == ["a/Dockerfile", "b/Dockerfile"]
    assert list(found.build_files) == ["a/compose.yml"]


def test_tally_is_seen(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", ".tally.toml", "a/tally.toml")
    assert find(tmp_path).tally == (".tally.toml", "a/tally.toml")


@posix
@pytest.mark.parametrize(
    "key", ["core.fsmonitor", "core.hooksPath", "core.pager", "alias.ls-files"]
)
def test_a_repository_cannot_run_anything(tmp_path: Path, key: str) -> None:
    root, mark = tmp_path / "root", tmp_path / "ran"
    tree(root, "Dockerfile")
    git(root, "init", "-q")
    program = root / "evil"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    for hook in ("post-index-change", "fsmonitor-watchman", "query-watchman"):
        (root / hook).symlink_to("evil")
    git(root, "add", "Dockerfile")
    value = {"core.hooksPath": str(root), "alias.ls-files": f"!{program}"}.get(key, str(program))
    git(root, "config", key, value)
    assert written(find(root)) == ["Dockerfile"]
    assert not mark.exists()


@posix
def test_a_git_in_the_project_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, "Dockerfile")
    git(tmp_path, "init", "-q")
    (tmp_path / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert written(find(tmp_path)) == ["Dockerfile"]
    assert not (tmp_path / "ran").exists()


def test_a_redirected_work_tree_leads_nowhere(tmp_path: Path) -> None:
    tree(tmp_path, "root/Dockerfile", "outside/Dockerfile.secret")
    git(tmp_path / "root", "init", "-q")
    git(tmp_path / "root", "config", "core.worktree", str(tmp_path / "outside"))
    assert "secret" not in str(find(tmp_path / "root").dockerfiles)


@posix
def test_a_git_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "root/Dockerfile")
    git(tmp_path / "root", "init", "-q")
    # If it were waited for, it would list no file at all.
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 30\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setattr(listing, "_program", lambda *_: str(tmp_path / "git"))
    monkeypatch.setattr(listing, "_GIT_SECONDS", 0.2)
    assert written(find(tmp_path / "root")) == ["Dockerfile"]


def test_hostile_patterns_are_passed_over(tmp_path: Path) -> None:
    """A pattern becomes a regular expression, in which stars multiply the steps of a match."""
    tree(tmp_path, "Dockerfile." + "a" * 200)
    hostile = "*a" * 40 + "b\n[z-\n\\\n" + "!" * 50 + "\n" + "**/" * 20 + "x\n*.log\n"
    (tmp_path / ".gitignore").write_text(hostile)
    assert len(written(find(tmp_path))) == 1
    patterns = IgnoreFile("", hostile.encode())._spec.patterns
    assert max(str(pattern.pattern).count("*") for pattern in patterns) == 1


def test_each_folder_is_listed_and_each_name_decided_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        (tmp_path / f"{number % 50}" / f"{number}").mkdir(parents=True)
        (tmp_path / f"{number % 50}" / f"{number}" / "README.md").touch()
    tree(tmp_path, *(f"{number % 50}/{number}/Dockerfile" for number in range(0, 300, 10)))
    (tmp_path / ".gitignore").write_text("target\n*.log\n")
    listed: list[str] = []
    decided: list[str] = []
    scandir, decide = os.scandir, IgnoreFile.decide

    def count_listing(folder: str) -> object:
        listed.append(folder)
        return scandir(folder)

    def count_decision(ignore: IgnoreFile, path: str) -> bool | None:
        decided.append(path)
        return decide(ignore, path)

    monkeypatch.setattr(os, "scandir", count_listing)
    monkeypatch.setattr(IgnoreFile, "decide", count_decision)
    assert len(written(find(tmp_path))) == 30
    assert len(listed) == len(set(listed)) == 351
    # Files whose names cannot matter are not even asked about.
    assert len(decided) == len(set(decided)) == 350 + 30


# Files that say how images are built.


def test_build_files_are_read_when_asked_for(tmp_path: Path) -> None:
    tree(tmp_path, "compose.yml", ".env", "infra/services.yml")
    files = BuildFiles(str(tmp_path), ["compose.yml"])
    assert list(files) == ["compose.yml"]
    assert files["compose.yml"] == files[".env"] == files["infra/services.yml"] == b"FROM x\n"
    assert files.get("none.yml") is None


@pytest.mark.parametrize(
    "path",
    ["../secret", "a/../../secret", "/etc/passwd", "", ".git/config", "x\0y", "out", "folder"],
)
def test_nothing_outside_the_root_is_read(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    tree(root, ".git/config", "folder/x")
    tree(tmp_path, "secret")
    try:
        (root / "out").symlink_to(tmp_path / "secret")
    except OSError:
        pytest.skip("no links here")
    assert BuildFiles(str(root), []).get(path) is None


def test_a_large_build_file_is_left_alone_and_said(tmp_path: Path) -> None:
    with open(tmp_path / "compose.yml", "wb") as file:
        file.truncate(5 << 20)
    files = BuildFiles(str(tmp_path), ["compose.yml"])
    assert files["compose.yml"] == b""
    assert files.problems == {"compose.yml": "is larger than 4 MiB"}


def test_build_files_of_the_configuration(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "deploy/stack.yml")
    found = find(tmp_path, build_files=("deploy/stack.yml",))
    assert list(found.build_files) == ["deploy/stack.yml"]
    with pytest.raises(ConfigError, match=r"build-files: no such file below .*: deploy/stak\.yml"):
        find(tmp_path, build_files=("deploy/stak.yml",))
