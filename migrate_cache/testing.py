"""Helpers for tests of rules: migrate Dockerfiles, and see the texts and the rules' codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from migrate_cache.plan.api import migrate
from migrate_cache.rules.registry import check_codes
from migrate_cache.settings import settings_from

if TYPE_CHECKING:
    from migrate_cache.plan.model import ProjectResult

__all__ = ["Migrated", "migrated"]

ONE_FILE = "Dockerfile"


class Migrated(dict[str, str]):
    """The texts after a migration by path; equal to a text where there is one file.

    `codes` holds the rule that decided about each cache mount, in the order of paths and
    places; `reasons` the reasons in the same order; `changes` the codes of all changes, by
    path and place; `notes` the codes of everything that is said beside those decisions.
    """

    __hash__ = None

    def __init__(self, texts: Mapping[str, str], result: ProjectResult) -> None:
        super().__init__(texts)
        self.codes = [outcome.rule for outcome in result.outcomes]
        self.reasons = [outcome.reason for outcome in result.outcomes]
        self.changes = [change.rule for file in result.files for change in file.changes]
        decided = {(o.path, o.line, o.column, o.rule) for o in result.outcomes}
        self.notes = [
            note.rule
            for file in result.files
            for note in file.notes
            if (file.path, note.line, note.column, note.rule) not in decided
        ]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return list(self.values()) == [other]
        return super().__eq__(other)

    def __repr__(self) -> str:
        return f"Migrated({super().__repr__()}, codes={self.codes}, notes={self.notes})"


def migrated(
    files: str | Mapping[str, str],
    *,
    path: str = ONE_FILE,
    build_files: Mapping[str, str] | None = None,
    root_name: str = "",
    **settings: object,
) -> Migrated:
    """Migrate Dockerfiles as one project, and check that a second run changes nothing.

    `files` is the text of one Dockerfile, which is called `path`, or texts by path.
    `build_files` are compose, bake and workflow files. `settings` are named as the fields of
    `Settings`. Raises AssertionError where the safety net refuses a result, ConfigError for a
    wrong setting.
    """
    texts = {path: files} if isinstance(files, str) else dict(files)
    options = settings_from(settings)
    check_codes("select", options.select)
    check_codes("ignore", options.ignore)
    extra = {name: text.encode() for name, text in (build_files or {}).items()}
    result = migrate(texts, options, build_files=extra, root_name=root_name)
    after = {file.path: file.after for file in result.files}
    again = migrate(after, options, build_files=extra, root_name=root_name)
    assert [file.error for file in result.files] == [None] * len(texts), result.files
    assert {file.path: file.after for file in again.files} == after
    return Migrated(after, result)
