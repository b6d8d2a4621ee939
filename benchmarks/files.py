"""How many files a second, with and without cache mounts, and what a start costs.

``python benchmarks/files.py [FILES]``: makes a tree of that many Dockerfiles (1,000 by default)
in a temporary folder and runs the command there, as users do. Times depend on the machine, so
the last column says them as multiples of a Python that starts and does nothing. Nothing is
asserted here.
"""

# ruff: noqa: T201, S603 - it prints a table, and runs the command
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPEATS = 5

PLAIN = """\
FROM node:22 AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci && npm cache clean --force
COPY . .
RUN npm run build
EXPOSE {number}
CMD ["node", "dist/index.js"]
"""
# Every service has build output of its own and shares its registry with all the others.
MOUNTS = """\
# syntax=docker/dockerfile:1
FROM rust:1 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\
    --mount=type=cache,target=/usr/local/cargo/git,sharing=locked \\
    --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin service-{number}
FROM debian:bookworm-slim
COPY --from=builder /build/target/release/service-{number} /usr/local/bin/service
"""


def command(*arguments: str) -> list[str]:
    """Return the command line of the checkout's command."""
    return [sys.executable, "-m", "migrate_cache", *arguments]


def seconds(line: list[str], folder: Path, repeats: int = REPEATS) -> float:
    """Return the shortest of the times that a process takes; the first run is not counted."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "NO_COLOR": "1"}
    best = float("inf")
    for number in range(repeats + 1):
        began = time.perf_counter()
        done = subprocess.run(
            line,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        took = time.perf_counter() - began
        if done.returncode not in {0, 1}:
            sys.exit(done.stderr.decode("utf-8", "replace"))
        if number:
            best = min(best, took)
    return best


def tree(folder: Path, plain: int, mounts: int) -> Path:
    """Make a project in `folder`: one Dockerfile a folder."""
    for number in range(plain + mounts):
        service = folder / f"group-{number % 20}" / f"service-{number}"
        service.mkdir(parents=True)
        text = (PLAIN if number < plain else MOUNTS).format(number=number)
        (service / "Dockerfile").write_text(text, "utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)  # noqa: S607 - git of the PATH
    return folder


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        (base / "empty").mkdir()
        one_plain = tree(base / "one-plain", 1, 0)
        one_mount = tree(base / "one-mount", 0, 1)
        check = command("--check", "--quiet")
        nothing = seconds([sys.executable, "-c", "pass"], base / "empty")
        starts = {
            "python -c pass": nothing,
            "--version": seconds(command("--version"), base / "empty"),
            "--help": seconds(command("--help"), base / "empty"),
            "one file, no cache mount": seconds(check, one_plain),
            "one file with cache mounts": seconds(check, one_mount),
        }
        print(f"{'':42} {'time':>9} {'files/s':>9} {'x python':>9}")
        for name, took in starts.items():
            print(f"{name:42} {took:>7.3f} s {'':>9} {took / nothing:>9.1f}")
        trees = {
            f"{count} files, no cache mount": tree(base / "plain", count, 0),
            f"{count} files, a fifth with cache mounts": tree(
                base / "some", count - count // 5, count // 5
            ),
            f"{count} files, all with cache mounts": tree(base / "all", 0, count),
        }
        for name, folder in trees.items():
            took = seconds(check, folder, repeats=2)
            print(f"{name:42} {took:>7.3f} s {count / took:>9.0f} {took / nothing:>9.1f}")


if __name__ == "__main__":
    main()
