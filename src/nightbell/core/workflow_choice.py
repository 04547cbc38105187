"""Which of many workflows match one context: the same answer as asking each, in a fraction of the time.

Rule 1: a thing is read once for each context, and a comparison that several workflows make is made once. Each distinct
condition is a bit; those that hold make one number, and a workflow asks it with two operations.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from msgspec import Struct

from nightbell.core.patterns import pattern
from nightbell.core.workflow import ABOUT, Workflow
from nightbell.core.workflow_conditions import (
    ALL,
    ANY,
    NEGATIVE,
    Condition,
    Read,
    Rules,
    Subject,
    met,
)

#: Whether values that were found are as wanted.
Test = Callable[[tuple[str, ...]], bool]
_EQUAL = frozenset({"IS", "IS NOT", "CONTAINS", "CONTAINS_NONE", "NONE"})


class _Node(Struct, frozen=True):
    """Rules with bits for conditions."""

    logic: str
    bits: int
    inner: "tuple[_Node, ...]"


class _Shelf(Struct):
    """The conditions that read the same, by how they can be answered."""

    read: Read
    #: The bits that a value sets when it is found, and those that it takes away.
    sets: dict[str, int]
    takes: dict[str, int]
    #: Bits that hold unless something takes them away.
    unless: int
    #: By the first value: bits that hold when all of these were found.
    every: dict[str, list[tuple[int, frozenset[str]]]]
    others: list[tuple[int, Test]]

    def answer(self, subject: Subject) -> int:
        """Return the bits of the conditions that hold."""
        found = self.read(subject)
        bits, gone = 0, 0
        for value in found:
            bits |= self.sets.get(value, 0)
            gone |= self.takes.get(value, 0)
            for bit, wanted in self.every.get(value, ()):
                if wanted.issubset(found):
                    bits |= bit
        bits |= self.unless & ~gone
        for bit, test in self.others:
            if test(found):
                bits |= bit
        return bits


class _Board:
    """The workflows that one trigger starts."""

    def __init__(self, workflows: Iterable[Workflow]) -> None:
        self._bits: dict[tuple[object, ...], int] = {}
        self._shelves: dict[str, _Shelf] = {}
        nodes = [(self._node(w.rules), w) for w in workflows]
        #: Most workflows want all of their conditions, and have no groups inside.
        self._plain = [(i, node.bits, w) for i, (node, w) in enumerate(nodes) if _is_plain(node)]
        self._others = [(i, node, w) for i, (node, w) in enumerate(nodes) if not _is_plain(node)]

    def chosen(self, subject: Subject) -> tuple[Workflow, ...]:
        """Return the workflows that match, in order."""
        bits = 0
        for shelf in self._shelves.values():
            bits |= shelf.answer(subject)
        found = [(i, w) for i, wanted, w in self._plain if bits & wanted == wanted]
        found += [(i, w) for i, node, w in self._others if _holds(node, bits)]
        found.sort(key=_first)
        return tuple(w for _, w in found if not ABOUT[w.kind] or subject.get(ABOUT[w.kind]))

    def _node(self, rules: Rules) -> _Node:
        bits = 0
        for condition in rules.conditions:
            if isinstance(condition, Condition):
                bits |= self._bit(condition)
        inner = tuple(self._node(c) for c in rules.conditions if isinstance(c, Rules) and c.conditions)
        empty = any(isinstance(c, Rules) and not c.conditions for c in rules.conditions)
        if empty and rules.logic != ALL:
            inner = (*inner, _Node(ALL, 0, ()))
        return _Node(rules.logic, bits, inner)

    def _bit(self, condition: Condition) -> int:
        c = condition
        key = (c.about, c.operator, c.values, c.regexp, c.piece)
        if key not in self._bits:
            self._bits[key] = bit = 1 << len(self._bits)
            self._place(condition, bit)
        return self._bits[key]

    def _place(self, condition: Condition, bit: int) -> None:
        shelf = self._shelves.setdefault(condition.about, _Shelf(condition.read, {}, {}, 0, {}, []))
        piece = condition.piece and condition.operator.startswith("CONTAINS")
        if condition.regexp or piece or not condition.values:
            shelf.others.append((bit, _test(condition)))
            return
        if condition.operator == "CONTAINS_ALL":
            wanted = (bit, frozenset(condition.values))
            shelf.every.setdefault(condition.values[0], []).append(wanted)
            return
        if condition.operator not in _EQUAL:
            shelf.others.append((bit, _test(condition)))
            return
        table = shelf.sets
        if condition.operator in NEGATIVE:
            table = shelf.takes
            shelf.unless |= bit
        for value in condition.values:
            table[value] = table.get(value, 0) | bit


class Choice:
    """Every workflow that is switched on, ready to be asked which of them a context starts."""

    def __init__(self, workflows: Iterable[Workflow]) -> None:
        """Sort workflows by what starts them, each trigger's by position."""
        by_trigger: dict[tuple[str, str], list[Workflow]] = defaultdict(list)
        ordered = sorted((w for w in workflows if w.enabled), key=lambda w: (w.position, w.id.int))
        for workflow in ordered:
            for trigger in dict.fromkeys(workflow.triggers):
                by_trigger[workflow.kind, trigger].append(workflow)
        self._boards = {key: _Board(listed) for key, listed in by_trigger.items()}
        #: What starts any workflow at all.
        self.listens = frozenset(trigger for _, trigger in self._boards)

    def chosen(self, kind: str, trigger: str, subject: Subject) -> tuple[Workflow, ...]:
        """Return the workflows of a kind that a trigger starts and whose conditions hold, in order of position."""
        board = self._boards.get((kind, trigger))
        return board.chosen(subject) if board is not None else ()

    def started_by(self, trigger: str) -> frozenset[str]:
        """Return the kinds of workflow that a trigger can start."""
        return frozenset(kind for kind, started in self._boards if started == trigger)


def _test(condition: Condition) -> Test:
    """Return the comparison by itself: what is asked of every context is not looked up every time."""
    simple = condition.operator in ("CONTAINS", "CONTAINS_NONE", "IS", "IS NOT")
    if not simple or not condition.values:
        return lambda found: met(condition, found)
    wished = condition.operator not in NEGATIVE
    if condition.regexp:
        return _searching(tuple(pattern(value).within for value in condition.values), wished=wished)
    return _containing(condition.values, wished=wished)


def _searching(searches: tuple[Callable[[str], bool], ...], *, wished: bool) -> Test:
    def test(found: tuple[str, ...]) -> bool:
        for have in found:
            for search in searches:
                if search(have):
                    return wished
        return not wished

    return test


def _containing(pieces: tuple[str, ...], *, wished: bool) -> Test:
    def test(found: tuple[str, ...]) -> bool:
        for have in found:
            for piece in pieces:
                if piece in have:
                    return wished
        return not wished

    return test


def _first(pair: tuple[int, Workflow]) -> int:
    return pair[0]


def _is_plain(node: _Node) -> bool:
    return not node.inner and (node.logic == ALL or not node.bits)


def _holds(node: _Node, bits: int) -> bool:
    if node.logic == ALL:
        return bits & node.bits == node.bits and all(_holds(one, bits) for one in node.inner)
    if not node.bits and not node.inner:
        return True
    hit = bits & node.bits != 0 or any(_holds(one, bits) for one in node.inner)
    return hit is (node.logic == ANY)
