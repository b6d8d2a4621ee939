"""What the expressions of bake files come to.

An expression is a tree of python-hcl2's grammar, or a node of a JSON file. What depends
on something that the files do not say raises `UnknownError`. Work, depth and size are
bounded; what goes beyond raises TooMuchError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from migrate_cache.builds import yaml
from migrate_cache.builds.bake.functions import call, regex_cost
from migrate_cache.builds.bake.hcl import (
    BLANK_RUN,
    heredoc,
    name_of,
    parse,
    parts,
    quoted,
    target_reference,
    trees,
    unescaped,
)
from migrate_cache.builds.bake.values import (
    MAX_ITEMS,
    UNKNOWN,
    UnknownError,
    Value,
    equal,
    list_of,
    number_of,
    text_of,
    truth_of,
    walk,
)
from migrate_cache.builds.model import MAX_TEXT, Budget, Report, TooMuchError

if TYPE_CHECKING:
    from lark import Tree

    from migrate_cache.builds.bake.hcl import Expression, UserFunction

_MAX_DEPTH = 120
_STEP = 10
_BUDGET = 2_000_000
_MAX_REGEX = 100_000
_TOO_DEEP = "has expressions that are nested too deeply"

Scope = Mapping[str, Value]


class Evaluator:
    """Evaluates expressions of one set of files that are read together."""

    def __init__(
        self,
        variables: Mapping[str, Expression],
        functions: Mapping[str, UserFunction],
        attribute: Callable[[str, str], Value],
    ) -> None:
        self._variables = variables
        self._functions = functions
        self._attribute = attribute
        self._values: dict[str, Value] = {}
        self._depth = 0
        self._budget = Budget(_BUDGET)
        self.trouble = ""
        """What was too much to evaluate, if anything was."""

    def value(self, expression: Expression, scope: Scope) -> Value:
        """Return what `expression` comes to; raise UnknownError where that cannot be told."""
        self._budget.spend(_STEP)
        if self._depth >= _MAX_DEPTH:
            raise TooMuchError(_TOO_DEEP)
        self._depth += 1
        try:
            if isinstance(expression, yaml.Node):
                result = self._json(expression, scope)
            else:
                handler = getattr(self, f"_do_{expression.data}", None)
                if handler is None:
                    raise UnknownError
                result = handler(expression, scope)
        finally:
            self._depth -= 1
        if result is UNKNOWN:
            raise UnknownError
        self._charge(result)
        return result

    def known(self, expression: Expression, scope: Scope) -> Value:
        """Return the value, or UNKNOWN; what is too much is UNKNOWN too, and is remembered."""
        try:
            return self.value(expression, scope)
        except UnknownError:
            return UNKNOWN
        except (TooMuchError, RecursionError) as error:
            if self._depth:
                raise
            self.trouble = str(error) if isinstance(error, TooMuchError) else _TOO_DEEP
            return UNKNOWN

    def entries(self, expression: Expression, scope: Scope) -> Value:
        """Return an object; one bad value in it does not make the others unknown."""
        if isinstance(expression, yaml.Mapping):
            return {
                key.text: self.known(value, scope)
                for key, value in expression.pairs
                if isinstance(key, yaml.Scalar)
            }
        inner: Any = None if isinstance(expression, yaml.Node) else expression.children[0]
        if getattr(inner, "data", "") != "object":
            return self.known(expression, scope)
        try:
            return self._do_object(inner, scope)
        except UnknownError:
            return UNKNOWN

    def _charge(self, value: Value) -> None:
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                raise UnknownError
            self._budget.spend(len(value))
        elif isinstance(value, list | dict):
            count = sum(1 for _ in islice(walk(value), MAX_ITEMS + 1))
            if count > MAX_ITEMS:
                raise TooMuchError("has values that are too large")
            self._budget.spend(count)

    # JSON

    def _json(self, node: yaml.Node, scope: Scope) -> Value:
        if isinstance(node, yaml.Sequence):
            return [self.known(item, scope) for item in node.items[: MAX_ITEMS + 1]]
        if isinstance(node, yaml.Mapping):
            return {
                key.text: self.known(value, scope)
                for key, value in node.pairs
                if isinstance(key, yaml.Scalar)
            }
        assert isinstance(node, yaml.Scalar)
        if not node.plain:
            return self._template_text(node.text, scope)
        if yaml.is_null(node):
            return None
        if node.text in {"true", "false"}:
            return node.text == "true"
        return number_of(node.text)

    # Texts and templates

    def _do_string(self, tree: Tree[Any], scope: Scope) -> Value:
        pieces = trees(tree)
        if len(pieces) == 1 and getattr(pieces[0].children[0], "data", "") == "interpolation":
            return self.value(trees(pieces[0].children[0])[0], scope)
        return self._pieces(iter(pieces), scope, live=True)[0]

    def _pieces(self, pieces: Iterator[Any], scope: Scope, *, live: bool) -> tuple[str, str]:
        """Return the text up to the end of this branch, and the name of what ended it."""
        found: list[str] = []
        size = 0
        for piece in pieces:
            child = piece.children[0]
            if isinstance(child, str):
                text = unescaped(child)
            elif child.data == "interpolation":
                text = text_of(self.value(trees(child)[0], scope)) if live else ""
            elif child.data == "template_if_start":
                text = self._branches(child, pieces, scope, live=live)
            elif child.data in {"template_else", "template_endif"}:
                return "".join(found), str(child.data)
            else:
                raise UnknownError
            size += len(text)
            if size > MAX_TEXT:
                raise UnknownError
            found.append(text if live else "")
        return "".join(found), ""

    def _branches(
        self, start: Tree[Any], pieces: Iterator[Any], scope: Scope, *, live: bool
    ) -> str:
        if any(child == "~" for child in start.children if isinstance(child, str)):
            raise UnknownError
        self._budget.spend(_STEP)
        if self._depth >= _MAX_DEPTH:
            raise TooMuchError(_TOO_DEEP)
        holds = truth_of(self.value(trees(start)[0], scope)) if live else False
        self._depth += 1
        try:
            text, end = self._pieces(pieces, scope, live=live and holds)
            other = ""
            if end == "template_else":
                other, end = self._pieces(pieces, scope, live=live and not holds)
        finally:
            self._depth -= 1
        if end != "template_endif":
            raise UnknownError
        return text if holds else other

    def _do_template_string(self, tree: Tree[Any], scope: Scope) -> Value:
        return self._template_text(str(tree.children[0])[2:-2], scope)

    def _do_heredoc_template(self, tree: Tree[Any], scope: Scope) -> Value:
        return self._template_text("".join(heredoc(str(tree.children[0]))), scope)

    def _do_heredoc_template_trim(self, tree: Tree[Any], scope: Scope) -> Value:
        lines = heredoc(str(tree.children[0]))
        indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
        cut = min(indents, default=0)
        return self._template_text("".join(line[cut:] for line in lines), scope)

    def _template_text(self, text: str, scope: Scope) -> Value:
        """Return what a template comes to that stands as plain text in a file."""
        if "${" not in text and "%{" not in text:
            return text
        if len(text) > MAX_TEXT // 16 or BLANK_RUN.search(text):
            raise UnknownError
        self._budget.spend(len(text) * _STEP)
        tree = parse(f'x = "{quoted(text)}"', Report(""))
        if tree is None:
            raise UnknownError
        for attribute in tree.find_data("attribute"):
            return self.value(trees(attribute)[-1], scope)
        raise UnknownError

    # Literals, names, operators

    def _do_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        return self.value(trees(tree)[0], scope)

    def _do_literal_value(self, tree: Tree[Any], scope: Scope) -> Value:  # noqa: ARG002 - one shape for all
        return {"true": True, "false": False}.get(name_of(tree))

    def _do_int_lit(self, tree: Tree[Any], scope: Scope) -> Value:  # noqa: ARG002 - one shape for all
        return number_of(name_of(tree))

    _do_float_lit = _do_int_lit

    def _do_identifier(self, tree: Tree[Any], scope: Scope) -> Value:
        name = name_of(tree)
        if name in scope:
            return scope[name]
        if name not in self._values:
            self._values[name] = UNKNOWN  # for a variable that leads back to itself
            if name in self._variables:
                self._values[name] = self.known(self._variables[name], {})
        return self._values[name]

    def _do_conditional(self, tree: Tree[Any], scope: Scope) -> Value:
        condition, then, otherwise = trees(tree)
        return self.value(then if truth_of(self.value(condition, scope)) else otherwise, scope)

    def _do_unary_op(self, tree: Tree[Any], scope: Scope) -> Value:
        operator, operand = parts(tree)
        value = self.value(operand, scope)
        return not truth_of(value) if str(operator) == "!" else -number_of(value)

    def _do_binary_op(self, tree: Tree[Any], scope: Scope) -> Value:
        left, term = trees(tree)
        operator, right = trees(term)
        kind = operator.children[-1].type
        first, second = self.known(left, scope), self.known(right, scope)
        if kind in _LOGIC:
            deciding = _LOGIC[kind]
            if first is deciding or second is deciding:
                return deciding
            return truth_of(second) if truth_of(first) is not deciding else deciding
        if first is UNKNOWN or second is UNKNOWN:
            raise UnknownError
        if kind in {"DOUBLE_EQ", "NEQ"}:
            return equal(first, second) is (kind == "DOUBLE_EQ")
        return call(_OPERATORS.get(kind, ""), [first, second])

    # Lists and objects

    def _do_tuple(self, tree: Tree[Any], scope: Scope) -> Value:
        return [self.known(item, scope) for item in trees(tree)]

    def _do_object(self, tree: Tree[Any], scope: Scope) -> Value:
        found: dict[str, Value] = {}
        for element in trees(tree):
            key, value = trees(element)
            found[self._key(key.children[0], scope)] = self.known(value, scope)
        return found

    def _key(self, tree: Any, scope: Scope) -> str:
        inner = tree.children[0] if getattr(tree, "data", "") == "expr_term" else tree
        if getattr(inner, "data", "") in {"identifier", "keyword", "literal_value"}:
            return name_of(inner)
        return text_of(self.value(tree, scope))

    def _do_for_tuple_expr(self, tree: Tree[Any], scope: Scope) -> Value:
        intro, result, *condition = trees(tree)
        return [
            self.known(result, inner)
            for inner in self._each(intro, scope)
            if not condition or truth_of(self.value(trees(condition[0])[0], inner))
        ]

    def _do_for_object_expr(self, tree: Tree[Any], scope: Scope) -> Value:
        if any(child == "..." for child in tree.children if isinstance(child, str)):
            raise UnknownError
        intro, key, value, *condition = trees(tree)
        return {
            text_of(self.value(key, inner)): self.known(value, inner)
            for inner in self._each(intro, scope)
            if not condition or truth_of(self.value(trees(condition[0])[0], inner))
        }

    def _each(self, intro: Tree[Any], scope: Scope) -> Iterator[Scope]:
        *names, source = trees(intro)
        value = self.value(source, scope)
        pairs: list[tuple[Value, Value]]
        if isinstance(value, dict):
            pairs = [(key, value[key]) for key in sorted(value)]
        else:
            pairs = list(enumerate(list_of(value)))
        for key, item in pairs:
            self._budget.spend(_STEP + len(scope))
            bound = {name_of(names[-1]): item}
            if len(names) > 1:
                bound[name_of(names[0])] = key
            yield {**scope, **bound}

    # Access and calls

    def _do_index_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        base, index = trees(tree)
        return self._step(self.value(base, scope), index, scope)

    def _do_get_attr_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        base, attribute = trees(tree)
        target = target_reference(base)
        if target is not None and "target" not in scope:
            return self._attribute(target, name_of(trees(attribute)[0]))
        return self._step(self.value(base, scope), attribute, scope)

    def _do_attr_splat_expr_term(self, tree: Tree[Any], scope: Scope) -> Value:
        base, splat = trees(tree)
        values = list_of(self.value(base, scope))
        for step in trees(splat):
            values = [self._step(value, step, scope) for value in values]
        return values

    _do_full_splat_expr_term = _do_attr_splat_expr_term

    def _step(self, value: Value, step: Tree[Any], scope: Scope) -> Value:
        self._budget.spend(_STEP)
        if step.data == "get_attr":
            return call("index", [value, name_of(trees(step)[0])])
        inner = trees(step)
        key = self.value(inner[0], scope) if inner else number_of(str(step.children[-1]))
        return call("index", [value, key])

    def _do_function_call(self, tree: Tree[Any], scope: Scope) -> Value:
        name, *rest = trees(tree)
        expressions = trees(rest[-1]) if rest and rest[-1].data == "arguments" else []
        if len(rest) > 1:
            raise UnknownError  # a function of a provider, which bake has not
        args = [self.known(each, scope) for each in expressions]
        if rest and any(child == "..." for child in rest[-1].children if isinstance(child, str)):
            args[-1:] = list_of(args[-1])
        function = name_of(name)
        if function in {"regex", "regex_replace", "regexall"}:
            cost = regex_cost(args)
            if cost > _MAX_REGEX:
                raise UnknownError
            self._budget.spend(cost)
        if function == "try" and args:
            return args[0]
        if function not in self._functions:
            return call(function, args)
        user = self._functions[function]
        extra = args[len(user.params) :]
        if len(args) < len(user.params) or (extra and user.variadic is None):
            raise UnknownError
        inner = dict(zip(user.params, args, strict=False))
        if user.variadic is not None:
            inner[user.variadic] = extra
        return self.value(user.result, inner)


_LOGIC = {"DOUBLE_AMP": False, "DOUBLE_PIPE": True}
_OPERATORS = {
    "PLUS": "add",
    "MINUS": "subtract",
    "ASTERISK": "multiply",
    "SLASH": "divide",
    "PERCENT": "modulo",
    "LT": "lessthan",
    "GT": "greaterthan",
    "LEQ": "lessthanorequalto",
    "GEQ": "greaterthanorequalto",
}
