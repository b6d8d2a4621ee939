"""Running the command as a process, on a small project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

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
    return kept | {"PYTHONPATH": str(ROOT)} | more


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


def texts(project: Path) -> dict[str, bytes]:
    files = sorted(path for path in project.rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in files}
