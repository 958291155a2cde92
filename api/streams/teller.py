"""Notifications of the outbox as messages, for the streams that somebody here listens to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.rendering.transactions import render_transaction
from api.rendering.wallets import render_wallet_state
from api.replies import to_json
from api.streams.hub import Hub, Push
from api.streams.messages import notification
from api.streams.outbox import Told
from ledger.notifications import wallet_stream
from ledger.reading.transactions import transactions_by_id
from ledger.reading.wallets import wallet_states
from logs import get_logger
from models import Token, Wallet
from protocol.address import Address

CHECKPOINT: Final = "CHECKPOINT_CREATED"
CARRIED: Final = "SWAP_CONFIRMATION"
"""A wallet drops an order's copy of an eon whose checkpoint it has not been told of."""
WALLETS_AT_ONCE: Final = 50

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A checkpoint of a token that wallets are still to be told of."""

    eon: int
    token_id: int
    token_text: str
    waiting: dict[str, Address]
    """Addresses by the lower-case names of their streams, in the order of their turns."""

    def copy(self) -> _Checkpoint:
        """The same, to come back to."""
        return _Checkpoint(self.eon, self.token_id, self.token_text, dict(self.waiting))


class Teller:
    """Renders notifications; a checkpoint's, one a wallet, in small groups between the others.

    A wallet's state is read and handed on in one go. So whatever is told before the state is
    contained in it, and what is told after it is news to the wallet. A wallet whose order goes on
    in the new eon has its turn before it is told of the order.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._checkpoints: deque[_Checkpoint] = deque()

    @property
    def has_work(self) -> bool:
        """Whether wallets wait to be told of a checkpoint."""
        return bool(self._checkpoints)

    def render(self, session: Session, rows: Sequence[Told]) -> list[Push]:
        """Render what is listened to, in order. Checkpoints are kept for `next_checkpoints`."""
        planned = deque(checkpoint.copy() for checkpoint in self._checkpoints)
        try:
            return self._render(session, rows)
        except SQLAlchemyError:
            # The connection is lost: all of it is told when it is back.
            self._checkpoints = planned
            raise

    def _render(self, session: Session, rows: Sequence[Told]) -> list[Push]:
        pushes: list[Push] = []
        first = 0
        for place, row in enumerate(rows):
            if row.event == CHECKPOINT and not row.streams:
                self._plan(session, row)
            elif row.event == CARRIED and self._owes(row.streams):
                # Everything is read in the order in which it is told, or a wallet would go back.
                pushes += self._transactions(session, rows[first:place])
                later = (
                    name for one in rows[place:] if one.event == CARRIED for name in one.streams
                )
                pushes += self._owed(session, later)
                first = place
        return pushes + self._transactions(session, rows[first:])

    def _transactions(self, session: Session, rows: Sequence[Told]) -> list[Push]:
        heard = [row for row in rows if any(self._hub.has(name.lower()) for name in row.streams)]
        ids = [row.transfer_id for row in heard if row.transfer_id is not None]
        transactions = transactions_by_id(session, ids) if ids else {}
        rendered = {number: render_transaction(fact) for number, fact in transactions.items()}
        pushes: list[Push] = []
        for row in heard:
            payload = to_json(row.payload)
            if row.payload is None and row.transfer_id is not None:
                payload = rendered[row.transfer_id]
            pushes += [
                Push(name.lower(), notification(name, row.event, payload))
                for name in row.streams
                if self._hub.has(name.lower())
            ]
        return pushes

    def _owes(self, streams: Iterable[str]) -> bool:
        return any(
            name.lower() in checkpoint.waiting
            for checkpoint in self._checkpoints
            for name in streams
        )

    def _owed(self, session: Session, streams: Iterable[str]) -> list[Push]:
        """Render the checkpoints that these streams wait for."""
        names = {name.lower() for name in streams}
        pushes: list[Push] = []
        for checkpoint in self._checkpoints:
            due = [name for name in checkpoint.waiting if name in names]
            addresses = [checkpoint.waiting.pop(name) for name in due]
            if addresses:
                pushes += self._states(session, checkpoint, addresses)
        self._checkpoints = deque(one for one in self._checkpoints if one.waiting)
        return pushes

    def next_checkpoints(self, session: Session) -> list[Push]:
        """Render the state of a few more wallets of the oldest checkpoint that is being told."""
        checkpoint = self._checkpoints[0]
        turns = dict(islice(checkpoint.waiting.items(), WALLETS_AT_ONCE))
        # Read first: with the connection lost they are told when it is back.
        pushes = self._states(session, checkpoint, list(turns.values()))
        for name in turns:
            del checkpoint.waiting[name]
        if not checkpoint.waiting:
            self._checkpoints.popleft()
        return pushes

    def _states(
        self, session: Session, checkpoint: _Checkpoint, addresses: Sequence[Address]
    ) -> list[Push]:
        rows = session.execute(
            select(Wallet.id, Wallet.text).where(
                Wallet.token_id == checkpoint.token_id, Wallet.address.in_(addresses)
            )
        )
        texts = {row.id: row.text for row in rows}
        states = wallet_states(session, texts, checkpoint.eon)
        pushes = []
        for wallet_id, state in states.items():
            if state.proof is None:
                continue
            stream = wallet_stream(checkpoint.token_text, texts[wallet_id])
            payload = render_wallet_state(state)
            pushes.append(Push(stream.lower(), notification(stream, CHECKPOINT, payload)))
        return pushes

    def _plan(self, session: Session, row: Told) -> None:
        """List the wallets to be told of a checkpoint: those of its token that are listened to."""
        payload = row.payload if isinstance(row.payload, dict) else {}
        token = session.get(Token, payload.get("token_id"))
        if token is None:
            log.error("a checkpoint names no token", notification=row.id)
            return
        prefix = f"wallet/{token.text.lower()}/"
        waiting = {
            name: bytes.fromhex(name.removeprefix(prefix))
            for name in self._hub.streams()
            if name.startswith(prefix)
        }
        if waiting:
            self._checkpoints.append(_Checkpoint(payload["eon"], token.id, token.text, waiting))
