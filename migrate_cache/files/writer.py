"""Write files as one transaction: all are replaced, or none is.

Before the first file is replaced, every new text is written to a temporary file beside the old
one and flushed, so that a full disk is noticed while nothing has changed yet. Right before it is
replaced, a file is compared with the text that the plan was made from. If a replacement fails or
the user interrupts, the replaced files are put back: hard links keep the old files, so that this
takes no room on the disk. A process that is killed outright leaves each file whole, old or new,
and at worst some ``.migrate-cache-*.tmp`` files.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.files.paths import reason
from migrate_cache.text.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Write:
    """A file to replace: `path` is the file itself, no link to it; messages call it `name`."""

    path: str
    name: str
    before: bytes
    after: bytes


@dataclass(slots=True)
class _Staged:
    """A file ready to be replaced; `temporary` and `backup` are ``""`` once they are gone."""

    write: Write
    temporary: str = ""
    backup: str = ""
    replaced: bool = False


def refusal(path: str) -> str:
    """Return the reason why the file at `path` must not be replaced, ``""`` if it may be."""
    try:
        status = os.lstat(path)
    except OSError as error:
        return reason(error)
    if not stat.S_ISREG(status.st_mode):
        return "is no regular file any more"
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        return "is read-only"
    if not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        return "lies in a read-only folder"
    if sys.platform != "win32" and os.geteuid() not in (0, status.st_uid):
        return "belongs to another user, and would not any more"
    return ""


def write_all(writes: Sequence[Write], root: str) -> None:
    """Replace all the files, or none of them.

    Raise WriteError, with the file at fault, if one cannot be written or has changed since the
    plan was made. SIGINT and SIGTERM take effect once everything is put back.
    """
    staged: list[_Staged] = []
    with _signals_held() as interrupted, _locked(root, interrupted):
        try:
            _carry_out(writes, staged, interrupted)
        except WriteError as error:
            raise _explained(error, *_put_back(staged)) from None
        except BaseException:
            _put_back(staged)
            raise
        finally:
            for one in staged:
                for leftover in (one.temporary, one.backup):
                    with suppress(OSError):
                        if leftover:
                            os.unlink(leftover)


def _carry_out(writes: Sequence[Write], staged: list[_Staged], interrupted: list[int]) -> None:
    for write in writes:
        if interrupted:
            return
        # Listed before its files are made, so that they are removed whatever happens.
        staged.append(_Staged(write))
        with _blaming(write):
            _stage(staged[-1])
    for one in staged:
        with _blaming(one.write):
            _compare(one.write)
    for one in staged:
        if interrupted:
            _put_back(staged)
            return
        with _blaming(one.write):
            _replace(one)
    _flush_folders(staged)


@contextmanager
def _blaming(write: Write) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"could not be written: {reason(error)}"
        raise WriteError(message, path=write.name) from None


def _stage(one: _Staged) -> None:
    """Write the new text to a temporary file, and link the old file to a second name."""
    path = one.write.path
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise WriteError("is no regular file any more", path=one.write.name)
    one.temporary = _unused_name(path)
    _write_new(one.temporary, one.write.after, path, status)
    one.backup = _unused_name(path)
    try:
        os.link(path, one.backup)
    except OSError:  # no hard links on this file system, or none allowed to this file
        _write_new(one.backup, one.write.before, path, status)


def _unused_name(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".migrate-cache-{os.urandom(8).hex()}.tmp")


def _write_new(path: str, data: bytes, like: str, status: os.stat_result) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for name in ("O_BINARY", "O_NOFOLLOW", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if sys.platform != "win32":
            made = os.fstat(descriptor)
            if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            _copy_attributes(like, path)
            # Last, because a change of owner clears mode bits.
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        os.fsync(descriptor)
    if sys.platform == "win32":
        os.chmod(path, stat.S_IMODE(status.st_mode))


def _copy_attributes(source: str, target: str) -> None:
    """Copy extended attributes (access lists, labels) as far as the system allows it."""
    if sys.platform == "linux":
        with suppress(OSError):
            for name in os.listxattr(source, follow_symlinks=False):
                value = os.getxattr(source, name, follow_symlinks=False)
                with suppress(OSError):
                    os.setxattr(target, name, value, follow_symlinks=False)


def _compare(write: Write) -> None:
    if _content(write.path) not in (write.before, write.after):
        raise WriteError("changed while it was being migrated", path=write.name, hint="run again")


def _replace(one: _Staged) -> None:
    # Another run may have written the same text in the meantime.
    if _content(one.write.path) != one.write.after:
        _compare(one.write)
        os.replace(one.temporary, one.write.path)
        one.temporary = ""
        one.replaced = True


def _content(path: str) -> bytes | None:
    """Return the bytes of a regular file, None for anything else, such as a link."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return None
    with open(path, "rb") as file:
        return file.read()


def _put_back(staged: Sequence[_Staged]) -> tuple[int, list[str]]:
    """Undo the replacements; return how many were undone, and descriptions of the others."""
    done, failed = 0, []
    for one in reversed(staged):
        if not one.replaced:
            continue
        try:
            if _content(one.write.path) == one.write.after:
                os.replace(one.backup, one.write.path)
                one.backup = ""
                done += 1
            one.replaced = False
        except OSError as error:
            failed.append(f"{one.write.name} ({reason(error)}; its old text is in {one.backup})")
            one.backup = ""  # the only copy: keep it
    return done, failed


def _explained(error: WriteError, back: int, failed: Sequence[str]) -> WriteError:
    """Return `error` with what became of the files that were written before it."""
    if failed:
        outcome = f"could not be put back: {', '.join(failed)}"
    elif back:
        files, were = ("1 file", "was") if back == 1 else (f"{back} files", "were")
        outcome = f"the {files} written before it {were} put back"
    else:
        outcome = "nothing was written"
    return WriteError(f"{error.message}; {outcome}", path=error.path, hint=error.hint)


def _flush_folders(staged: Sequence[_Staged]) -> None:
    """Flush the folders, so that the replacements survive a crash of the system."""
    if sys.platform != "win32":
        for folder in {os.path.dirname(one.write.path) for one in staged}:
            with suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


@contextmanager
def _signals_held() -> Iterator[list[int]]:
    """Hold back signals that would end the process, and send the first again at the end.

    Yield the list of those that have come.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    held = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # Signals that the process was started to ignore stay ignored.
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            held[number] = signal.signal(number, note)
    try:
        yield came
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def _locked(root: str, interrupted: Sequence[int]) -> Iterator[None]:
    """Keep other runs from writing in this project, where folders can be locked."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    try:
        descriptor = os.open(root, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not interrupted:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = "another migrate-cache is writing in this project"
                    raise WriteError(message, path=root) from None
                time.sleep(0.05)
            except OSError:  # a file system without locks: the comparison has to suffice
                break
        yield
    finally:
        os.close(descriptor)
