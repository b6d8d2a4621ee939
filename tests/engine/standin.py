"""Stand-in repositories: made of repos/, given a root file system of stand-ins, migrated, built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .private import Unavailable, isolated

__all__ = [
    "PROJECT",
    "REPOS",
    "add_busybox",
    "add_program",
    "meet",
    "migrate",
    "naive",
    "needs_busybox",
    "stand_in",
    "stand_in_root",
]

_HERE = Path(__file__).parent
REPOS = _HERE / "repos"
PROJECT = _HERE.parent.parent
_BUSYBOX = Path("/bin/busybox")
_APPLETS = (
    *("cat", "chmod", "cp", "cut", "grep", "ln", "ls", "md5sum", "mkdir"),
    *("rm", "sh", "stat", "touch", "uname", "usleep", "wget"),
)


def stand_in(
    case: str,
    place: Path,
    *,
    expect: int = 1,
    patience: float = 0,
    debian: Path | None = None,
) -> Path:
    """Copy a repository, and put what its images are made of into it.

    ``expect`` builds are made side by side; a step waits for the others, at most ``patience``
    seconds. Where they must not come, that should be short; where they are to meet, a long time
    costs nothing.
    """
    repo = place / case
    shutil.copytree(REPOS / case, repo)
    stand_in_root(repo / "stand-in", debian=debian)
    meet(repo, expect=expect, patience=patience)
    return repo


def stand_in_root(root: Path, *, meeting: str = "", debian: Path | None = None) -> Path:
    """Make the root file system of an image: a shell, and stand-ins for build tools.

    Programs that are linked to libraries are taken from `debian`, a root, or from this machine.
    """
    shutil.copytree(_HERE / "rootfs", root)
    (root / "usr" / "local" / "bin").mkdir()
    # As in the official image: everyone may write here.
    (root / "usr" / "local" / "cargo").chmod(0o777)
    for script in (*root.glob("bin/*"), *root.glob("usr/local/cargo/bin/*")):
        script.chmod(0o755)
    add_busybox(root)
    # Debian's busybox has no flock.
    flock = None if debian else shutil.which("flock")
    add_program(root, Path(flock or "/usr/bin/flock"), "bin/flock", debian)
    (root / "etc" / "meeting").write_text(f"MEETING={meeting}\n")
    return root


def needs_busybox() -> None:
    """Raise Unavailable without a busybox that runs in an empty image."""
    if not _BUSYBOX.exists():
        raise Unavailable("there is no busybox (Debian package busybox-static)")
    if subprocess.run(["ldd", _BUSYBOX], capture_output=True, check=False).returncode == 0:
        raise Unavailable(f"{_BUSYBOX} is not static (Debian package busybox-static)")


def add_busybox(root: Path) -> None:
    """Add a shell and the small tools that the stand-ins and the repositories use."""
    (root / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(_BUSYBOX, root / "bin" / "busybox")
    for applet in _APPLETS:
        (root / "bin" / applet).symlink_to("busybox")


def add_program(root: Path, program: Path, name: str, debian: Path | None = None) -> None:
    """Add a program of this machine or of a Debian root, with the libraries it is linked to."""
    source = debian or Path("/")
    shutil.copy(source / program.relative_to("/"), _folder_of(root / name))
    command = isolated(["ldd", str(program)], debian)
    linked = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", linked, re.MULTILINE):
        copy = root / library.removeprefix("/")
        if not copy.exists():
            shutil.copy(source / library.removeprefix("/"), _folder_of(copy))


def _folder_of(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def meet(repo: Path, *, expect: int, patience: float = 0) -> None:
    """Say how many builds are made side by side, and how long a step stays for the others."""
    meeting = repo / "stand-in" / "etc" / "meeting"
    meeting.write_text(f"MEETING=\nEXPECT={expect}\nPATIENCE={round(patience * 10)}\n")


def migrate(repo: Path, *options: str) -> str:
    """Run the tool in a repository, as its user does; return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "migrate_cache", *options],
        cwd=repo,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"migrate-cache ended with {done.returncode}:\n{done.stderr}"
    return done.stdout + done.stderr


def naive(repo: Path, old: str, new: str) -> None:
    """Change all Dockerfiles of a repository without a thought, as `sed` would."""
    changed = False
    for path in repo.glob("*Dockerfile*"):
        text = path.read_text()
        changed |= old in text
        path.write_text(text.replace(old, new))
    assert changed, f"no Dockerfile says {old!r}"
