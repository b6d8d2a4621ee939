"""Layouts of Dockerfiles in which one RUN fills a directory that a later RUN needs.

Every layout has a change between the two: a file that is copied in there. So the later RUN alone
can be made to run again, which is when a wrong new id breaks a build.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FILLER", "Layout", "all_layouts", "copying_layouts"]

#: How the mounts name the directory. All but the relative one have the cleaned target as their id.
FORMS = {
    "absolute": "target=/build/target",
    "relative": "target=target",
    "slash": "target=/build/target/",
    "unclean": "target=/build//target",
    "id": "id=/build/target,target=/build/target",
    "variable": "target=${OUT}",
}
#: The file that only fills the directory, where another one needs it.
FILLER = "Dockerfile.api"

_BASE = """\
FROM rust:1.90-slim AS base
ENV OUT=/build/target
WORKDIR /build
COPY project /project

"""
_COMPILE = "cargo build --release --bin shop-${SERVICE}"
_CHANGE = "COPY change /change\n"
_RESULT = "\nFROM scratch\nCOPY --from=%s /shop /shop\n"
_COMPOSE = """\
services:
  api:
    build: {context: ., args: {SERVICE: api}}
  web:
    build: {context: ., args: {SERVICE: web}}
"""


@dataclass(frozen=True)
class Layout:
    """One combination: where the two RUNs stand, how they name the directory, what locks it."""

    shape: str
    form: str
    #: The mounts are `sharing=locked`.
    locked: bool
    #: The RUN that compiles mounts Cargo's registry, too: the lock link is inserted above it.
    registry: bool

    def __str__(self) -> str:
        lock = "locked" if self.locked else "open"
        return "-".join([self.shape, self.form, lock, *["registry"] * self.registry])

    @property
    def files(self) -> Mapping[str, str]:
        """The Dockerfiles."""
        return LAYOUTS[self.shape](self._run(), self._run(compiles=self.registry))

    @property
    def build_files(self) -> Mapping[str, str]:
        """What says which services there are."""
        return {} if FILLER in self.files else {"compose.yaml": _COMPOSE}

    def _run(self, *, compiles: bool = False) -> str:
        lock = ",sharing=locked" if self.locked else ""
        targets = ["target=/usr/local/cargo/registry"] * compiles + [FORMS[self.form]]
        return "RUN " + "".join(f"--mount=type=cache,{target}{lock} \\\n    " for target in targets)


def _same_stage(run: str, compiling: str) -> Mapping[str, str]:
    return _one_file(
        "FROM base AS builder\nARG SERVICE\n"
        f"{compiling}{_COMPILE}\n{_CHANGE}{_copy_out(run)}{_RESULT % 'builder'}"
    )


def _other_stage(run: str, compiling: str) -> Mapping[str, str]:
    return _one_file(
        f"FROM base AS builder\nARG SERVICE\n{compiling}{_COMPILE} && touch /done\n\n"
        f"FROM base AS collect\nARG SERVICE\nCOPY --from=builder /done /done\n"
        f"{_CHANGE}{_copy_out(run)}{_RESULT % 'collect'}"
    )


def _child_stage(run: str, compiling: str) -> Mapping[str, str]:
    return _one_file(
        f"FROM base AS builder\nARG SERVICE\n{compiling}{_COMPILE}\n\n"
        f"FROM builder AS collect\n{_CHANGE}{_copy_out(run)}{_RESULT % 'collect'}"
    )


def _two_files(run: str, compiling: str) -> Mapping[str, str]:
    compiled = f"FROM base AS builder\n{compiling}{_COMPILE}\n".replace("${SERVICE}", "api")
    copied = f"FROM base AS packer\n{_CHANGE}{_copy_out(run)}{_RESULT % 'packer'}"
    return {
        FILLER: _BASE + compiled,
        "Dockerfile.pack": _BASE + copied.replace("${SERVICE}", "api"),
    }


def _prepared(run: str, compiling: str) -> Mapping[str, str]:
    return _one_file(
        f"FROM base AS builder\nARG SERVICE\n{_prepare(run)}{_CHANGE}"
        f"{_compile_prepared(compiling)}{_RESULT % 'builder'}"
    )


def _prepared_in_parent(run: str, compiling: str) -> Mapping[str, str]:
    return _one_file(
        f"FROM base AS native\nARG SERVICE\n{_prepare(run)}\n"
        f"FROM native AS builder\n{_CHANGE}{_compile_prepared(compiling)}{_RESULT % 'builder'}"
    )


def _one_file(text: str) -> Mapping[str, str]:
    return {"Dockerfile": _BASE + text}


def _copy_out(run: str) -> str:
    return f"{run}cp target/release/shop-${{SERVICE}} /shop\n"


def _prepare(run: str) -> str:
    return f"{run}mkdir -p target/native && cp /project target/native/libstore.a\n"


def _compile_prepared(run: str) -> str:
    return f"{run}cp target/native/libstore.a /native && \\\n    {_COMPILE} && \\\n" + (
        "    cp target/release/shop-${SERVICE} /shop\n"
    )


#: What makes the Dockerfiles: of a RUN's beginning, and of that of the RUN that compiles.
LAYOUTS = {
    "same-stage": _same_stage,
    "other-stage": _other_stage,
    "child-stage": _child_stage,
    "two-files": _two_files,
    "prepared": _prepared,
    "prepared-in-parent": _prepared_in_parent,
}


#: Those in which the later RUN only copies a result out of the directory.
_COPYING = ("same-stage", "other-stage", "child-stage", "two-files")


def all_layouts() -> list[Layout]:
    """Return every combination."""
    return [
        Layout(shape, form, locked, registry)
        for shape, form, locked, registry in itertools.product(
            LAYOUTS, FORMS, (True, False), (False, True)
        )
    ]


def copying_layouts() -> list[Layout]:
    """Return the plainest layouts in which the later RUN only copies a result out."""
    return [
        layout
        for layout in all_layouts()
        if layout.shape in _COPYING and layout.form == "absolute" and layout.locked
    ]
