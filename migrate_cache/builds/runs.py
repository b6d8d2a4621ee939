"""RUN instructions with their file, stage, scope, commands and declared builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.dockerfile.base_images import image_name
from migrate_cache.dockerfile.scope import resolve
from migrate_cache.dockerfile.tree import Run

if TYPE_CHECKING:
    from migrate_cache.builds.model import Build
    from migrate_cache.dockerfile.scope import Resolved, Scope
    from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Stage
    from migrate_cache.settings import FileSettings
    from migrate_cache.shell import Command, Script


@dataclass(frozen=True, eq=False)
class FileContext:
    """A Dockerfile of the project, the builds that are declared for it, and its settings.

    `tools` names the programs that the catalogue knows; `read_only` says why the file is not to
    be written, ``""`` where it may be.
    """

    path: str
    tree: Dockerfile
    builds: tuple[Build, ...]
    settings: FileSettings
    tools: frozenset[str]
    read_only: str = ""

    @cached_property
    def resolved(self) -> Resolved:
        """The scopes of the instructions, and the stages that each stage needs."""
        return resolve(self.tree)

    @cached_property
    def runs(self) -> tuple[RunContext, ...]:
        """Every RUN of a stage, those of ONBUILD included."""
        return tuple(
            RunContext(self, stage, instruction, run)
            for stage in self.tree.stages
            for instruction in stage.instructions
            if isinstance(run := instruction.trigger or instruction, Run)
        )

    @cached_property
    def stage_indexes(self) -> Mapping[str, int]:
        """The indexes of the stages by lower-case name and by the index as text."""
        stages = self.tree.stages
        by_index = {str(stage.index): stage.index for stage in stages}
        return by_index | {stage.name: stage.index for stage in stages if stage.name}

    @cached_property
    def overridden(self) -> frozenset[str]:
        """The build arguments to which some build gives another value than their default."""
        given = {name for build in self.builds for name, _ in build.args}
        if "" in given:
            # A build sets arguments whose names are not known: it may be any of them.
            for scope in self.resolved.scopes.values():
                for variable in scope.variables.values():
                    given |= variable.depends
        return frozenset(given)


@dataclass(frozen=True, eq=False)
class RunContext:
    """A RUN, and everything that decides what it does.

    `instruction` is the RUN itself, or the ONBUILD that it is the trigger of.
    """

    file: FileContext
    stage: Stage
    instruction: Instruction
    node: Run

    @property
    def path(self) -> str:
        """The path of the Dockerfile, relative to the root."""
        return self.file.path

    @property
    def tree(self) -> Dockerfile:
        """The tree of the Dockerfile."""
        return self.file.tree

    @property
    def resolved(self) -> Resolved:
        """The scopes and stages of the Dockerfile."""
        return self.file.resolved

    @property
    def settings(self) -> FileSettings:
        """The settings in effect for the Dockerfile."""
        return self.file.settings

    @property
    def scope(self) -> Scope:
        """The variables, user, shell and working directory in effect at the RUN."""
        return self.file.resolved.scopes[self.instruction.start]

    @cached_property
    def chain(self) -> tuple[int, ...]:
        """The indexes of the RUN's stage and of those it is built FROM, the nearest first."""
        return self.file.resolved.chain(self.stage.index)

    @cached_property
    def _script(self) -> Script:
        if self.node.exec_form is not None:
            return shell.read_exec_form(self.node.exec_form)
        return shell.read_script(self.node.script)

    @property
    def _is_windows(self) -> bool:
        return self.node.exec_form is None and self.scope.is_windows_shell

    @property
    def commands(self) -> tuple[Command, ...]:
        """The programs that the RUN runs."""
        return self._script.commands

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables that the RUN's text uses; none under a Windows shell."""
        return () if self._is_windows else self._script.reads

    @property
    def assigns(self) -> frozenset[str]:
        """The variables that the RUN's text sets itself; none under a Windows shell."""
        return frozenset() if self._is_windows else self._script.assigns

    @cached_property
    def is_opaque(self) -> bool:
        """Whether the RUN runs something that cannot be looked into."""
        return any(shell.is_opaque(command, self.file.tools) for command in self.commands)

    @cached_property
    def builds(self) -> tuple[Build, ...]:
        """The declared builds that run the RUN's stage."""
        return tuple(build for build in self.file.builds if self._is_run_by(build))

    def _is_run_by(self, build: Build) -> bool:
        stages = self.tree.stages
        if build.target is None:
            return any(self.stage.index in self.resolved.needed(each.index) for each in stages)
        last = stages[-1].index
        index = self.file.stage_indexes.get(build.target.lower()) if build.target else last
        return index is not None and self.stage.index in self.resolved.needed(index)

    @cached_property
    def base_is_open(self) -> bool:
        """Whether builds give the stage other base images; another tag is the same image."""
        root = self.tree.stages[self.chain[-1]]
        image = self.resolved.scopes[root.from_.start].expand(root.base, self.file.overridden)
        return "$" in image_name(image.pattern) and bool(image.open & self.file.overridden)
