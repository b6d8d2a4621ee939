"""Writing: all or nothing, whatever happens in between."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate_cache.files import writer
from migrate_cache.files.writer import Write, refusal, write_all
from migrate_cache.text.errors import WriteError

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="takes root to become somebody else"
)


def make(root: Path, count: int = 3, text: bytes = b"old\r\n\xff") -> list[Write]:
    writes = []
    for number in range(count):
        path = root / f"d{number}" / "Dockerfile"
        path.parent.mkdir()
        path.write_bytes(text)
        writes.append(Write(str(path), f"d{number}/Dockerfile", text, b"new\r\n\xff%d" % number))
    return writes


def texts(writes: list[Write]) -> list[bytes]:
    return [Path(write.path).read_bytes() for write in writes]


def litter(root: Path) -> list[str]:
    return sorted(
        path.name for path in root.rglob("*") if path.is_file() and path.name != "Dockerfile"
    )


def test_all_files_are_replaced(tmp_path: Path) -> None:
    writes = make(tmp_path)
    write_all(writes, str(tmp_path))
    assert texts(writes) == [write.after for write in writes]
    assert litter(tmp_path) == []


@posix
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664, 0o4755])
def test_the_mode_stays(tmp_path: Path, mode: int) -> None:
    (write,) = make(tmp_path, 1)
    os.chmod(write.path, mode)
    write_all([write], str(tmp_path))
    assert stat.S_IMODE(os.stat(write.path).st_mode) == mode


@as_root
def test_owner_and_group_stay(tmp_path: Path) -> None:
    (write,) = make(tmp_path, 1)
    os.chown(write.path, 1234, 4321)
    write_all([write], str(tmp_path))
    status = os.stat(write.path)
    assert (status.st_uid, status.st_gid) == (1234, 4321)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_extended_attributes_stay(tmp_path: Path) -> None:
    if sys.platform == "linux":
        (write,) = make(tmp_path, 1)
        try:
            os.setxattr(write.path, "user.note", b"kept")
        except OSError:
            pytest.skip("the file system has no extended attributes")
        write_all([write], str(tmp_path))
        assert os.getxattr(write.path, "user.note") == b"kept"


def test_a_file_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    writes = make(tmp_path)
    Path(writes[2].path).write_bytes(b"edited")
    with pytest.raises(WriteError, match=r"d2/Dockerfile: changed while .*; nothing was written"):
        write_all(writes, str(tmp_path))
    assert texts(writes) == [writes[0].before, writes[1].before, b"edited"]
    assert litter(tmp_path) == []


def test_a_change_between_two_replacements_puts_the_first_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = make(tmp_path)
    replace, calls = os.replace, []

    def meddle(source: str, target: str) -> None:
        replace(source, target)
        calls.append(target)
        if len(calls) == 1:
            Path(writes[1].path).write_bytes(b"edited")

    monkeypatch.setattr(os, "replace", meddle)
    with pytest.raises(WriteError, match="the 1 file written before it was put back"):
        write_all(writes, str(tmp_path))
    assert texts(writes) == [writes[0].before, b"edited", writes[2].before]
    assert litter(tmp_path) == []


def test_a_file_that_has_the_new_text_already_is_fine(tmp_path: Path) -> None:
    writes = make(tmp_path)
    Path(writes[1].path).write_bytes(writes[1].after)
    write_all(writes, str(tmp_path))
    assert texts(writes) == [write.after for write in writes]


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    writes = make(tmp_path)
    os.unlink(writes[1].path)
    with pytest.raises(WriteError, match="d1/Dockerfile: could not be written: No such file"):
        write_all(writes, str(tmp_path))
    assert Path(writes[0].path).read_bytes() == writes[0].before
    assert litter(tmp_path) == []


@posix
def test_a_link_put_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (write,) = make(tmp_path, 1)
    outside = tmp_path / "outside"
    outside.write_bytes(write.before)
    os.unlink(write.path)
    os.symlink(outside, write.path)
    with pytest.raises(WriteError, match="no regular file any more"):
        write_all([write], str(tmp_path))
    assert outside.read_bytes() == write.before


def test_a_failing_replacement_puts_all_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = make(tmp_path)
    replace = os.replace

    def fail(source: str, target: str) -> None:
        if target == writes[2].path and Path(source).read_bytes() == writes[2].after:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    expected = (
        "d2/Dockerfile: could not be written: Input/output error; the 2 files .* were put back"
    )
    with pytest.raises(WriteError, match=expected):
        write_all(writes, str(tmp_path))
    assert texts(writes) == [write.before for write in writes]
    assert litter(tmp_path) == []


def test_what_cannot_be_put_back_is_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = make(tmp_path, 2)
    replace, calls = os.replace, 0

    def fail(source: str, target: str) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WriteError, match="could not be put back: d0/Dockerfile") as caught:
        write_all(writes, str(tmp_path))
    (kept,) = litter(tmp_path)
    assert kept in caught.value.message
    assert (tmp_path / "d0" / kept).read_bytes() == writes[0].before


def test_without_hard_links_there_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = make(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    test_a_failing_replacement = test_a_failing_replacement_puts_all_back
    (tmp_path / "again").mkdir()
    test_a_failing_replacement(tmp_path / "again", monkeypatch)
    monkeypatch.undo()
    write_all(writes, str(tmp_path))
    assert texts(writes) == [write.after for write in writes]


def test_another_writer_is_waited_for_and_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(writer, "_LOCK_SECONDS", 0.1)
    writes = make(tmp_path)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(WriteError, match="another migrate-cache"):
            write_all(writes, str(tmp_path))
    finally:
        os.close(descriptor)
    assert texts(writes) == [write.before for write in writes]
    write_all(writes, str(tmp_path))


def test_it_works_outside_the_main_thread(tmp_path: Path) -> None:
    writes = make(tmp_path)
    thread = threading.Thread(target=write_all, args=(writes, str(tmp_path)))
    thread.start()
    thread.join()
    assert texts(writes) == [write.after for write in writes]


@posix
def test_read_only_files_are_known_before(tmp_path: Path) -> None:
    (write,) = make(tmp_path, 1)
    assert refusal(write.path) == ""
    os.chmod(write.path, 0o444)
    assert refusal(write.path) == "is read-only"
    assert "No such file" in refusal(write.path + "x")
    assert refusal(str(tmp_path)) == "is no regular file any more"


_SCRIPT = """
import os, sys
{before}
from migrate_cache.files import writer
writes = [
    writer.Write(f"{{root}}/d{{n}}/Dockerfile", f"d{{n}}/Dockerfile", {old!r}, {new})
    for root in [sys.argv[1]] for n in range({count})
]
{setup}
try:
    writer.write_all(writes, sys.argv[1])
