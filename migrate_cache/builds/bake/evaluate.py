"""Evaluate the expressions of bake files.

An expression is a tree of python-hcl2's grammar, or a node of a JSON file. Evaluated is what
real files use to describe their builds: literals, texts with ``${}``, names, lists, objects,
attributes, indexes, comparisons, conditionals and a few functions. Everything else is
UNKNOWN, never an error and never a guess. Work, depth and size are bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from migrate_cache.builds.bake.hcl import name_of, trees
from migrate_cache.builds.sources import MAX_TEXT, Budget, LimitError

if TYPE_CHECKING:
    from lark import Tree
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    from migrate_cache.builds.bake.blocks import Expression


class _Unknown(Enum):
    UNKNOWN = 0


UNKNOWN = _Unknown.UNKNOWN
Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | _Unknown | None"
"""The values of JSON, without fractions; UNKNOWN for what the files alone do not say."""
Scope = Mapping[str, Value]

_MAX_DEPTH = 120
_MAX_STEPS = 500_000


class Evaluator:
    """Evaluates expressions of one set of files that are read together."""

    def __init__(self, variables: Mapping[str, Expression], redefined: frozenset[str]) -> None:
        """Evaluate with these defaults by name; `redefined` are functions of the files' own."""
        self._variables = variables
        self._redefined = redefined
        self._values: dict[str, Value] = {}
        self._depth = 0
        self.budget = Budget(_MAX_STEPS)
        self.trouble: LimitError | None = None
        """The limit that evaluation ran into, if it did."""

    def value(self, expression: Expression, scope: Scope) -> Value:
        """Return the value of `expression`; UNKNOWN also where it costs too much."""
        self._depth = 0
        try:
            return self._value(expression, scope)
        except LimitError as error:
            self.trouble = error
            return UNKNOWN

    def _value(self, expression: Expression, scope: Scope) -> Value:
        self.budget.spend(1)
        if self._depth >= _MAX_DEPTH:
            raise LimitError("has expressions that are nested too deeply")
        # The rule of the grammar, or the kind of a JSON file's node.
        kind = getattr(expression, "data", "") or getattr(expression, "id", "")
        handler = getattr(self, f"_do_{kind}", None)
        self._depth += 1
        value: Value = UNKNOWN if handler is None else handler(expression, scope)
        self._depth -= 1
        if isinstance(value, str | list | dict):
            self.budget.spend(len(value) // 10)
        return UNKNOWN if isinstance(value, str) and len(value) > MAX_TEXT else value

    # JSON

    def _do_sequence(self, node: SequenceNode, scope: Scope) -> Value:
        return [self._value(item, scope) for item in node.value]

    def _do_mapping(self, node: MappingNode, scope: Scope) -> Value:
        return {
            str(key.value): self._value(value, scope)
            for key, value in node.value
            if key.id == "scalar"
        }

    def _do_scalar(self, node: ScalarNode, scope: Scope) -> Value:
        text = str(node.value)
        if not node.style:
            return _LITERALS[text] if text in _LITERALS else _integer(text)
        pieces = _TEMPLATE.split(text)  # text, names, text, ...
        if any("${" in piece or "%{" in piece for piece in pieces[::2]):
            return UNKNOWN
        values: list[Value] = list(pieces)
        for index in range(1, len(pieces), 2):
            name, *path = pieces[index].split(".")
            values[index] = reduce(_item, path, self._variable(name, scope))
        return _template([value for value in values if value != ""])

    # Literals, texts and names

    def _do_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        return self._value(trees(tree)[0], scope)

    def _do_literal_value(self, tree: Tree[Any], _scope: Scope) -> Value:
        return _LITERALS[name_of(tree)]

    def _do_int_lit(self, tree: Tree[Any], _scope: Scope) -> Value:
        return _integer(name_of(tree))

    def _do_string(self, tree: Tree[Any], scope: Scope) -> Value:
        pieces = [part.children[0] for part in trees(tree)]
        return _template(
            _literal(str(piece)) if isinstance(piece, str) else self._value(piece, scope)
            for piece in pieces
        )

    _do_interpolation = _do_expr_term

    def _do_identifier(self, tree: Tree[Any], scope: Scope) -> Value:
        return self._variable(name_of(tree), scope)

    def _variable(self, name: str, scope: Scope) -> Value:
        if name in scope:
            return scope[name]
        if name not in self._values:
            self._values[name] = UNKNOWN  # while it is evaluated: it may refer to itself
            if name in self._variables:
                self._values[name] = self._value(self._variables[name], {})
        return self._values[name]

    # Operators

    def _do_conditional(self, tree: Tree[Any], scope: Scope) -> Value:
        condition, then, otherwise = trees(tree)
        holds = _truth(self._value(condition, scope))
        return UNKNOWN if holds is UNKNOWN else self._value(then if holds else otherwise, scope)

    def _do_unary_op(self, tree: Tree[Any], scope: Scope) -> Value:
        value = self._value(trees(tree)[0], scope)
        return _not(value) if tree.children[0] == "!" else UNKNOWN

    def _do_binary_op(self, tree: Tree[Any], scope: Scope) -> Value:
        left, term = trees(tree)
        operator, right = trees(term)
        values = [self._value(left, scope), self._value(right, scope)]
        match name_of(operator):
            case "==":
                return _equal(*values)
            case "!=":
                return _not(_equal(*values))
            case "&&":
                return _all_of(map(_truth, values))
            case "||":
                return _not(_all_of(map(_not, values)))
        return UNKNOWN

    # Lists, objects and functions

    def _do_tuple(self, tree: Tree[Any], scope: Scope) -> Value:
        return [self._value(item, scope) for item in trees(tree)]

    def _do_object(self, tree: Tree[Any], scope: Scope) -> Value:
        found: dict[str, Value] = {}
        for element in trees(tree):
            key, value = trees(element)
            name = self._key(key.children[0], scope)
            if name is None:
                return UNKNOWN
            found[name] = self._value(value, scope)
        return found

    def _key(self, tree: Any, scope: Scope) -> str | None:
        inner = tree.children[0] if getattr(tree, "data", "") == "expr_term" else tree
        if getattr(inner, "data", "") in {"identifier", "keyword", "literal_value"}:
            return name_of(inner)
        return text_of(self._value(tree, scope))

    def _do_get_attr_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        base, attribute = trees(tree)
        return _item(self._value(base, scope), name_of(trees(attribute)[0]))

    def _do_index_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        base, index = trees(tree)
        inner = trees(index)  # none for the index ``.0``
        key = self._value(inner[0], scope) if inner else _integer(str(index.children[-1]))
        return _item(self._value(base, scope), key)

    def _do_function_call(self, tree: Tree[Any], scope: Scope) -> Value:
        name, *rest = trees(tree)
        arguments = rest[-1] if rest and rest[-1].data == "arguments" else None
        spread = arguments is not None and "..." in arguments.children
        if name_of(name) in self._redefined or len(rest) > 1 or spread:
            return UNKNOWN
        values = [self._value(each, scope) for each in trees(arguments)] if arguments else []
        return _call(name_of(name), values)


_LITERALS: dict[str, Value] = {"true": True, "false": False, "null": None}
# A name in a template of a JSON file; templates with other expressions are unknown.
_TEMPLATE = re.compile(r"(?<!\$)\$\{([\w.-]+)\}")


def text_of(value: Value) -> str | None:
    """Return `value` as a template shows it; None for what is no known text, number or truth."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def _literal(text: str) -> Value:
    """Return the value of a piece of a quoted text; with escapes, it is unknown."""
    return UNKNOWN if "\\" in text or text.startswith(("$${", "%%{")) else text


def _integer(text: str) -> Value:
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else UNKNOWN


def _template(values: Iterable[Value]) -> Value:
    """Return the value of a template; one that is a single expression may be no text."""
    found = list(values)
    return found[0] if len(found) == 1 else _joined(found)


def _joined(values: Iterable[Value], glue: str = "") -> Value:
    texts: list[str] = []
    for value in values:
        text = text_of(value)
        if text is None:
            return UNKNOWN
        texts.append(text)
    size = sum(map(len, texts)) + len(glue) * len(texts)
    return glue.join(texts) if size <= MAX_TEXT else UNKNOWN


def _truth(value: Value) -> Value:
    """Return the truth value of `value`; the texts ``true`` and ``false`` have one, too."""
    if isinstance(value, bool):
        return value
    return value == "true" if value in ("true", "false") else UNKNOWN


def _not(value: Value) -> Value:
    truth = _truth(value)
    return UNKNOWN if truth is UNKNOWN else not truth


def _all_of(truths: Iterable[Value]) -> Value:
    """Tell whether all hold; a false one decides even where others are unknown."""
    found = list(truths)
    return False if False in found else UNKNOWN if UNKNOWN in found else True


def _equal(left: Value, right: Value) -> Value:
    """Compare as HCL does: values of different types differ; lists and objects are unknown."""
    if any(isinstance(each, list | dict) or each is UNKNOWN for each in (left, right)):
        return UNKNOWN
    return type(left) is type(right) and left == right


def _item(value: Value, key: Value) -> Value:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key, UNKNOWN)
    if isinstance(value, list) and type(key) is int and 0 <= key < len(value):
        return value[key]
    return UNKNOWN


def _call(name: str, values: list[Value]) -> Value:
    match name, values:
        case "equal", [left, right]:
            return _equal(left, right)
        case "notequal", [left, right]:
            return _not(_equal(left, right))
        case "join", [str(glue), list(items)]:
            return _joined(items, glue)
        case "lower", [str(text)]:
            return text.lower()
        case "md5", [str(text)]:
            data = text.encode("utf-8", "replace")
            return hashlib.md5(data, usedforsecurity=False).hexdigest()
        case "replace", [str(text), str(old), str(new)]:
            fits = len(text) + text.count(old) * len(new) <= MAX_TEXT
            return text.replace(old, new) if fits else UNKNOWN
        case "split", [str(separator), str(text)]:
            return list(text.split(separator) if separator else text)
    return UNKNOWN
