"""A place on loopback where builds tell what they do, for files that must stay as they are."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from .events import Events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Meeting"]


class Meeting:
    """Builds say ``begin STEP NAME`` and stay until enough of them have, or their time is over."""

    def __init__(self, expect: Mapping[str, int], patience: Mapping[str, float]) -> None:
        self.expect = expect
        self.patience = patience
        self.address = ""
        self._lines: list[str] = []
        self._changed = threading.Condition()

    @property
    def events(self) -> Events:
        """What was said up to now."""
        return Events("\n".join(self._lines))

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen on loopback."""
        server = _Server(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def say(self, what: str, step: str, name: str) -> None:
        """Note it; a beginning stays for the others."""
        with self._changed:
            self._lines.append(f"{what} {step} {name}")
            self._changed.notify_all()
            if what == "begin":
                deadline = time.monotonic() + self.patience[step]
                while len(self.events.names("begin", step)) < self.expect[step]:
                    left = deadline - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        break


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a build that fails hangs up."""


def _handler(meeting: Meeting) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, what, step, name = self.path.split("/", 3)
            meeting.say(what, step, name)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name above)
            """Say nothing."""

    return Handler
