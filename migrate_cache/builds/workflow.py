"""The builds of GitHub workflows: steps that use ``docker/build-push-action``."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from migrate_cache.builds import yaml
from migrate_cache.builds.model import (
    MAX_BUILDS,
    MAX_TEXT,
    Build,
    Files,
    Spec,
    TooMuchError,
    finish,
    folder_of,
    inside,
)

_ACTION = re.compile(r"docker/build-push-action(?:@.*)?", re.IGNORECASE)
_EXPRESSION = re.compile(r"\$\{\{((?:(?!\$\{\{).)*?)\}\}", re.DOTALL)
_OPERAND = re.compile(
    r"(?P<path>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|'(?P<text>(?:[^']|'')*)'", re.ASCII
)
_MAX_COMBINATIONS = 1000

Values = Mapping[str, str | None]
"""``matrix.x``, ``matrix.x.y`` and ``env.X`` -> text; None is a value that is not known."""


def read_workflows(files: Files, names: Sequence[str]) -> list[Build]:
    """Return the builds of all workflows in `names`."""
    return [build for name in sorted(names) for build in _workflow(files, name)]


def _workflow(files: Files, name: str) -> list[Build]:
    data = files.read(name)
    if data is None:
        return []
    if b"build-push-action" not in data.lower() and b"\0" not in data:
        return []  # most workflows build no image
    document = yaml.load(data, files.report(name))
    if document is None or not document.roots:
        return []
    found: dict[Build, None] = {}
    try:
        for build in _jobs(document, files, name):
            found.setdefault(build)
            if len(found) >= MAX_BUILDS:
                document.report.warn(0, 0, f"declares more than {MAX_BUILDS} builds")
                break
    except TooMuchError as error:
        document.report.warn(0, 0, f"{error}; the rest of it was not read")
    return list(found)


def _jobs(document: yaml.Document, files: Files, name: str) -> Iterator[Build]:
    # .github/workflows/ci.yml: what it names is seen from the folder of .github.
    home = folder_of(folder_of(folder_of(name)))
    top = document.mapping(document.roots[0], "the file")
    outer = _environment(document, top)
    for job, (_, node) in document.mapping(_at(top, "jobs"), "jobs").items():
        entries = document.mapping(node, f"the job {job!r}")
        env = outer | _environment(document, entries)
        matrix: list[Values] | None = None
        for step in document.sequence(_at(entries, "steps"), "steps"):
            fields = document.mapping(step, "a step")
            uses = _at(fields, "uses")
            if not isinstance(uses, yaml.Scalar) or not _ACTION.fullmatch(uses.text):
                continue
            if matrix is None:
                matrix = _matrix(document, entries)
            inputs = document.mapping(_at(fields, "with"), "with")
            step_env = env | _environment(document, fields)
            used = _matrix_names(inputs)
            for values in matrix:
                here = {key: value for key, value in values.items() if _root_of(key) in used}
                document.budget.spend(len(inputs) + 1)
                inputs_here = _Inputs(document, inputs, {**step_env, **here})
                yield _build(inputs_here, files, home, (name, uses.line, _label(job, here)))


def _label(job: str, values: Values) -> str:
    """Return the job's name with the values that its build depends on."""
    return "-".join([job, *(value for value in values.values() if value)])


def _build(inputs: _Inputs, files: Files, home: str, at: tuple[str, int, str]) -> Build:
    spec = Spec()
    context = inputs.text("context", "")
    folder, context_path = home, inside(home, ".")
    if context is not None and context.startswith("{{defaultContext}}"):
        folder = inside(home, context.partition(":")[2] or ".") or ""
        context_path = folder or None
    elif context != "":
        context_path = inside(home, context)
    dockerfile = inputs.text("file", "")
    if dockerfile:
        found = inside(folder, dockerfile) if folder else None
    elif dockerfile is None or context_path is None:
        found = None
    else:
        found = posixpath.normpath(posixpath.join(context_path, "Dockerfile"))
        lower = posixpath.join(posixpath.dirname(found), "dockerfile")
        if not files.exists(found) and files.exists(lower):
            found = lower
    spec.put("target", inputs.text("target", ""))
    for line in inputs.lines("build-args"):
        key, equals, value = (line or "").partition("=")
        if equals:
            spec.args[key.strip()] = value
    spec.args.update(dict.fromkeys(inputs.unknown_args))
    spec.platforms = [
        part.strip()
        for line in inputs.lines("platforms")
        for part in ([""] if line is None else line.split(","))
        if line is None or part.strip()
    ]
    origin, line_number, label = at
    return finish(
        spec,
        name=label,
        origin=origin,
        line=line_number,
        where=(found or "", context_path or ""),
        kind="workflow",
    )


