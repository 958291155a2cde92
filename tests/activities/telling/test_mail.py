"""Mail about alarms, handed to a real SMTP server."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from sqlalchemy import func, select, update

from activities.telling.courier import Courier
from activities.telling.mail import Mail, MailServer
from duties import alarms
from duties.alarm_catalogue import CATALOGUE
from ledger.alarms import raise_alarm
from models import AlarmDelivery
from setting_types import Secret
from tests.activities.telling.conftest import PASSWORD, USER, MailBox, mail_server, trusting
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio
RECIPIENTS = ("one@example.test", "two@example.test")


def courier(ledger: World, server: MailServer, *, trusted: bool = True) -> Courier:
    mail = Mail(
        server,
        "hub@example.test",
        RECIPIENTS,
        "my-operator",
        lambda text: text.replace("secret", "***"),
        trusting() if trusted else None,
    )
    return Courier(ledger.sessions, [mail])


def encrypted(box: MailBox, password: str = PASSWORD) -> MailServer:
    return MailServer("localhost", box.port, USER, Secret(password), use_tls=True)


def raise_fuel(ledger: World) -> None:
    with ledger.begin() as session:
        raise_alarm(session, "critical", alarms.FUEL, "0xab", "5 wei,\na secret ü")


def outcome(ledger: World) -> tuple[str, str]:
    with ledger.begin() as session:
        row = session.execute(select(AlarmDelivery.state, AlarmDelivery.error)).one()
        session.execute(update(AlarmDelivery).values(due_at=func.now()))
        return row.state, row.error


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_an_alarm_is_mailed_with_tls_and_login_and_says_what_to_do(ledger: World) -> None:
    raise_fuel(ledger)
    with mail_server(encrypted=True) as box:
        await courier(ledger, encrypted(box)).turn()
        assert outcome(ledger) == ("delivered", "")
    ((sender, recipients, content),) = box.mails
    assert sender == "hub@example.test" and tuple(recipients) == RECIPIENTS
    mail = read(content)
    assert mail["Subject"] == "[my-operator] critical: low fuel (0xab)"
    text = mail.get_content().replace("\r\n", "\n")
    assert "Message: 5 wei, a *** ü\n" in text and "Runbook: docs/runbooks/low-fuel.md" in text
    assert f"What to do: {CATALOGUE[alarms.FUEL].advice}" in text


async def test_a_relay_without_login_is_used_as_it_is(ledger: World) -> None:
    raise_fuel(ledger)
    with mail_server(encrypted=False) as box:
        server = MailServer("127.0.0.1", box.port, None, None, use_tls=False)
        await courier(ledger, server).turn()
    assert len(box.mails) == 1


async def test_wrong_logins_strangers_certificates_and_dead_servers_only_delay(
    ledger: World,
) -> None:
    raise_fuel(ledger)
    with mail_server(encrypted=True) as box:
        await courier(ledger, encrypted(box, "wrong password")).turn()
        assert outcome(ledger) == ("waiting", "the mail server: SMTPAuthenticationError")
        await courier(ledger, encrypted(box), trusted=False).turn()
        assert outcome(ledger) == ("waiting", "the mail server: SSLCertVerificationError")
        unencrypted = MailServer("localhost", box.port, USER, Secret(PASSWORD), use_tls=False)
        await courier(ledger, unencrypted).turn()
        assert outcome(ledger)[0] == "waiting" and box.mails == []
    await courier(ledger, encrypted(box)).turn()
    assert outcome(ledger) == ("waiting", "the mail server: ConnectionRefusedError")


async def test_a_recipient_that_is_refused_is_tried_again(ledger: World) -> None:
    raise_fuel(ledger)
    with mail_server(encrypted=False) as box:
        server = MailServer("127.0.0.1", box.port, None, None, use_tls=False)
        recipients = ("one@example.test", "two@nowhere.test")
        mail = Mail(server, "hub@example.test", recipients, "my-operator", str)
        await Courier(ledger.sessions, [mail]).turn()
    assert outcome(ledger) == ("waiting", "the mail server refused 1 recipients")
