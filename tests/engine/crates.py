"""A package registry on loopback with generated crates, and a real cargo for an image."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from .standin import add_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .roots import Root

__all__ = ["Cargo", "find_cargo", "registry", "workspace"]

_FILES = 12


@contextmanager
def registry(count: int) -> Iterator[tuple[str, list[str]]]:
    """Serve ``count`` crates; yields the index's address, and the names."""
    names = [f"crate-{number:03}" for number in range(count)]
    pages: dict[str, bytes] = {}
    server = _Server(("127.0.0.1", 0), _handler(pages))
    address = f"http://127.0.0.1:{server.server_port}"
    pages["/index/config.json"] = json.dumps({"dl": f"{address}/crates"}).encode()
    for name in names:
        packed = _crate(name)
        pages[f"/crates/{name}/1.0.0/download"] = packed
        entry = {"name": name, "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
        entry["cksum"] = hashlib.sha256(packed).hexdigest()
        pages[f"/index/{name[:2]}/{name[2:4]}/{name}"] = json.dumps(entry).encode() + b"\n"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"sparse+{address}/index/", names
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a build that fails hangs up."""


def _handler(pages: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is two small writes: together they would wait for each other's receipt.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name above)
            """Say nothing."""

    return Handler


def _crate(name: str) -> bytes:
    """Pack a crate of a few files."""
    files = {"Cargo.toml": f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'}
    files["src/lib.rs"] = "".join(f"mod part{number};\n" for number in range(_FILES))
    for number in range(_FILES):
        files[f"src/part{number}.rs"] = f"// {name}\n" * 200
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-1.0.0/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0)


def workspace(folder: Path, names: Sequence[str]) -> None:
    """Write a package that depends on all of these."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "lib.rs").write_text("")
    needs = "".join(f'{name} = "1"\n' for name in names)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "service"\nversion = "1.0.0"\nedition = "2021"\n'
        f"[workspace]\n[dependencies]\n{needs}"
    )


@dataclass(frozen=True)
class Cargo:
    """A real cargo: of a Debian root, or of this machine."""

    program: Path
    version: str
    debian: Path | None = None

    def add_to(self, root: Path, index: str) -> None:
        """Put it into an image's root, in place of the stand-in, set up for this registry."""
        home = root / "usr" / "local" / "cargo"
        add_program(root, self.program, "usr/local/cargo/bin/cargo", self.debian)
        (home / "config.toml").write_text(
            '[source.crates-io]\nreplace-with = "loopback"\n'
            f'[source.loopback]\nregistry = "{index}"\n'
            # A failed download is not tried again: that would hide what the tests are about.
            "[net]\nretry = 0\n"
        )


def find_cargo(debian: Root | None) -> Cargo | None:
    """Return Debian's cargo, or this machine's where there is no such root."""
    if debian and "cargo" in debian.versions:
        return Cargo(Path("/usr/bin/cargo"), debian.versions["cargo"], debian.path)
    path = shutil.which("cargo")
    # What PATH finds may be rustup, which only passes calls on.
    if rustup := shutil.which("rustup"):
        told = subprocess.run(
            [rustup, "which", "cargo"], capture_output=True, text=True, check=False
        )
        path = told.stdout.strip() if told.returncode == 0 else None
    if path is None:
        return None
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    version = re.match(r"cargo (\S+)", told.stdout)
    return Cargo(Path(path), version[1] if version else told.stdout.strip())
