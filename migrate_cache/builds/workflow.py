"""Read the builds of GitHub workflows: steps that use ``docker/build-push-action``."""

from __future__ import annotations

import itertools
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from migrate_cache.builds.model import (
    MAX_COMBINATIONS,
    Build,
    Draft,
    default_dockerfile,
    folder_of,
    resolve_path,
)
from migrate_cache.builds.sources import BUILD_STEPS, MAX_TEXT, LimitError, Sources
from migrate_cache.builds.yaml import Document, Entries, is_null, line_of, load, rendered, value_of

_ACTION = re.compile(r"docker/build-push-action(?:@.*)?", re.IGNORECASE)
_EXPRESSION = re.compile(r"\$\{\{((?:(?!\$\{\{).)*?)\}\}", re.DOTALL)
_OPERAND = re.compile(
    r"(?P<path>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|'(?P<text>(?:[^']|'')*)'", re.ASCII
)

Values = dict[str, str | None]
"""``matrix.x``, ``matrix.x.y`` and ``env.X`` -> text; None is an unknown value."""


def read_workflows(sources: Sources, texts: Mapping[str, bytes]) -> list[Build]:
    """Return the builds of all workflows; `texts` are their contents by path."""
    return [build for name in sorted(texts) for build in _builds(sources, name, texts[name])]


def _builds(sources: Sources, name: str, data: bytes) -> list[Build]:
    log = sources.log(name)
    document = load(data, log)
    if document is None or not document.roots:
        return []
    found: list[Build] = []
    try:
        found.extend(_jobs(document, sources, name))
    except LimitError as error:
        log.stopped(error)
    return found


def _jobs(document: Document, sources: Sources, name: str) -> Iterator[Build]:
    # Paths in .github/workflows/ci.yml are relative to the folder of .github.
    home = folder_of(folder_of(folder_of(name)))
    top = document.mapping(document.roots[0], "the file")
    outer = _environment(document, top)
    for job, (_, node) in document.mapping(value_of(top, "jobs"), "jobs").items():
        entries = document.mapping(node, f"the job {job!r}")
        env = ChainMap(_environment(document, entries), outer)
        matrix: list[Values] | None = None
        for step in document.sequence(value_of(entries, "steps"), "steps"):
            fields = document.mapping(step, "a step")
            uses = value_of(fields, "uses")
            if not isinstance(uses, ScalarNode) or not _ACTION.fullmatch(uses.value):
                continue
            if matrix is None:
                matrix = _matrix(document, entries)
            inputs = document.mapping(value_of(fields, "with"), "with")
            step_env = env.new_child(_environment(document, fields))
            used = _matrix_names(inputs)
            for values in matrix:
                here = {key: value for key, value in values.items() if key.split(".")[1] in used}
                document.budget.spend(BUILD_STEPS + len(values))
                label = "-".join([job, *filter(None, here.values())])
                step_inputs = _Inputs(document, inputs, step_env.new_child(here))
                draft, paths = step_inputs.draft(sources, home)
                yield draft.build("workflow", label, (name, line_of(uses)), paths)


class _Inputs:
    """The inputs of a step's action, with the expressions in them replaced."""

    def __init__(
        self, document: Document, entries: Entries, values: Mapping[str, str | None]
    ) -> None:
        self._document = document
        self._entries = entries
        self._values = values

    def draft(self, sources: Sources, home: str) -> tuple[Draft, tuple[str, str]]:
        """Return the build, and the paths of its Dockerfile and context."""
        given = self._text("context")
        folder = home
        context = resolve_path(home, given or ".") if given is not None else None
        if given is not None and given.startswith("{{defaultContext}}"):
            context = resolve_path(home, given.partition(":")[2] or ".")
            folder = context or ""
        file = self._text("file")
        dockerfile: str | None = None
        if file:
            dockerfile = resolve_path(folder, file) if folder else None
        elif file is not None and context is not None:
            dockerfile = default_dockerfile(context, sources)
        draft = Draft({"target": self._text("target")}, self._args(), self._platforms())
        return draft, (dockerfile or "", context or "")

    def _args(self) -> Values:
        found: Values = {}
        for line, written in self._lines("build-args"):
            key, equals, value = (written if line is None else line).partition("=")
            if line is None:
                found["" if "$" in key else key.strip()] = None
            elif equals:
                found[key.strip()] = value
        return found

    def _platforms(self) -> list[str]:
        return [
            part.strip()
            for line, _ in self._lines("platforms")
            for part in ([""] if line is None else line.split(","))
            if line is None or part.strip()
        ]

    def _text(self, name: str) -> str | None:
        """Return an input, ``""`` where it is not given; None where it is unknown."""
        if name not in self._entries:
            return ""
        scalar = self._document.text(self._entries[name][1], name)
        return None if scalar is None else self._replaced(scalar.value.strip())

    def _lines(self, name: str) -> list[tuple[str | None, str]]:
        """Return the lines of an input, each with what is written; None for an unknown line."""
        scalar = self._document.text(value_of(self._entries, name), name)
        if scalar is None or len(scalar.value) > MAX_TEXT:
            return []
        result: list[tuple[str | None, str]] = []
        flat = _EXPRESSION.sub(lambda match: match[0].replace("\n", " "), scalar.value)
        for line in flat.split("\n"):
            written = line.strip()
            if not written or written.startswith("#"):
                continue
            self._document.budget.spend(1)
            text = self._replaced(written)
            result += [(part, written) for part in ([None] if text is None else text.split("\n"))]
        return result

    def _replaced(self, text: str) -> str | None:
        if len(text) > MAX_TEXT:
            return None
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


