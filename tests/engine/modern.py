"""The engine of a newer Debian than the machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .docker import Docker
from .private import Unavailable
from .roots import open_root, suites

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["start_modern_docker"]


def start_modern_docker(say: Callable[[str], None]) -> Docker:
    """Start the Docker of the first suite whose engine can be had and runs.

    `say` is told what takes long. Raises Unavailable with a reason for each suite.
    """
    reasons = []
    for suite in suites():
        try:
            root = open_root(suite, say)
        except Unavailable as reason:
            reasons.append(str(reason))
            continue
        try:
            return Docker(root=root)
        except Unavailable as reason:
            root.report_broken(str(reason))
            reasons.append(f"Debian {suite}: {reason}")
    raise Unavailable("; ".join(reasons))
