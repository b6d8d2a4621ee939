"""Files, signals and streams that are not as usual."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import GO, GO_AFTER, RUST, environment, posix, run, texts

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


# Sends a signal to itself at the `step`-th time that a file of the project is opened, linked,
# renamed or removed.
_SIGNAL = """
import os, runpy, sys
root, number, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def audit(event, arguments):
    global step
    if event in ("open", "os.link", "os.rename", "os.remove"):
        step -= str(arguments[0]).startswith(root)
        if step == 0:
            step = -1
            os.kill(os.getpid(), number)
sys.addaudithook(audit)
sys.argv = ["migrate-cache", "-q"]
runpy.run_module("migrate_cache", run_name="__main__")
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("step", "changed"),
    [(1, False), (20, False), (50, False), (70, False), (85, False), (130, False), (150, True)],
)
def test_signals_at_any_time_leave_whole_files_and_no_litter(
    tmp_path: Path, number: int, step: int, changed: bool
) -> None:
    """20 files are read, made anew and linked, compared, replaced; then the links are removed."""
    (tmp_path / ".git").mkdir()
    for name in range(20):
        (tmp_path / f"d{name}").mkdir()
        (tmp_path / f"d{name}" / "Dockerfile").write_text(GO)
    done = subprocess.run(
        [sys.executable, "-c", _SIGNAL, str(tmp_path), str(int(number)), str(step)],
        cwd=tmp_path, env=environment(), capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    code = 130 if number == signal.SIGINT else -signal.SIGTERM
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    after = texts(tmp_path)
    assert len(after) == 20
    assert set(after.values()) == {(GO_AFTER if changed else GO).encode()}


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