def _evaluate(expression: str, values: Mapping[str, str | None]) -> str | None:
    """Return the value of a name or a text, or of the first non-empty one of ``a || b``."""
    result: str | None = ""
    for operand in expression.split("||"):
        match = _OPERAND.fullmatch(operand.strip())
        if match is None:
            return None
        if match["path"] is None:
            result = match["text"].replace("''", "'")
        else:
            result = values.get(match["path"])
        if result is None or result:
            return result
    return result


def _environment(document: Document, entries: Entries) -> Values:
    node = value_of(entries, "env")
    if not isinstance(node, MappingNode):
        return {}
    env = document.mapping(node, "env")
    document.budget.spend(len(env))
    return {f"env.{key}": _literal(value) for key, (_, value) in env.items()}


def _literal(node: Node) -> str | None:
    if not isinstance(node, ScalarNode) or "${{" in node.value:
        return None
    return "" if is_null(node) else rendered(node)


def _matrix_names(inputs: Entries) -> set[str]:
    """Return the axes of the matrix that the inputs used here mention."""
    texts = [
        node.value
        for name in ("context", "file", "target", "platforms", "build-args")
        if isinstance(node := value_of(inputs, name), ScalarNode)
    ]
    return {name for text in texts for name in re.findall(r"matrix\.([\w-]+)", text)}


def _matrix(document: Document, job: Entries) -> list[Values]:
    """Return the combinations of a job's matrix; one that is empty where none is known."""
    strategy = value_of(job, "strategy")
    if not isinstance(strategy, MappingNode):
        return [{}]
    node = value_of(document.mapping(strategy, "strategy"), "matrix")
    if not isinstance(node, MappingNode):
        return [{}]
    entries = document.mapping(node, "matrix")
    axes: list[list[Values]] = []
    size = 1
    for name, (_, values) in entries.items():
        if name in {"include", "exclude"}:
            continue
        if isinstance(values, SequenceNode) and values.value:
            axes.append([_flat(document, name, item) for item in values.value])
        else:
            axes.append([{f"matrix.{name}": None}])
        size *= len(axes[-1])
    if size > MAX_COMBINATIONS:
        document.warn(node, f"the matrix has more than {MAX_COMBINATIONS} combinations")
        return [{}]
    document.budget.spend(size * sum(max(map(len, axis)) for axis in axes) + size)
    combinations: list[Values] = [
        {key: value for part in parts for key, value in part.items()}
        for parts in itertools.product(*axes)
    ]
    excluded = _listed(document, value_of(entries, "exclude"))
    document.budget.spend(len(combinations) * sum(map(len, excluded)))
    combinations = [
        combination
        for combination in combinations
        if not any(each and each.items() <= combination.items() for each in excluded)
    ]
    included = _listed(document, value_of(entries, "include"))
    document.budget.spend(len(combinations) * sum(map(len, included)))
    return _include(combinations if axes else [], included) or [{}]


def _include(combinations: list[Values], included: list[Values]) -> list[Values]:
    """Add each entry of ``include`` to the combinations it agrees with, or as one of its own."""
    originals = [dict(combination) for combination in combinations]
    extra: list[Values] = []
    for entry in included:
        agrees = [
            combination
            for combination, original in zip(combinations, originals, strict=True)
            if all(original.get(key, value) == value for key, value in entry.items())
        ]
        for combination in agrees:
            combination.update(entry)
        if not agrees:
            extra.append(entry)
    return [*combinations, *extra]


def _listed(document: Document, node: Node | None) -> list[Values]:
    if not isinstance(node, SequenceNode):
        return []
    found: list[Values] = []
    for item in document.sequence(node, "the list"):
        values: Values = {}
        if isinstance(item, MappingNode):
            for name, (_, value) in document.mapping(item, "an entry").items():
                values |= _flat(document, name, value)
        found.append(values)
    return found[:MAX_COMBINATIONS]


def _flat(document: Document, name: str, node: Node) -> Values:
    """Return a value by its name; those of a mapping by name and key."""
    document.budget.spend(1)
    if not isinstance(node, MappingNode):
        return {f"matrix.{name}": _literal(node)}
    entries = document.mapping(node, "an entry")
    document.budget.spend(len(entries))
    return {f"matrix.{name}.{key}": _literal(value) for key, (_, value) in entries.items()}