class _Inputs:
    """What a step gives to its action, with the expressions in it replaced."""

    def __init__(self, document: yaml.Document, entries: yaml.Entries, values: Values) -> None:
        self._document = document
        self._entries = entries
        self._values = values
        self.unknown_args: list[str] = []

    def text(self, name: str, default: str) -> str | None:
        """Return an input; None where it is not known."""
        if name not in self._entries:
            return default
        scalar = self._document.text(self._entries[name][1], name)
        return None if scalar is None else self._replaced(scalar.text.strip())

    def lines(self, name: str) -> list[str | None]:
        """Return the lines of an input; None for a line that is not known."""
        if name not in self._entries:
            return []
        scalar = self._document.text(self._entries[name][1], name)
        if scalar is None or len(scalar.text) > MAX_TEXT:
            return []
        result: list[str | None] = []
        for line in _EXPRESSION.sub(_on_one_line, scalar.text).split("\n"):
            stripped = line.strip()
            if not stripped or stripped.startswith("#"):
                continue
            self._document.budget.spend(1)
            text = self._replaced(stripped)
            key = stripped.partition("=")[0]
            if name == "build-args" and text is None:
                self.unknown_args.append("" if "$" in key else key.strip())
            result += [None] if text is None else text.split("\n")
        return result

    def _replaced(self, text: str) -> str | None:
        if len(text) > MAX_TEXT:
            return None
        if "${{" not in text:
            return text
        parts: list[str] = []
        position = 0
        for match in _EXPRESSION.finditer(text):
            value = _evaluate(match[1], self._values)
            if value is None or len(value) > MAX_TEXT:
                return None
            self._document.budget.spend(1 + len(value) // 64)
            parts += [text[position : match.start()], value]
            position = match.end()
        result = "".join([*parts, text[position:]])
        return result if len(result) <= MAX_TEXT and "${{" not in text[position:] else None


def _on_one_line(match: re.Match[str]) -> str:
    return match[0].replace("\n", " ")


def _evaluate(expression: str, values: Values) -> str | None:
    """Return the value of names and texts, and of the first filled one of ``a || b``."""
    result: str | None = ""
    for operand in expression.split("||"):
        match = _OPERAND.fullmatch(operand.strip())
        if match is None:
            return None
        if match["path"] is None:
            result = match["text"].replace("''", "'")
        else:
            result = values.get(match["path"])
        if result is None:
            return None
        if result:
            return result
    return result


def _environment(document: yaml.Document, entries: yaml.Entries) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    node = _at(entries, "env")
    if isinstance(node, yaml.Mapping):
        for key, (_, value) in document.mapping(node, "env").items():
            document.budget.spend(1)
            found[f"env.{key}"] = _literal(value)
    return found


def _literal(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.Scalar) or "${{" in node.text:
        return None
    return yaml.rendered(node) or ""


def _at(entries: yaml.Entries, name: str) -> yaml.Node | None:
    entry = entries.get(name)
    return None if entry is None else entry[1]


def _root_of(name: str) -> str:
    return ".".join(name.split(".")[:2])


def _matrix_names(inputs: yaml.Entries) -> set[str]:
    """Return the ``matrix.x`` that the inputs which matter mention."""
    texts = [
        node.text
        for name in ("context", "file", "target", "platforms", "build-args")
        if isinstance(node := _at(inputs, name), yaml.Scalar)
    ]
    return {f"matrix.{name}" for text in texts for name in re.findall(r"matrix\.([\w-]+)", text)}


def _matrix(document: yaml.Document, job: yaml.Entries) -> list[Values]:
    """Return the combinations of a job's matrix; one that is empty where none is known."""
    strategy = _at(job, "strategy")
    if not isinstance(strategy, yaml.Mapping):
        return [{}]
    node = _at(document.mapping(strategy, "strategy"), "matrix")
    if not isinstance(node, yaml.Mapping):
        return [{}]
    entries = document.mapping(node, "matrix")
    axes: list[list[Values]] = []
    for name, (_, values) in entries.items():
        if name in {"include", "exclude"}:
            continue
        if isinstance(values, yaml.Sequence) and values.items:
            axes.append([_flat(document, name, item) for item in values.items])
        else:
            axes.append([{f"matrix.{name}": None}])
    size = 1
    for axis in axes:
        size *= len(axis)
    if size > _MAX_COMBINATIONS:
        document.warn(node, f"the matrix has more than {_MAX_COMBINATIONS} combinations")
        return [{}]
    document.budget.spend(size * sum(max(map(len, axis)) for axis in axes) + size)
    combinations: list[dict[str, str | None]] = [
        {key: value for part in parts for key, value in part.items()}
        for parts in itertools.product(*axes)
    ]
    excluded = _listed(document, _at(entries, "exclude"))
    if excluded:
        combinations = [
            combination
            for combination in combinations
            if not any(each and each.items() <= combination.items() for each in excluded)
        ]
    included = _listed(document, _at(entries, "include"))
    document.budget.spend(len(combinations) * sum(map(len, included[:_MAX_COMBINATIONS])))
    return _include(combinations if axes else [], included) or [{}]


def _include(
    combinations: list[dict[str, str | None]], included: list[dict[str, str | None]]
) -> list[Values]:
    """Add what ``include`` lists: to the combinations that it agrees with, else by itself."""
    originals = [dict(combination) for combination in combinations]
    extra: list[Values] = []
    for entry in included[:_MAX_COMBINATIONS]:
        agrees = [
            index
            for index, original in enumerate(originals)
            if all(original.get(key, value) == value for key, value in entry.items())
        ]
        for index in agrees:
            combinations[index].update(entry)
        if not agrees:
            extra.append(entry)
    return [*combinations, *extra]


def _listed(document: yaml.Document, node: yaml.Node | None) -> list[dict[str, str | None]]:
    if not isinstance(node, yaml.Sequence):
        return []
    found: list[dict[str, str | None]] = []
    for item in document.sequence(node, "the list"):
        values: dict[str, str | None] = {}
        if isinstance(item, yaml.Mapping):
            for name, (_, value) in document.mapping(item, "an entry").items():
                values |= _flat(document, name, value)
        found.append(values)
    return found


def _flat(document: yaml.Document, name: str, node: yaml.Node) -> dict[str, str | None]:
    """Return a value by its name; those of a mapping by name and key."""
    document.budget.spend(1)
    if not isinstance(node, yaml.Mapping):
        return {f"matrix.{name}": _literal(node)}
    return {
        f"matrix.{name}.{key}": _literal(value)
        for key, (_, value) in document.mapping(node, "an entry").items()
    }
