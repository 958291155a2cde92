"""The hook for transactions: every confirmed transfer is posted to a URL, some time after.

It reads the outbox that the ledger writes anyhow. One process of the role does it; what cannot be
delivered waits in the database, so neither a payment nor a duty ever waits for the receiver.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from crash_points import TRANSFER_TOLD, crash_point
from ledger.election import Election
from ledger.parameters import find_parameters
from ledger.payloads import concise_transaction
from ledger.transaction_hook import (
    Confirmed,
    draw_border,
    move_mark,
    open_mark,
    read_horizon,
    undelivered,
)
from logs import get_logger
from models.engine import open_sessions
from protocol.address import checksum_address
from setting_types import Secret

LOCK: Final = 0x484F4F4B
"""The lock of the process that posts: the letters HOOK."""
BATCH: Final = 100
AT_ONCE: Final = 8
TIMEOUT_S: Final = 5.0
POLL_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
LIFE: Final = timedelta(days=1)
MOST_REFUSALS: Final = 10
"""What the receiver refused for so long, or so often while it took others, is left out: the list of
transactions has it."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Settling:
    """An id of the outbox, and the transaction after all that may have taken a lower one."""

    newest: int
    border: int


@dataclass(frozen=True, slots=True)
class HookAddress:
    """Where to post, and the key that signs what is posted, if any."""

    url: Secret
    key: Secret | None = None


class TransactionHook:
    """Posts what is confirmed, each at least once; a receiver knows a transfer by its `id`."""

    def __init__(self, engine: Engine, address: HookAddress) -> None:
        self._sessions = open_sessions(engine)
        self._election = Election(engine, LOCK)
        self._address = address
        self._operator = ""
        self._told: set[int] = set()
        self._mark: int | None = None
        self._newest = 0
        self._settling: _Settling | None = None
        self._refused: Counter[int] = Counter()

    async def run(self) -> None:
        """Post until cancelled, then let another process take over."""
        pause_s = POLL_S
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as client, aclosing(self):
            while True:
                try:
                    went_well = await self.turn(client)
                except (SQLAlchemyError, psycopg2.Error) as error:
                    log.warning("the hook waits for the database", reason=type(error).__name__)
                    self._mark = None
                    went_well = False
                pause_s = POLL_S if went_well else min(2 * pause_s, LONGEST_PAUSE_S)
                await asyncio.sleep(pause_s)

    async def turn(self, client: aiohttp.ClientSession) -> bool:
        """Post all that waits; False if the receiver did not take something."""
        while True:
            waiting = await asyncio.to_thread(self._read)
            if not waiting:
                return True
            room = asyncio.Semaphore(AT_ONCE)
            reasons = await asyncio.gather(*(self._post(client, room, one) for one in waiting))
            refused = [one for one, why in zip(waiting, reasons, strict=True) if why]
            self._told.update(one.id for one, why in zip(waiting, reasons, strict=True) if not why)
            crash_point(TRANSFER_TOLD)
            if refused:
                reason = next(filter(None, reasons))
                log.warning("the hook is not served", transfers=len(refused), reason=reason)
                self._give_up(refused, others_are_taken=len(refused) < len(waiting))
                return False

    def _give_up(self, refused: Sequence[Confirmed], *, others_are_taken: bool) -> None:
        """Leave out what the receiver will never take: too old, or refused where others are not."""
        for one in refused:
            self._refused[one.id] += others_are_taken
            is_old = datetime.now(UTC) - one.time > LIFE
            if is_old or self._refused[one.id] >= MOST_REFUSALS:
                log.error("the hook never took a transfer", transfer=one.transaction.id)
                self._told.add(one.id)
                del self._refused[one.id]

    async def aclose(self) -> None:
        """Let another process take over."""
        self._election.resign()

    def _read(self) -> list[Confirmed]:
        """Move the mark as far as it may, and read what waits above it; nothing unless elected."""
        if not self._election.stand():
            self._mark = None
            return []
        with self._sessions.begin() as session:
            if self._mark is None:
                parameters = find_parameters(session)
                if parameters is None:
                    return []
                contract = checksum_address(parameters.contract)
                self._operator = f"{contract}-{parameters.chain_id}"
                self._mark = open_mark(session, datetime.now(UTC) - LIFE)
                self._told.clear()
                self._newest, self._settling = 0, None
                self._refused.clear()
            settled = self._settle(session, self._mark)
            waiting = undelivered(session, self._mark, self._told, BATCH)
            if settled is not None and not any(one.id <= settled for one in waiting):
                self._mark = settled
                self._told = {number for number in self._told if number > settled}
                move_mark(session, settled)
        return waiting

    def _settle(self, session: Session, mark: int) -> int | None:
        """The newest id below which no transaction can still put one; None if that is no news.

        An id that was seen at one look belongs to a transaction that has its number at the next
        look. Once all those have ended, every id below it is visible or lost.
        """
        seen, settled = read_horizon(session), None
        if self._settling is not None and seen.oldest_running > self._settling.border:
            settled, self._settling = self._settling.newest, None
        if self._settling is None and self._newest > (settled or mark):
            self._settling = _Settling(self._newest, draw_border(session))
        self._newest = seen.newest
        return settled

    async def _post(
        self, client: aiohttp.ClientSession, room: asyncio.Semaphore, transfer: Confirmed
    ) -> str:
        """Post one transfer; why it was not taken, if so."""
        body = form(concise_transaction(transfer.transaction), self._operator)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | self._signature(body)
        async with room:
            try:
                async with client.post(
                    self._address.url.reveal(), data=body, headers=headers, allow_redirects=False
                ) as answer:
                    return "" if 200 <= answer.status < 300 else f"status {answer.status}"
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                # The error's own text holds the URL.
                return type(error).__name__

    def _signature(self, body: bytes) -> dict[str, str]:
        if self._address.key is None:
            return {}
        key = self._address.key.reveal().encode()
        return {"X-Nocust-Signature": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"}


def form(transaction: Mapping[str, Any], operator: str) -> bytes:
    """Write a transaction as a form: `wallet.address=…`, `true` and `false`, null left out."""
    return urlencode([*_fields("", transaction), ("operator", operator)]).encode()


def _fields(prefix: str, members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from _fields(f"{prefix}{name}.", value)
        elif isinstance(value, bool):
            yield prefix + name, "true" if value else "false"
        elif value is not None:
            yield prefix + name, str(value)
