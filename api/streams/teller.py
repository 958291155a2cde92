"""Notifications of the outbox as messages, for the streams that somebody here listens to."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
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
WALLETS_AT_ONCE: Final = 50

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A checkpoint of a token that wallets are still to be told of."""

    eon: int
    token_id: int
    token_text: str
    waiting: deque[Address]


class Teller:
    """Renders notifications; a checkpoint's, one a wallet, in small groups between the others.

    A wallet's state is read and handed on in one go. So whatever is told before the state is
    contained in it, and what is told after it is news to the wallet.
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
        for row in rows:
            if row.event == CHECKPOINT and not row.streams:
                self._plan(session, row)
        return pushes

    def next_checkpoints(self, session: Session) -> list[Push]:
        """Render the state of a few more wallets of the oldest checkpoint that is being told."""
        checkpoint = self._checkpoints[0]
        count = min(len(checkpoint.waiting), WALLETS_AT_ONCE)
        addresses = [checkpoint.waiting.popleft() for _ in range(count)]
        if not checkpoint.waiting:
            self._checkpoints.popleft()
        try:
            return self._states(session, checkpoint, addresses)
        except SQLAlchemyError:
            # The connection is lost: they are told when it is back.
            again = _Checkpoint(
                checkpoint.eon, checkpoint.token_id, checkpoint.token_text, deque(addresses)
            )
            self._checkpoints.appendleft(again)
            raise

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
        waiting = deque(
            bytes.fromhex(name.removeprefix(prefix))
            for name in self._hub.streams()
            if name.startswith(prefix)
        )
        if waiting:
            self._checkpoints.append(_Checkpoint(payload["eon"], token.id, token.text, waiting))
