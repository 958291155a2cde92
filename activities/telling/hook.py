"""The notification hook: one block of labelled lines, as chat services take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import aiohttp

from activities.telling.channel import NotDelivered, body_line, subject_line
from ledger.alarm_outbox import Outgoing
from setting_types import Secret

TIMEOUT_S: Final = 5.0


class Hook:
    """Posts each message to a URL that is itself a secret. `redact` takes secrets out of texts."""

    name = "hook"

    def __init__(self, url: Secret, server: str, redact: Callable[[str], str]) -> None:
        self._url = url
        self._server = server
        self._redact = redact

    async def send(self, message: Outgoing) -> None:
        """Post it; any answer but a success, or none in time, raises `NotDelivered`."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    self._url.reveal(), json=self.body(message), allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            # The error's own text holds the URL.
            raise NotDelivered(f"the hook: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"the hook answered {status}")

    def body(self, message: Outgoing) -> dict[str, Any]:
        """The JSON that is posted: one section with a line for each fact."""
        facts = {
            "Server": self._server,
            "Subject": subject_line(message),
            "Message": body_line(message),
            "Severity": message.severity,
            "Duty": message.duty or "-",
            "Eon": "-" if message.eon is None else str(message.eon),
        }
        lines = [f"*{name}:* {_escaped(self._redact(text))}" for name, text in facts.items()]
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)}}
        return {"blocks": [section]}


def _escaped(text: str) -> str:
    """The three characters with a meaning of their own, as the format demands."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
