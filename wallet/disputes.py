"""What a cheated wallet does on chain: it challenges, and after a halt it takes its money back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from protocol.address import Address, checksum_address
from protocol.encoding import ZERO_HASH
from wallet.parent_chain import Mined, ParentChain
from wallet.wire import AllotmentProof

# Sent along with an estimate only: a challenge with less than its bond has no estimate.
_PLENTY_OF_GAS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Countersigned:
    """A state of the last eon that the operator signed: root of the set, totals, 65 bytes r, s, v.

    The operator's signature on an admission is the first of them: no set, totals 0.
    """

    trail: int
    tx_set_root: bytes
    spent: int
    gained: int
    operator_signature: bytes

    @property
    def parts(self) -> tuple[bytes, bytes, int]:
        """The signature as the contract takes it."""
        signature = self.operator_signature
        return signature[:32], signature[32:64], signature[64]


@dataclass(frozen=True, slots=True)
class DisputedTransfer:
    """A transfer in its sender's set: `tag` is what stands there in the nonce's place."""

    sender: Address
    recipient: Address
    recipient_trail: int
    amount: int
    tag: int
    index: int
    siblings: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class DisputedOrder:
    """An order in the set of the wallet that sells; amounts in base units of their tokens."""

    sell_token: Address
    buy_token: Address
    buy_trail: int
    sell: int
    buy: int
    start: int
    nonce: int
    index: int
    siblings: Sequence[bytes]


class Disputes:
    """Challenges and recoveries of one commit-chain. Every call raises `ChainFailure` if it fails.

    Challenges are about the last eon and open after the slack period of the present one. Their bond
    goes to the operator, whatever comes of them.
    """

    def __init__(self, chain: ParentChain) -> None:
        self._chain = chain

    def challenge_balance(
        self,
        key: bytes,
        token: Address,
        proof: AllotmentProof,
        state: Countersigned | None = None,
    ) -> Mined:
        """Dispute the balance, with the allotment in the last eon's checkpoint and the newest
        countersigned state of that eon, None if there was none."""
        r, s, v = state.parts if state else (ZERO_HASH, ZERO_HASH, 0)
        call = self._chain.functions.challengeStateUpdateWithProofOfExclusiveBalanceAllotment(
            checksum_address(token),
            [proof.active_digest, proof.passive_root],
            proof.trail,
            *_arrays(proof),
            _leaf(proof, [state.spent, state.gained] if state else [0, 0]),
            [r, s, state.tx_set_root if state else ZERO_HASH],
            v,
        )
        return self._open(key, call)

    def challenge_admission(self, key: bytes, token: Address, state: Countersigned) -> Mined:
        """Dispute the balance of a wallet that had no allotment yet."""
        call = self._chain.functions.challengeStateUpdateWithProofOfActiveStateUpdateAgreement(
            checksum_address(token),
            state.tx_set_root,
            state.trail,
            [state.spent, state.gained],
            *state.parts,
        )
        return self._open(key, call)

    def challenge_delivery(
        self, key: bytes, token: Address, transfer: DisputedTransfer, sender: Countersigned
    ) -> Mined:
        """Dispute a delivery, as sender or recipient, with a countersigned state of the sender."""
        name = "challengeTransferDeliveryWithProofOfActiveStateUpdateAgreement"
        r, s, v = sender.parts
        call = self._chain.functions[name](
            checksum_address(token),
            [checksum_address(transfer.sender), checksum_address(transfer.recipient)],
            [transfer.tag, transfer.amount],
            [sender.trail, transfer.index, transfer.recipient_trail],
            list(transfer.siblings),
            [sender.spent, sender.gained],
            [r, s, sender.tx_set_root],
            v,
        )
        return self._open(key, call)

    def challenge_newest_delivery(
        self,
        key: bytes,
        token: Address,
        transfer: DisputedTransfer,
        proof: AllotmentProof,
        sender: Countersigned,
        *,
        nonce: int,
    ) -> Mined:
        """Dispute the delivery of the newest transfer of the sender's set, with the sender's leaf
        in this eon's checkpoint and the state in it; `nonce` is the transfer's own."""
        call = self._chain.functions.challengeTransferDeliveryWithProofOfPassiveStateUpdate(
            checksum_address(token),
            [checksum_address(transfer.sender), checksum_address(transfer.recipient)],
            [sender.tx_set_root, proof.passive_root],
            [proof.trail, transfer.index, transfer.recipient_trail],
            *_arrays(proof),
            [*_leaf(proof, [sender.spent, sender.gained]), [nonce, transfer.amount]],
            list(transfer.siblings),
        )
        return self._open(key, call)

    def challenge_swap(
        self,
        key: bytes,
        order: DisputedOrder,
        proof: AllotmentProof,
        *,
        tx_set_root: bytes,
        spent: int,
        gained: int,
    ) -> Mined:
        """Dispute what became of an order, with the leaf of the token sold in this eon's
        checkpoint and the state in it."""
        name = "challengeSwapEnactmentWithProofOfActiveStateUpdateAgreement"
        call = self._chain.functions[name](
            [checksum_address(order.sell_token), checksum_address(order.buy_token)],
            [proof.trail, order.index, order.buy_trail],
            proof.allotment_chain,
            proof.membership_chain,
            list(order.siblings),
            proof.values,
            _leaf(proof, [spent, gained]),
            [order.sell, order.buy, order.start, order.nonce],
            [tx_set_root, proof.passive_root, ZERO_HASH],
        )
        return self._open(key, call)

    def is_open(self, token: Address, *, sender: Address, recipient: Address) -> bool:
        """Whether the contract waits for an answer about these two, or about one wallet twice."""
        return self._chain.has_open_challenge(token, sender, recipient)

    def answered_in(
        self, token: Address, recipient: Address, sender: Address, *, since: int
    ) -> int | None:
        """The block of the newest answer from block `since` on; None where the contract does not
        tell of answers, as the published one does not."""
        blocks = self._chain.answers(token, recipient, sender, since)
        return max(blocks, default=None)

    def confirm_withdrawal(self, key: bytes, token: Address, holder: Address) -> Mined:
        """Have every matured request of a holder paid; anybody may."""
        call = self._chain.functions.confirmWithdrawal(
            checksum_address(token), checksum_address(holder)
        )
        return self._chain.transact(key, call)

    def recover(self, key: bytes, token: Address, holder: Address, proof: AllotmentProof) -> Mined:
        """After the halt: everything of a holder, with its leaf in the last checkpoint but one."""
        call = self._chain.functions.recoverAllFunds(
            checksum_address(token),
            checksum_address(holder),
            [proof.active_digest, proof.passive_root],
            proof.trail,
            *_arrays(proof),
            [proof.left, proof.right],
            [0, proof.passive_amount, proof.passive_marker],
        )
        return self._chain.transact(key, call)

    def recover_without_allotment(self, key: bytes, token: Address, holder: Address) -> Mined:
        """After the halt: deposits and finalised requests that no usable checkpoint contains."""
        call = self._chain.functions.recoverOnlyParentChainFunds(
            checksum_address(token), checksum_address(holder)
        )
        return self._chain.transact(key, call)

    def _open(self, key: bytes, call: Any) -> Mined:
        """Opens a challenge with a bond that covers the gas of the whole transaction."""
        bond_price, gas_price = self._chain.bond_price()
        gas = self._chain.estimate(key, call, value=_PLENTY_OF_GAS * bond_price)
        return self._chain.transact(key, call, value=gas * bond_price, gas_price=gas_price)


def _arrays(proof: AllotmentProof) -> tuple[list[bytes], list[bytes], list[int]]:
    return proof.allotment_chain, proof.membership_chain, proof.values


def _leaf(proof: AllotmentProof, deltas: list[int]) -> list[list[int]]:
    """[left, right], [spent, gained], [passive amount, marker], as challenges take them."""
    return [[proof.left, proof.right], deltas, [proof.passive_amount, proof.passive_marker]]
