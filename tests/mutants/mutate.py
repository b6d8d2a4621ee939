"""Small changes to a module: which there are, and the module with one of them."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutant:
    """One change: `node` is the number of the changed node in the walk over its file."""

    path: Path
    line: int
    end: int
    node: int
    variant: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
NAMES = {
    "any": "all", "all": "any", "min": "max", "max": "min",
    "startswith": "endswith", "endswith": "startswith", "find": "rfind", "rfind": "find",
    "partition": "rpartition", "rpartition": "partition", "union": "intersection",
    "issubset": "issuperset", "match": "search", "fullmatch": "match",
}  # fmt: skip
# Calls that may be left out: what they are given comes instead.
PASSED_ON = {"sorted", "reversed", "set", "frozenset", "clean_path"}
METHODS_PASSED_ON = {"lower", "upper", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place."""
    make = MAKERS.get(type(node))
    if make:
        yield from make(node)


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for at, operator in enumerate(node.ops):
        changed = copy.deepcopy(node)
        changed.ops[at] = COMPARISONS[type(operator)]()
        yield changed


def _bool_op(node: ast.BoolOp) -> Iterator[ast.AST]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield ast.BoolOp(other, node.values)
    for at in range(len(node.values)):
        rest = node.values[:at] + node.values[at + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _test(node: Any) -> Iterator[ast.AST]:
    """Turn a condition round, where no other mutant does so."""
    if isinstance(node.test, ast.Compare | ast.UnaryOp):
        return
    changed = copy.deepcopy(node)
    changed.test = ast.UnaryOp(ast.Not(), changed.test)
    yield changed


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for at in range(len(node.ifs)):
        changed = copy.deepcopy(node)
        del changed.ifs[at]
        yield changed


def _return(node: ast.Return) -> Iterator[ast.AST]:
    value = node.value
    if value is None or isinstance(value, ast.Constant):
        return
    yield ast.Return(ast.Constant(None))
    if isinstance(value, ast.BoolOp | ast.Call):
        yield ast.Return(ast.UnaryOp(ast.Not(), value))


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _expression(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom):
        yield ast.Pass()


def _assignment(node: ast.Assign | ast.AugAssign) -> Iterator[ast.AST]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    # A name that is never bound is an error at once, and shows nothing.
    if isinstance(node, ast.AugAssign) or not isinstance(targets[0], ast.Name | ast.Tuple):
        yield ast.Pass()


def _bin_op(node: ast.BinOp) -> Iterator[ast.AST]:
    numbers = any(isinstance(side, ast.Constant) and isinstance(side.value, int)
                  for side in (node.left, node.right))  # fmt: skip
    if isinstance(node.op, ast.Add) and numbers:
        yield ast.BinOp(node.left, ast.Sub(), node.right)
    elif type(node.op) in OPERATORS and not isinstance(node.left, ast.Constant | ast.JoinedStr):
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    function = node.func
    if isinstance(function, ast.Name):
        if function.id in NAMES:
            yield ast.Call(ast.Name(NAMES[function.id], ast.Load()), node.args, node.keywords)
        if function.id in PASSED_ON and node.args:
            yield node.args[0]
    elif isinstance(function, ast.Attribute):
        if function.attr in NAMES:
            other = ast.Attribute(function.value, NAMES[function.attr], ast.Load())
            yield ast.Call(other, node.args, node.keywords)
        if function.attr in METHODS_PASSED_ON:
            yield function.value


def _subscript(node: ast.Subscript) -> Iterator[ast.AST]:
    if isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
        yield node.value


def _if(node: ast.If) -> Iterator[ast.AST]:
    yield from _test(node)
    if not node.orelse:
        yield ast.Pass()
    else:
        # Without the condition: what stood under it always happens.
        yield ast.If(ast.Constant(True), node.body, [])


MAKERS: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.Compare: _compare, ast.BoolOp: _bool_op, ast.UnaryOp: _unary, ast.If: _if,
    ast.IfExp: _test, ast.While: _test, ast.comprehension: _comprehension, ast.Return: _return,
    ast.Constant: _constant, ast.Expr: _expression, ast.Assign: _assignment,
    ast.AugAssign: _assignment, ast.BinOp: _bin_op, ast.Call: _call, ast.Subscript: _subscript,
    ast.Continue: lambda _: iter([ast.Break()]), ast.Break: lambda _: iter([ast.Continue()]),
    ast.Raise: lambda _: iter([ast.Pass()]),
}  # fmt: skip


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """Yield what may be changed within a node: no annotation, decorator, assertion or text."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for at, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, ast.AST) and not left_alone(item):
                yield name, at, item


def left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__slots__"):
        return True
    if isinstance(node, ast.FunctionDef) and node.name == "__repr__":
        return True
    return isinstance(node, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom)


Place = tuple[ast.AST, str, int | None, ast.AST]


def places(tree: ast.AST) -> Iterator[Place]:
    """Yield each node that may be changed, with its parent and where it hangs there."""
    for name, at, child in children(tree):
        yield tree, name, at, child
        yield from places(child)


def mutants_of(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text("utf-8"))
    line = end = 1
    for number, (_, _, _, node) in enumerate(places(tree)):
        line = getattr(node, "lineno", line)
        end = getattr(node, "end_lineno", line)
        for variant, changed in enumerate(variants(node)):
            before, after = shown(node), shown(changed)
            if before != after:
                yield Mutant(path, line, end, number, variant, before, after)


def shown(node: ast.AST) -> str:
    if isinstance(node, ast.comprehension):
        return ast.unparse(ast.GeneratorExp(ast.Constant(...), [node]))
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 90 else text[:89] + "…"


def mutated(mutant: Mutant) -> ast.Module:
    tree = ast.parse(mutant.path.read_text("utf-8"))
    parent, name, at, node = list(places(tree))[mutant.node]
    changed = list(variants(node))[mutant.variant]
    for new in ast.walk(changed):
        if "lineno" in new._attributes and not hasattr(new, "lineno"):
            ast.copy_location(new, node)
    if at is None:
        setattr(parent, name, changed)
    else:
        getattr(parent, name)[at] = changed
    return ast.fix_missing_locations(tree)
