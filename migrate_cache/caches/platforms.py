"""Platforms: whether a build output tells those apart that one build may be made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.dockerfile.scope import PLATFORM_ARGS, Variable
from migrate_cache.dockerfile.words import variables

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount


def platform_variables(mount: CacheMount) -> list[str]:
    """Return the variables in scope that the builder sets per platform, the exacter first."""
    known = mount.run.scope.variables
    # With a default of its own it is that for every platform.
    names = ("TARGETPLATFORM", "TARGETARCH")
    return [name for name in names if known.get(name) == Variable(None, frozenset({name}))]


def separates_platforms(mount: CacheMount) -> bool:
    """Whether every compile command says for which target, and that depends on the platform."""
    own = mount.run.assigns
    compiles = False
    for command in shell.all_commands(mount.run.commands):
        program, arguments = shell.canonical(command)
        if program != "cargo" or arguments[:1] == () or arguments[0] not in shell.CARGO_BUILDS:
            continue
        if arguments[:2] == ("chef", "prepare"):
            continue
        targets = shell.options(command, "--target")
        if not targets or not all(_follows_platform(mount, own, word) for word in targets):
            return False
        compiles = True
    return compiles


def _follows_platform(mount: CacheMount, own: frozenset[str], word: str) -> bool:
    if "$(" in word or "`" in word:
        return True
    known = mount.run.scope.variables
    # A build argument is the same for all platforms of a build.
    return any(
        name not in known or name in own or known[name].depends & PLATFORM_ARGS
        for name in variables(word)
    )
