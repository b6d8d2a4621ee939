"""``--fresh-ids``: each cache whose mode changes gets an id of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.rules.new_ids import is_prescribed
from migrate_cache.services import clean_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_cache.caches.graph import Use
    from migrate_cache.rules.context import Context

RULE = "MC101"
_OFFLINE_WORDS = frozenset(("--offline", "--no-index", "--network=none"))
_OFFLINE_VARIABLES = frozenset(("CARGO_NET_OFFLINE", "UV_OFFLINE", "NPM_CONFIG_OFFLINE"))


class FreshIds:
    """Gives the users of a cache new ids, the same one wherever the old one was the same."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = clean_name(context.project) or "project"
        self._taken = {group.key.id for group in context.graph.groups}
        self._given: dict[tuple[str, ...], str] = {}

    def refusal(self, uses: Sequence[Use]) -> str:
        """Return why a cache keeps its id though its mode changes, ``""`` where it does not."""
        if not self._context.settings.fresh_ids:
            return ""
        for use in uses:
            if use.refusal(RULE):
                return f"it keeps its id: {use.place} cannot change"
            if is_prescribed(use.mount.id):
                return "it keeps its id, which the hosting platform prescribes"
            if use.mount.id and not re.fullmatch(r"[^\s,\"'\\]+", use.mount.id):
                return "it keeps its id, which is written in an unusual way"
        reader = next((use for use in uses if _only_reads(use)), None)
        if reader and len(uses) > 1:
            return (
                f"it keeps its id: {reader.place} needs what another RUN put into it, and would "
                "find a new cache empty when that RUN comes from the layer cache"
            )
        return ""

    def id_for(self, use: Use) -> str | None:
        """Return the new id of a mount, None where ids stay."""
        if not self._context.settings.fresh_ids or self._project in use.mount.id:
            return None
        cache = use.match.cache
        stem = use.mount.id or (cache.slug if cache else "cache")
        old = (use.mount.id or use.key.id, *use.key[1:])
        if old not in self._given:
            new = base = f"{stem}-{self._project}"
            number = 2
            while new in self._taken:
                new = f"{base}-{number}"
                number += 1
            self._taken.add(new)
            self._given[old] = new
        return self._given[old]


def _only_reads(use: Use) -> bool:
    """Whether a RUN cannot do without what lies in the cache: it copies, or has no network."""
    if use.only_copies or use.mount_is_readonly or use.run.flag("network") == "none":
        return True
    known = use.scope.known()
    for command in use.commands:
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