except writer.WriteError as error:
    print(error)
    sys.exit(3)
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(
    root: Path, *, before: str = "", setup: str = "", count: int = 3, new: str = 'b"new"'
) -> subprocess.Popen[str]:
    script = _SCRIPT.format(before=before, setup=setup, old=b"old", new=new, count=count)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(root)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@posix
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    writes = make(tmp_path, text=b"old")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    done = start(tmp_path, before=limit, new='b"n" * 10000')
    said, _ = done.communicate(timeout=30)
    assert done.returncode == 3
    assert "d0/Dockerfile: could not be written: File too large; nothing was written" in said
    assert texts(writes) == [b"old"] * 3
    assert litter(tmp_path) == []


@as_root
def test_a_full_file_system_leaves_everything_as_it_was(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        writes = make(tmp_path, text=b"old")
        done = start(tmp_path, new='b"n" * 30000')
        said, _ = done.communicate(timeout=30)
        assert done.returncode == 3
        assert "No space left on device" in said
        assert texts(writes) == [b"old"] * 3
        assert litter(tmp_path) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that everybody can reach; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@as_root
@pytest.mark.parametrize("folder_mode", [0o555, 0o755])
def test_a_folder_of_somebody_else(open_path: Path, folder_mode: int) -> None:
    writes = make(open_path, text=b"old")
    os.chmod(open_path / "d1", folder_mode)
    for name in ("d0", "d2"):
        os.chown(open_path / name, 65534, 65534)
    for write in writes:
        os.chown(write.path, 65534, 65534)
    done = start(open_path, setup="import fcntl; os.setgid(65534); os.setuid(65534)")
    said, _ = done.communicate(timeout=30)
    assert done.returncode == 3
    assert "d1/Dockerfile: could not be written: Permission denied; nothing was written" in said
    assert texts(writes) == [b"old"] * 3
    assert litter(open_path) == []


# A stop in the middle: at the `step`-th of the system's calls that change a name or make a file,
# the run sends itself a signal.
_STEPS = """
import signal
steps = 0
def audit(event, arguments):
    global steps
    made = event == "open" and str(arguments[0]).endswith(".tmp")
    if made or event in ("os.link", "os.rename", "os.remove"):
        steps += 1
        if steps == {step}:
            os.kill(os.getpid(), {number})
sys.addaudithook(audit)
"""


@posix
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, -15), (getattr(signal, "SIGHUP", 1), -1)],
)
@pytest.mark.parametrize("step", [1, 2, 5, 6, 7, 8])
def test_an_interrupted_run_puts_everything_back(
    tmp_path: Path, number: int, code: int, step: int
) -> None:
    """Three files are made and linked, three renamed."""
    writes = make(tmp_path, text=b"old")
    done = start(tmp_path, setup=_STEPS.format(step=step, number=int(number)))
    done.communicate(timeout=30)
    assert done.returncode == code
    assert texts(writes) == [b"old"] * 3
    assert litter(tmp_path) == []


@posix
@pytest.mark.parametrize("step", range(1, 13))
def test_a_killed_run_leaves_no_half_written_file(tmp_path: Path, step: int) -> None:
    """Three files are made and linked, three renamed, three other names removed."""
    new = b"n" * 200_000
    writes = make(tmp_path, text=b"old")
    setup = _STEPS.format(step=step, number=int(signal.SIGKILL))
    done = start(tmp_path, setup=setup, new='b"n" * 200_000')
    done.communicate(timeout=30)
    assert done.returncode == -signal.SIGKILL
    # The signal comes just before the step.
    replaced = max(0, min(step - 7, 3))
    assert texts(writes) == [new] * replaced + [b"old"] * (3 - replaced)


@posix
def test_two_runs_at_once_write_the_same(tmp_path: Path) -> None:
    writes = make(tmp_path, 20, text=b"old")
    runs = [start(tmp_path, count=20) for _ in range(3)]
    codes = [run.communicate(timeout=30) and run.returncode for run in runs]
    assert codes == [0, 0, 0]
    assert texts(writes) == [b"new"] * 20
    assert litter(tmp_path) == []
