"""Clean names for use in ids, and infer services from the names of files and folders."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from migrate_cache.services.model import Service


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


FLAVOURS = words(
    "debian ubuntu alpine slim bookworm bullseye trixie buster jammy noble focal fedora rocky"
    " centos rhel ubi ubi8 ubi9 wolfi chainguard distroless scratch static musl glibc gnu"
    " dynamic busybox dev devel develop development debug local prod production release"
    " staging stage test tests testing ci cd e2e bench build builder base runtime run cross"
    " multi multiarch multistage optimized optimised fast min minimal full lite amd64 arm64"
    " arm armv6 armv7 armhf aarch64 x86 x64 i386 ppc64le s390x riscv64 linux windows win"
    " darwin cpu gpu cuda rocm docker container image nightly stable latest legacy old new"
    " root nonroot rootless"
)
_GENERIC_FOLDERS = words(
    "docker dockerfile dockerfiles build builds builder deploy deployment deployments infra"
    " infrastructure images image containers container ci .ci .github .gitlab .circleci"
    " .devcontainer .docker ops devops tools scripts hack packaging package release compose"
    " src source services service apps app cmd crates packages projects libs examples example"
    " etc"
)
_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_VERSION = re.compile(r"v?\d+([._]\d+)*")
_LONGEST = 80


def clean_name(name: str) -> str:
    """Reduce a name to what an id may hold: ``[a-z0-9._-]``, and not too much of it."""
    return _UNSAFE.sub("-", name[:1000].lower()).strip("-._")[:_LONGEST].strip("-._")


def service_name(name: str) -> str:
    """Return a cleaned name, ``""`` where nothing is left of it that reads as one."""
    cleaned = clean_name(name)
    return cleaned if re.search("[a-z]", cleaned) else ""


def parts_of(name: str) -> list[str]:
    """Return the parts of a name, in lower case."""
    return [part for part in re.split(r"[-._]+", name.lower()) if part]


def without_flavours(text: str) -> str:
    """Return a name without the parts that say how it is built, not what."""
    kept = [
        part for part in parts_of(text) if part not in FLAVOURS and not _VERSION.fullmatch(part)
    ]
    return service_name("-".join(kept))


def listed(names: Iterable[str]) -> str:
    """Return names as a message lists them, the first few of many."""
    shown = list(dict.fromkeys(names))
    if len(shown) > 4:
        return f"{', '.join(shown[:3])} and {len(shown) - 3} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def from_file_name(path: str) -> Service | None:
    """Return the service that ``Dockerfile.worker`` or ``api.Dockerfile`` is named after."""
    name = posixpath.basename(path)
    match = re.fullmatch(r"(?:dockerfile|containerfile)[-._](.+)", name, re.IGNORECASE)
    match = match or re.fullmatch(r"(.+)[-._](?:dockerfile|containerfile)", name, re.IGNORECASE)
    service = without_flavours(match[1]) if match else ""
    return Service(service, f"the file is called {name}") if service else None


def from_folder(path: str) -> Service | None:
    """Return the service that the nearest folder with a telling name is named after."""
    for folder in reversed(posixpath.dirname(path).split("/")):
        if folder and folder.lower() not in _GENERIC_FOLDERS:
            service = without_flavours(folder)
            if service:
                return Service(service, f"the folder is called {folder}")
    return None
