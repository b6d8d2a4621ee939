"""``--fresh-ids``: each cache whose mode changes gets an id of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.rules.new_ids import is_prescribed
from migrate_cache.services.names import clean_name

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.rules.context import Context

_OFFLINE_WORDS = frozenset(("--offline", "--no-index", "--network=none"))
_OFFLINE_VARIABLES = frozenset(("CARGO_NET_OFFLINE", "UV_OFFLINE", "NPM_CONFIG_OFFLINE"))


class FreshIds:
    """New ids for shared caches, the same one wherever the old one was the same."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = clean_name(context.project.name) or "project"
        self._taken = {cache.key.id for cache in context.project.caches}
        self._given: dict[tuple[str, ...], str] = {}

    def problem(self, mounts: Sequence[CacheMount]) -> str:
        """Return why a cache keeps its id though its mode changes, ``""`` where it does not."""
        if not self._context.settings.fresh_ids:
            return ""
        for mount in mounts:
            if self._context.blocked(mount, "MC101"):
                return f"it keeps its id: {mount.place} cannot change"
            if is_prescribed(mount.id):
                return "it keeps its id, which the hosting platform prescribes"
            if mount.id and not re.fullmatch(r"[^\s,\"'\\]+", mount.id):
                return "it keeps its id, which is written in an unusual way"
        reader = next((mount for mount in mounts if _only_reads(mount)), None)
        if reader and len(mounts) > 1:
            return (
                f"it keeps its id: {reader.place} needs what another RUN put into it, and would "
                "find a new cache empty when that RUN comes from the layer cache"
            )
        return ""

    def id_for(self, mount: CacheMount) -> str | None:
        """Return the new id of a mount, None where ids stay."""
        if not self._context.settings.fresh_ids or self._project in mount.id:
            return None
        old = (mount.id or mount.key.id, *mount.key[1:])
        if old not in self._given:
            stem = mount.id or (mount.entry.slug if mount.entry else "cache")
            new = base = f"{stem}-{self._project}"
            number = 2
            while new in self._taken:
                new = f"{base}-{number}"
                number += 1
            self._taken.add(new)
            self._given[old] = new
        return self._given[old]


def _only_reads(mount: CacheMount) -> bool:
    """Whether a RUN cannot do without what lies in the cache: it copies, or has no network."""
    if mount.only_copies or mount.mount_is_readonly or mount.run.node.flag("network") == "none":
        return True
    known = mount.run.scope.known()
    for command in mount.run.commands:
        program, arguments = shell.canonical(command)
        if _OFFLINE_WORDS.intersection(arguments):
            return True
        own = {"cargo": "--frozen", "mvn": "-o"}.get(program)
        if own in arguments:
            return True
        variables = {**known, **dict(command.environment)}
        if variables.get("GOPROXY") == "off":
            return True
        if any(name.upper() in _OFFLINE_VARIABLES for name in variables):
            return True
    return False
