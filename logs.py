"""Logs: one line an event, as JSON or for a terminal, with the context that it happened in.

`bind(eon=..., wallet=..., workflow=...)` adds facts to every later line of the same task or
thread. Lines of libraries that use `logging` take the same way out, and every line passes the
redaction, so that no key, mnemonic or password gets into a log by accident.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from setting_types import Secret

REDACTED = "***"
MOST_DEPTH = 6

_SECRET_NAME = re.compile(
    r"(^|_)(private_?key|owner_key|recipient_key|priv_?key|secret|password|passwd|mnemonic|seed"
    r"|token_secret|admin_token|api_key|authorization)($|_)",
    re.IGNORECASE,
)
_PASSWORD_IN_URL = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]+):[^\s@/]+@", re.IGNORECASE)
_ASSIGNED_SECRET = re.compile(
    r"(?P<head>\b\w*(?:private_?key|_KEY|password|mnemonic|secret)\b['\"]?\s*[=:]\s*['\"]?)"
    r"[^\s'\",}]+",
    re.IGNORECASE,
)


def configure(
    log_format: str, level: str, stream: TextIO = sys.stderr, secrets: tuple[Secret, ...] = ()
) -> None:
    """Send all logs of this process to `stream` as `json` or `console` lines.

    `secrets` are never shown, wherever they stand in a line. Call once, at start.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    redaction = Redaction(secrets)
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redaction,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("sanic.root", "sanic.error", "sanic.access", "sanic.server", "temporalio"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    # Every statement or request in a log would drown the rest, and hold wallets' data.
    for name in ("sqlalchemy.engine", "web3", "urllib3", "sanic.access", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of module `name`; events are short constant texts, facts go into keywords."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


@contextmanager
def bind(**facts: Any) -> Iterator[None]:
    """Add `facts` (eon, wallet, workflow, ...) to every line within the block, in this task."""
    with structlog.contextvars.bound_contextvars(**facts):
        yield


class Redaction:
    """Replaces what looks like a secret, by the field's name, by shape, or because it is known."""

    def __init__(self, secrets: tuple[Secret, ...] = ()) -> None:
        # Very short secrets would blank ordinary words.
        self._known = tuple(s.reveal() for s in secrets if len(s.reveal()) >= 8)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """As a structlog processor: return the event with secrets replaced by `***`."""
        return {name: self._clean(name, value, 0) for name, value in event.items()}

    def text(self, text: str) -> str:
        """One text with secrets replaced by `***`, for what leaves by other ways than the log."""
        return self._clean_text(text)

    def _clean(self, name: str, value: Any, depth: int) -> Any:
        if _SECRET_NAME.search(name) or isinstance(value, Secret) or depth > MOST_DEPTH:
            return REDACTED
        if isinstance(value, str):
            return self._clean_text(value)
        if isinstance(value, dict):
            return {key: self._clean(str(key), item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._clean("", item, depth + 1) for item in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self._clean_text(str(value))

    def _clean_text(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, REDACTED)
        text = _PASSWORD_IN_URL.sub(rf"\g<head>:{REDACTED}@", text)
        return _ASSIGNED_SECRET.sub(rf"\g<head>{REDACTED}", text)
