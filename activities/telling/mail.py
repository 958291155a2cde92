"""Mail: one text for each message, through the server that the settings name."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final

from activities.telling.channel import NotDelivered, body_line, subject_line
from duties.alarm_catalogue import entry_of
from ledger.alarm_outbox import Outgoing
from setting_types import Secret

TIMEOUT_S: Final = 5.0
LONGEST_S: Final = 30.0
"""For the whole conversation, whose every step has its own limit."""
IMPLICIT_TLS_PORT: Final = 465


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. Without `user` nobody logs in.

    With `use_tls` the connection is encrypted from the start on port 465 and by STARTTLS
    elsewhere, and the server's certificate is verified.
    """

    host: str
    port: int
    user: str | None
    password: Secret | None
    use_tls: bool


class Mail:
    """Writes to `recipients` in the name of `sender`. `redact` takes secrets out of texts."""

    name = "mail"

    def __init__(
        self,
        server: MailServer,
        sender: str,
        recipients: Sequence[str],
        server_name: str,
        redact: Callable[[str], str],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = tuple(recipients)
        self._server_name = server_name
        self._redact = redact
        self._tls = tls or ssl.create_default_context()

    async def send(self, message: Outgoing) -> None:
        """Hand it in; raises `NotDelivered` unless the server takes it for every recipient."""
        work = asyncio.to_thread(self._hand_in, self.letter(message))
        try:
            refused = await asyncio.wait_for(work, LONGEST_S)
        except (TimeoutError, smtplib.SMTPException, OSError) as error:
            # A server may repeat the login in what it answers.
            raise NotDelivered(f"the mail server: {type(error).__name__}") from None
        if refused:
            raise NotDelivered(f"the mail server refused {refused} recipients")

    def letter(self, message: Outgoing) -> EmailMessage:
        """The mail: the facts, then what the catalogue says about them."""
        entry = entry_of(message.subject)
        facts = {
            "Server": self._server_name,
            "Subject": subject_line(message),
            "Message": body_line(message),
            "Severity": message.severity,
            "Duty": message.duty or "-",
            "Eon": "-" if message.eon is None else str(message.eon),
            "Since": f"{message.time:%Y-%m-%d %H:%M:%S %Z}",
            "Meaning": entry.meaning,
            "What to do": entry.advice,
            "Runbook": entry.runbook,
        }
        letter = EmailMessage()
        title = f"[{self._server_name}] {message.severity}: {subject_line(message)}"
        letter["Subject"] = self._redact(title)
        letter["From"] = self._sender
        letter["To"] = ", ".join(self._recipients)
        letter["Date"] = format_datetime(message.time)
        letter["Message-ID"] = make_msgid(f"alarm-{message.message_id}", domain="operator")
        letter.set_content(self._redact("\n".join(f"{name}: {it}" for name, it in facts.items())))
        return letter

    def _hand_in(self, letter: EmailMessage) -> int:
        """Blocking; returns how many recipients the server refused."""
        server = self._server
        with self._connect() as connection:
            if server.use_tls and server.port != IMPLICIT_TLS_PORT:
                connection.starttls(context=self._tls)
            if server.user is not None:
                password = "" if server.password is None else server.password.reveal()
                connection.login(server.user, password)
            return len(connection.send_message(letter))

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.use_tls and server.port == IMPLICIT_TLS_PORT:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=self._tls)
        return smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
