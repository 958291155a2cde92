"""A signer whose silence a person hears of."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from chain.signer import SignedTransaction, SignsTransactions, TransactionRequest
from duties import alarms
from ledger.alarms import clear_alarm, raise_alarm
from protocol.address import Address
from protocol.signing import SignerUnavailable


class AlarmingSigner:
    """Signs with another signer; raises an alarm when that fails, takes it back when it works."""

    def __init__(self, signer: SignsTransactions, sessions: sessionmaker[Session]) -> None:
        self._signer = signer
        self._sessions = sessions
        # The alarm may stem from a process before this one.
        self._is_raised = True

    @property
    def address(self) -> Address:
        """The account."""
        return self._signer.address

    def sign(self, request: TransactionRequest) -> SignedTransaction:
        """Sign; see `SignsTransactions`."""
        about = f"0x{self.address.hex()}"
        try:
            signed = self._signer.sign(request)
        except SignerUnavailable as error:
            self._is_silent(about, error)
            raise
        if self._is_raised:
            self._has_signed(about)
        return signed

    def _is_silent(self, about: str, error: SignerUnavailable) -> None:
        with self._sessions.begin() as session:
            raise_alarm(session, alarms.CRITICAL, alarms.SIGNER, about, str(error))
        self._is_raised = True

    def _has_signed(self, about: str) -> None:
        with self._sessions.begin() as session:
            clear_alarm(session, alarms.SIGNER, about)
        self._is_raised = False
