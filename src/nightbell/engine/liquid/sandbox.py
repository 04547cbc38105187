"""The sandbox templates run in: which tags and filters there are, and a meter beneath every node, filter and write.

Rule 1: no tag reads a file or another template, and no filter reads the clock: `now` is a value of the context.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from io import StringIO
from typing import Any, TextIO

from liquid import Environment, Mode, RenderContext
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import is_undefined

from nightbell.engine.liquid import filters, guards
from nightbell.engine.liquid.limits import DEEPEST, MOST_ELEMENTS, Meter, TooMuch
from nightbell.engine.liquid.words import written

#: What a filter of the library may raise where its value or its arguments make no sense.
_FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
#: Tags that would read other templates.
_CLOSED = ("include", "render")


class Written(StringIO):
    """Output that counts what is written."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter
        self._length = 0

    def write(self, text: str) -> int:
        """Write a text, unless it is too long by now."""
        self._length += len(text)
        self._meter.would_make(self._length)
        self._meter.wrote(len(text))
        return super().write(text)


class Context(RenderContext):
    """What a template sees while it is rendered."""

    def __init__(
        self, template: BoundTemplate, *, values: Mapping[str, Any], meter: Meter, now: datetime
    ) -> None:
        self.meter = meter
        self.now = now
        super().__init__(template, globals=values)

    @property
    def disabled_tags(self) -> list[str]:
        """Return nothing: every node asks this before it is rendered, so here every node is counted."""
        self.meter.step()
        return []

    @disabled_tags.setter
    def disabled_tags(self, tags: Any) -> None:
        """Take what the library would forbid: nothing."""

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """Return a filter with a guard before it and scales behind it."""
        inner = super().filter(name, token)

        def guarded(left: Any, *args: Any, **named: Any) -> Any:
            return self._filtered(name, inner, (left, *args), named)

        return guarded

    def assign(self, key: str, val: Any) -> None:
        """Set a variable, unless they hold too much by now."""
        self.meter.keep(str(key), val)
        super().assign(key, val)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Count the rounds of a loop that begins."""
        self.meter.loop(length)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """Return where a capture is written."""
        return Written(self.meter)

    def extend(self, namespace: Mapping[str, object], template: BoundTemplate | None = None) -> Any:
        """Extend the scope, counted."""
        self.meter.step()
        return super().extend(namespace, template)

    def _filtered(
        self, name: str, inner: Callable[..., Any], values: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        self.meter.step()
        self.meter.look_at_the_clock()
        for value in (*values, *named.values()):
            if isinstance(value, range):
                self.meter.weighed(value)
        values = guards.prepared(name, values, self.meter)
        try:
            result = inner(*values, **named)
        except TooMuch:
            raise
        except (*_FAULTS, LiquidError) as error:
            if values[0] is None or is_undefined(values[0]):
                return None
            raise FilterArgumentError(_said(name, error), token=None) from error
        self.meter.weighed(result)
        return result


def _said(name: str, error: Exception) -> str:
    said = str(error.message if isinstance(error, LiquidError) else error)
    return said if said.startswith(f"{name}:") else f"{name}: {said}"


class Sandbox(Environment):
    """The tags and filters of templates."""

    block_nesting_limit = DEEPEST
    context_depth_limit = DEEPEST

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register what is harmless, and our own filters."""
        super().setup_tags_and_filters(extra=False)
        for name in _CLOSED:
            del self.tags[name]
        self.add_tag(_Output)
        self.add_tag(_Echo)
        self.filters.update(filters.FILTERS)

    def error(
        self, exc: type[LiquidError] | LiquidError, msg: str | None = None, token: Token | None = None
    ) -> None:
        """Raise a fault, at its tag where the fault itself knows no place: at the end of an expression."""
        if isinstance(exc, LiquidError) and exc.token is not None and exc.token.start_index < 0:
            exc.token = token
        super().error(exc, msg, token)


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(written(self.expression.evaluate(context)))


class _EchoNode(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(written(self.expression.evaluate(context)))


class _Output(Output):
    node_class = _OutputNode


class _Echo(EchoTag):
    node_class = _EchoNode


def _short_range(literal: RangeLiteral, start: Any, stop: Any) -> range:
    whole: range = _any_range(literal, start, stop)
    if whole.stop - whole.start > MOST_ELEMENTS:
        raise TooMuch(f"a range has more than {MOST_ELEMENTS} elements")
    return whole


# A loop that skips into a long range steps through it inside the interpreter, where no meter is asked; the library
# has no setting for the length of a range and makes it in this one place.
_any_range = RangeLiteral._make_range
RangeLiteral._make_range = _short_range  # type: ignore[method-assign, assignment]  # replaced on purpose

SANDBOX = Sandbox(tolerance=Mode.STRICT, strict_filters=True)
