"""Everything that can go wrong between a wallet, its operator and the chain, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallet.verification import Closing
    from wallet.wire import AllotmentProof


class WalletError(Exception):
    """Base of the wallet client's errors."""


class OperatorUnreachable(WalletError):
    """No answer arrived in time; whether the request took effect is unknown."""


class OperatorRefused(WalletError):
    """The operator answered with an error.

    `status` is the HTTP status, `code` the first error code of the answer (empty if it has none).
    """

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(f"{status} {code or 'without a code'} {message}".strip())
        self.status = status
        self.code = code
        self.message = message


class MalformedAnswer(WalletError):
    """The operator's answer does not have the form that the protocol gives it."""


class Deception(WalletError):
    """The operator said something that a signature, a proof or the chain contradicts."""


class WrongAllotment(Deception):
    """A checkpoint holds something else of a wallet than the wallet knows.

    `proof` is what the operator shows, `known` what the leaf had to hold.
    """

    def __init__(self, proof: AllotmentProof, known: Closing) -> None:
        super().__init__(f"the checkpoint of eon {proof.eon} commits to another leaf than {known}")
        self.proof = proof
        self.known = known


class Undelivered(Deception):
    """A countersigned transfer to the wallet is missing from what the checkpoint gives it."""


class NotPossible(WalletError):
    """The wallet itself sees that what it was asked to do cannot work; nothing was sent."""


class NotYet(NotPossible):
    """What was asked for works once the operator has announced the eon's checkpoint."""


class TimedOut(WalletError):
    """An event that the wallet waited for did not come."""


class ChainFailure(WalletError):
    """A contract call was reverted or its node did not answer."""
