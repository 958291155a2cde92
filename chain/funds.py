"""How much the committed balances of a token may add up to.

The contract checks the bound anew, with the balance of the moment, whenever a proof against a
checkpoint is shown; a checkpoint that allots one unit more makes every proof against it fail.
The operator therefore evaluates the same formula before it announces a root.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chain.blocks import BlockHeader
from chain.gateway import ContractGateway
from chain.state import SlotAmount
from protocol.address import Address


@dataclass(frozen=True, slots=True)
class BoundInputs:
    """What the bound of a checkpoint of `eon` is made of, for one token at one head.

    `balance` is all that the contract owns of the token, `confirmed` and `deposits` its rings of
    payments and deposits, `pending_before` the running total of requests at the end of eon - 1.
    """

    eon: int
    head: BlockHeader
    balance: int
    confirmed: tuple[SlotAmount, ...]
    deposits: tuple[SlotAmount, ...]
    pending_before: int

    @property
    def limit(self) -> int:
        """The managed funds of `eon`: the most that its checkpoint may allot.

        What was there at the end of eon - 1, reconstructed from today's balance: payments since
        are put back, deposits since and requests from before are taken out. Negative when the
        contract owns less than it owes, and then its own arithmetic reverts.
        """
        return (
            self.balance
            + _since(self.confirmed, self.eon)
            - _since(self.deposits, self.eon)
            - self.pending_before
        )


def _since(slots: Sequence[SlotAmount], eon: int) -> int:
    return sum(slot.amount for slot in slots if slot.eon >= eon)


def read_bound(gateway: ContractGateway, token: Address, eon: int) -> BoundInputs:
    """Read the bound's inputs for a checkpoint of `eon` (>= 1), all of one head."""
    if eon < 1:
        raise ValueError("checkpoints begin with eon 1")
    slots = range(gateway.parameters().eons_kept)
    head, answers = gateway.ask_together(
        ("getServerContractLedgerStateVariables", eon, token),
        ("getPendingWithdrawalsAtEon", token, eon - 1),
        *(("getConfirmedWithdrawalsAtSlot", token, slot) for slot in slots),
        *(("getDepositsAtSlot", token, slot) for slot in slots),
    )
    rings = [SlotAmount(*answer) for answer in answers[2:]]
    return BoundInputs(
        eon=eon,
        head=head,
        balance=answers[0][3],
        confirmed=tuple(rings[: len(slots)]),
        deposits=tuple(rings[len(slots) :]),
        pending_before=answers[1][0],
    )


def read_balances(
    gateway: ContractGateway, tokens: Sequence[Address]
) -> tuple[BlockHeader, list[int]]:
    """What the contract owns of each token, in its smallest unit, all of one head."""
    head, answers = gateway.ask_together(
        *(("getServerContractLedgerStateVariables", 1, token) for token in tokens)
    )
    return head, [int(answer[3]) for answer in answers]
