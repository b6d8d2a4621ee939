"""The table of what was shown, with a column for each engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from .engine import Engine

__all__ = ["Report", "Row"]


#: The subjects in the order in which a reader wants them.
_ORDER = (
    "demo",
    "side_by_side",
    "lock_link",
    "cargo",
    "copy_out",
    "layouts",
    "layers",
    "modes",
    "keys",
)


class Row(NamedTuple):
    """One thing that a test showed on one engine."""

    claim: str
    engine: str
    seen: str


class Report:
    """Rows by subject, and within it in the order of the tests; engines that ran or did not."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        #: Engines by column, and why others are missing.
        self.used: dict[int, Engine] = {}
        self.missing: dict[str, str] = {}
        self._places: dict[str, tuple[int, int]] = {}

    def use(self, column: int, engine: Engine) -> None:
        """Note that this engine runs."""
        self.used[column] = engine

    def add(self, subject: str, row: Row) -> None:
        """Add what a test of this subject has shown."""
        self._places.setdefault(row.claim, (_ORDER.index(subject), len(self.rows)))
        self.rows.append(row)

    def write(self, path: Path) -> None:
        text = self.json() if path.suffix == ".json" else self.markdown()
        path.write_text(text, encoding="utf-8")

    def json(self) -> str:
        rows = [row._asdict() for row in sorted(self.rows, key=lambda row: self._places[row.claim])]
        content = {"engines": self._engines(), "missing": self.missing, "rows": rows}
        return json.dumps(content, indent=2) + "\n"

    def markdown(self) -> str:
        """Return the engines, and a line for each claim; a hyphen where it was not tried."""
        lines = [f"Engines: {'; '.join(self._engines())}."]
        lines += [f"Not run: {title} ({_cell(why)})." for title, why in self.missing.items()]
        names = [self.used[column].short_name for column in sorted(self.used)]
        lines += ["", _line(["what was shown", *names]), _line(["---"] * (len(names) + 1), "")]
        seen = {(row.claim, row.engine): row.seen for row in self.rows}
        for claim in sorted(self._places, key=self._places.__getitem__):
            lines.append(_line([claim, *(seen.get((claim, name), "-") for name in names)]))
        return "\n".join(lines) + "\n"

    def _engines(self) -> list[str]:
        engines = [self.used[column] for column in sorted(self.used)]
        return [f"{engine} {engine.about}".rstrip() for engine in engines]


def _line(cells: list[str], space: str = " ") -> str:
    return f"|{space}" + f"{space}|{space}".join(map(_cell, cells)) + f"{space}|"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
