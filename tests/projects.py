"""The corpus as projects: each folder of a repository is one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.builds import is_build_file
from migrate_cache.dockerfile.parser import parse
from migrate_cache.plan.api import Input, plan
from migrate_cache.report.diff import unified
from migrate_cache.text.errors import ParseError
from migrate_cache.text.source import encode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from migrate_cache.plan.model import ProjectResult


@dataclass(frozen=True)
class Project:
    """The Dockerfiles and build files of one repository, by path."""

    name: str
    dockerfiles: dict[str, bytes]
    build_files: dict[str, bytes]

    def plan(self, dockerfiles: dict[str, bytes] | None = None) -> ProjectResult:
        inputs = [Input(path, data) for path, data in (dockerfiles or self.dockerfiles).items()]
        return plan(inputs, root_name="project", build_files=self.build_files)


def projects(folder: Path, paths: Iterable[str]) -> list[Project]:
    """Group the corpus' paths by repository; a single file is a project of its own."""
    roots: dict[str, list[str]] = {}
    for path in paths:
        parts = path.split("/")
        # files/<owner>+<name>/…, files/_older/<owner>+<name>/<version>/…, files/_single/<file>
        depth = {"_older": 4, "_single": 3}.get(parts[1] if len(parts) > 1 else "", 2)
        root = "/".join(parts[: min(depth, len(parts) - 1)])
        if "_single" in parts[:2]:
            root = path
        roots.setdefault(root, []).append(path)
    return [_project(folder, root, members) for root, members in sorted(roots.items())]


def _project(folder: Path, root: str, paths: list[str]) -> Project:
    base = folder / root
    if base.is_file():
        return Project(root, {base.name: base.read_bytes()}, {})
    build_files = {}
    for path in sorted(base.rglob("*")):
        name = path.relative_to(base).as_posix()
        if path.is_file() and (is_build_file(name) or path.name == ".env"):
            build_files[name] = path.read_bytes()
    dockerfiles = {path[len(root) + 1 :]: (folder / path).read_bytes() for path in sorted(paths)}
    return Project(root, dockerfiles, build_files)


def git_apply(project: Project, result: ProjectResult, scratch: Path) -> str:
    """Apply all diffs of a plan for real; return what is wrong, ``""`` where nothing is."""
    changed = [file for file in result.files if file.changed]
    if not changed:
        return ""
    scratch.mkdir()
    for file in changed:
        path = scratch / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(project.dockerfiles[file.path])
    subprocess.run(["git", "init", "--quiet"], cwd=scratch, check=True)
    patch = b"".join(encode(unified(file)) for file in changed)
    for options in (["--check"], []):
        applied = subprocess.run(
            ["git", "apply", *options, "-"],
            cwd=scratch,
            input=patch,
            capture_output=True,
            check=False,
        )
        if applied.returncode:
            return applied.stderr.decode(errors="replace")
    for file in changed:
        if (scratch / file.path).read_bytes() != encode(file.after):
            return f"{file.path} is not what was planned after git apply"
    return ""


def check_one_outcome_per_mount(files: dict[str, bytes], result: ProjectResult) -> None:
    wanted = []
    for path, data in files.items():
        try:
            tree = parse(data, path)
        except ParseError:
            continue
        for instruction in tree.instructions:
            for mount in getattr(instruction.trigger or instruction, "mounts", ()):
                if mount.type == "cache" or "$" in mount.type:
                    place = tree.source.place(mount.span.start)
                    wanted.append((path, place.line, place.column))
    assert sorted((o.path, o.line, o.column) for o in result.mounts) == sorted(wanted)
    for outcome in result.mounts:
        assert outcome.rule.startswith("MC")
        assert outcome.reason
        assert outcome.reason.isprintable()
        assert "  " not in outcome.reason
