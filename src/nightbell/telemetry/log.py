"""This file writes one line for each event, for machines (JSON) or people (console), and never a secret.

An event has a name and fields: `log.info("page.created", alert=…)`; the same name as in the journal and the metrics.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import msgspec
import structlog

HIDDEN = "[hidden]"

_SECRET_FIELD = re.compile(
    r"secret|token|passw|authorization|cookie|api_?key|dsn|database_url", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"""(
        \b(?:authorization|cookie)["']?\s*[:=]\s*["']?(?:(?:bearer|basic)\s+)?   # a header, quoted or not
      | \b(?:bearer|basic)\s+                                                   # its value alone
      | (?:secret|token|passwo?r?d?|api_?key)["']?\s*[=:]\s*["']?                # a query or form field, a JSON key
      | ://[^\s:/@]*:(?=[^\s/@]*@)                                              # the password of a URL
    )[^\s&;,"'@}]+""",
    re.IGNORECASE | re.VERBOSE,
)
_DEPTH = 4

#: Chatty at "info", and each of their lines says what one of ours says already.
_QUIET = ("uvicorn.access", "uvicorn.error", "asyncio", "aiohttp.access", "litestar", "alembic")


def hide(text: str) -> str:
    """Return a text with what looks like a credential hidden."""
    return _SECRET_TEXT.sub(rf"\1{HIDDEN}", text)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets in the fields of an event, by their names and by what they look like."""
    for name, value in event.items():
        event[name] = _hidden(name, value, _DEPTH)
    return event


def configure(*, level: str, style: Literal["json", "console"], stream: TextIO | None = None) -> None:
    """Set up logging for the whole process; calling it again replaces the former set-up.

    Shape: lines go to stderr unless a stream is named. Libraries that use `logging` come out the same way.
    """
    out = stream or sys.stderr
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    failure = [structlog.processors.format_exc_info] if style == "json" else []
    last: list[Any] = [*failure, redact, _renderer(style, colors=out.isatty())]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def _hidden(name: str, value: object, depth: int) -> object:
    if _SECRET_FIELD.search(name) and isinstance(value, str | bytes):
        return HIDDEN
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict) and depth:
        return {key: _hidden(str(key), inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [_hidden(name, inner, depth - 1) for inner in value]
    return value


def _renderer(style: str, *, colors: bool) -> Any:
    if style == "console":
        return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(event: dict[str, Any], **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
