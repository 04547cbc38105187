"""The changes that are made to a module, one at a time: each should make some test fail.

Messages, annotations and journal texts are left alone: what they say is read by people, and tests quote little of it.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: Calls whose arguments are words for people, or the size of a cache.
_WORDS = frozenset({"Invalid", "Stale", "Forbidden", "LookupError", "lru_cache", "note"})


@dataclass(frozen=True)
class Mutant:
    """One change: where, what, and how to make it in a fresh tree."""

    line: int
    what: str
    make: Callable[[], None]


def mutants(tree: ast.Module) -> list[Mutant]:
    """Return every change there is to make in a tree; each may be made once, in a tree of its own."""
    spared = {id(part) for node in ast.walk(tree) for part in _spared(node)}
    return [one for node in ast.walk(tree) if id(node) not in spared for one in _of(node)]


def _spared(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        part = getattr(node, name, None)
        if part is not None:
            yield from ast.walk(part)
    if isinstance(node, ast.ClassDef):
        yield from (part for keyword in node.keywords for part in ast.walk(keyword))
    if isinstance(node, ast.Raise | ast.Assert):
        yield from ast.walk(node)
    if isinstance(node, ast.Call) and _name(node.func) in _WORDS:
        yield from ast.walk(node)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _of(node: ast.AST) -> Iterator[Mutant]:
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BinOp() if type(node.op) in _COMPUTED and not isinstance(node.left, ast.JoinedStr):
            new = _COMPUTED[type(node.op)]
            yield Mutant(
                node.lineno, f"{_word(node.op)} → {new.__name__}", lambda: setattr(node, "op", new())
            )
        case ast.BoolOp():
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield Mutant(
                node.lineno, f"{_word(node.op)} → {other.__name__}", lambda: setattr(node, "op", other())
            )
        case ast.If() | ast.IfExp():
            yield Mutant(node.lineno, "condition negated", lambda: setattr(node, "test", _not(node.test)))
        case ast.Constant() if type(node.value) is int:
            value = node.value
            yield Mutant(node.lineno, f"{value} → {value + 1}", lambda: setattr(node, "value", value + 1))
        case ast.Constant() if type(node.value) is bool:
            flipped = not node.value
            yield Mutant(node.lineno, f"→ {flipped}", lambda: setattr(node, "value", flipped))
        case ast.Name() if node.id in _SWAPPED:
            other_name = _SWAPPED[node.id]
            yield Mutant(node.lineno, f"{node.id} → {other_name}", lambda: setattr(node, "id", other_name))
        case ast.comprehension() if node.ifs:
            yield Mutant(node.iter.lineno, "filter dropped", lambda: setattr(node, "ifs", []))
        case ast.Expr() if isinstance(node.value, ast.Call) and _name(node.value.func) not in _WORDS:
            nothing = ast.Constant(value=None)
            yield Mutant(node.lineno, "statement dropped", lambda: setattr(node, "value", nothing))


def _comparisons(node: ast.Compare) -> Iterator[Mutant]:
    for at, op in enumerate(node.ops):
        new = _COMPARED.get(type(op))
        if new:
            yield Mutant(node.lineno, f"{_word(op)} → {new.__name__}", _replacing(node.ops, at, new))


def _replacing(ops: list[ast.cmpop], at: int, new: type[ast.cmpop]) -> Callable[[], None]:
    def make() -> None:
        ops[at] = new()

    return make


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _word(op: ast.AST) -> str:
    return type(op).__name__
