"""The table of what was proved on which engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Report", "Row"]


class Row(NamedTuple):
    """One thing that a test showed."""

    claim: str
    engine: str
    seen: str


class Report:
    """Rows in the order of the tests; a claim's engines stand together."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, claim: str, engine: str, seen: str) -> None:
        self.rows.append(Row(claim, engine, seen))

    def write(self, path: Path) -> None:
        text = self.json() if path.suffix == ".json" else self.markdown()
        path.write_text(text, encoding="utf-8")

    def json(self) -> str:
        return json.dumps([row._asdict() for row in self._sorted()], indent=2) + "\n"

    def markdown(self) -> str:
        lines = ["| what was shown | engine | seen |", "|---|---|---|"]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in self._sorted()]
        return "\n".join(lines) + "\n"

    def _sorted(self) -> list[Row]:
        first = {row.claim: place for place, row in reversed(list(enumerate(self.rows)))}
        return sorted(self.rows, key=lambda row: first[row.claim])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
