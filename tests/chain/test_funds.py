"""The bound at the head is the contract's own, through deposits, requests and payments."""

from dataclasses import dataclass

import pytest

from chain.calls import (
    BalanceProof,
    build_call,
    confirm_withdrawal,
    deposit,
    request_authorized_withdrawal,
    request_withdrawal,
    slash_withdrawal,
    submit_checkpoint,
)
from chain.events import WithdrawalConfirmation, WithdrawalRequest, WithdrawalSlashed
from chain.funds import read_bound
from chain.gateway import ContractGateway
from chain.logs import fetch_events
from chain.signer import TransactionSigner
from chain.state import PendingRequest
from protocol.editions import ContractEdition
from protocol.encoding import ZERO_HASH
from protocol.markers import minimum_available_balance_digest
from protocol.signing import sign
from protocol.trees.balance import BalanceLeaves
from protocol.trees.tokens import checkpoint_root, token_leaf
from protocol.withdrawals import delegated_withdrawal_digest
from tests.chain.conftest import Chain, account_key
from tests.edition import chosen_edition


@dataclass
class Hub:
    """The least of an operator: one ether wallet, committed every eon."""

    gateway: ContractGateway
    chain: Chain
    operator: TransactionSigner
    holder: TransactionSigner

    def deposit(self, amount: int) -> None:
        ether = self.gateway.contract
        call = deposit(ether, token=ether, beneficiary=self.holder.address, amount=amount)
        assert self.chain.execute(self.holder, call).succeeded

    def commit(self, balance: int) -> BalanceProof:
        """Submit the present eon's root with one leaf of `balance` and return its proof."""
        ether = self.gateway.contract
        leaves = BalanceLeaves(contract=ether, token=ether)
        left, right = leaves.add(self.holder.address, balance)
        tree = leaves.tree()
        siblings = tree.proof(0)
        root = checkpoint_root([token_leaf(tree.root, tree.upper_bound)])
        call = submit_checkpoint(
            ether, accumulator=self.gateway.submission_facts().basis, root=root
        )
        assert self.chain.execute(self.operator, call).succeeded
        return BalanceProof(
            trail=0,
            allotment_chain=siblings.hashes,
            membership_chain=[],
            values=siblings.values,
            left=left,
            right=right,
            active_state=ZERO_HASH,
            passive_root=ZERO_HASH,
            passive_amount=0,
            passive_marker=0,
        )

    def limit(self, eon: int) -> int:
        return read_bound(self.gateway, self.gateway.contract, eon).limit

    def turn_to(self, eon: int, *, era: int = 0) -> None:
        self.chain.mine_to(self.gateway.clock().first_block(eon) + era)

    def accepts(self, proof: BalanceProof, eon: int) -> bool:
        """Whether the contract itself accepts the proof against the checkpoint of `eon`."""
        call = build_call(
            self.gateway.contract,
            "verifyProofOfExclusiveAccountBalanceAllotment",
            self.gateway.contract,
            self.holder.address,
            (proof.active_state, proof.passive_root),
            proof.trail,
            (eon, proof.passive_amount, proof.passive_marker),
            proof.allotment_chain,
            proof.membership_chain,
            proof.values,
            (proof.left, proof.right),
        )
        return self.gateway.simulate(call, self.holder.address).revert is None


@pytest.fixture
def hub(
    gateway: ContractGateway,
    chain: Chain,
    operator: TransactionSigner,
    holder: TransactionSigner,
) -> Hub:
    return Hub(gateway, chain, operator, holder)


def test_money_deposited_in_an_eon_is_managed_from_the_next(hub: Hub) -> None:
    hub.deposit(1000)
    assert hub.limit(1) == 0
    hub.commit(0)
    hub.turn_to(2)
    hub.deposit(30)
    assert hub.limit(2) == 1000
    hub.commit(1000)
    hub.turn_to(3)
    assert hub.limit(3) == 1030


def test_the_contract_accepts_exactly_what_the_bound_allows(hub: Hub) -> None:
    hub.deposit(1000)
    hub.commit(0)
    hub.turn_to(2)
    assert hub.accepts(hub.commit(hub.limit(2)), 2)
    hub.turn_to(3)
    assert not hub.accepts(hub.commit(hub.limit(3) + 1), 3)


def test_ether_that_nobody_deposited_counts_as_surplus(hub: Hub) -> None:
    hub.deposit(1000)
    hub.commit(0)
    hub.turn_to(2)
    hub.chain.rpc("anvil_setBalance", f"0x{hub.gateway.contract.hex()}", hex(1050))
    assert hub.limit(2) == 1050


def _left_after_payment(paid: PendingRequest) -> tuple[PendingRequest, ...]:
    """What the contract lists when all is paid: the published one forgets to forget it."""
    return () if chosen_edition() is ContractEdition.HARDENED else (paid,)


def _committed_to_eon_3(hub: Hub) -> BalanceProof:
    hub.deposit(1000)
    hub.commit(0)
    hub.turn_to(2)
    proof = hub.commit(1000)
    hub.turn_to(3)
    return proof


def test_a_request_leaves_the_bound_of_the_eon_after_and_its_payment_changes_nothing(
    hub: Hub,
) -> None:
    gateway, ether, holder = hub.gateway, hub.gateway.contract, hub.holder.address
    proof = _committed_to_eon_3(hub)
    request = request_withdrawal(ether, token=ether, proof=proof, amount=300, fee=10**16)
    requested = hub.chain.execute(hub.holder, request)
    assert requested.succeeded
    (event,) = fetch_events(gateway.node, ether, requested.block_number, requested.block_number)
    assert isinstance(event, WithdrawalRequest) and event.amount == 300
    assert gateway.holder(ether, holder).pending == (PendingRequest(3, 300),)
    assert gateway.requested_amount(ether, holder, 3) == 300
    assert hub.limit(3) == 1000
    hub.commit(1000)
    hub.turn_to(4)
    assert hub.limit(4) == 700
    assert gateway.pending_withdrawals(ether, 4) == 300
    hub.commit(700)
    hub.turn_to(5, era=gateway.parameters().extended_blocks_per_epoch - 1)
    hub.commit(700)
    assert hub.limit(5) == 700
    payment = confirm_withdrawal(ether, token=ether, holder=holder)
    assert gateway.simulate(payment, hub.operator.address).returned == (300,)
    paid = hub.chain.execute(hub.operator, payment)
    (event,) = fetch_events(gateway.node, ether, paid.block_number, paid.block_number)
    assert isinstance(event, WithdrawalConfirmation) and event.amount == 300
    assert gateway.holder(ether, holder).pending == _left_after_payment(PendingRequest(3, 300))
    assert hub.limit(5) == 700


def test_a_payment_simulates_as_nothing_at_the_block_before_it_is_due(hub: Hub) -> None:
    gateway, ether, holder = hub.gateway, hub.gateway.contract, hub.holder.address
    proof = _committed_to_eon_3(hub)
    hub.chain.execute(
        hub.holder, request_withdrawal(ether, token=ether, proof=proof, amount=300, fee=10**16)
    )
    hub.commit(1000)
    hub.turn_to(4)
    hub.commit(700)
    hub.turn_to(5)
    hub.commit(700)
    due = gateway.clock().first_payable_block(3)
    hub.chain.mine_to(due - 1)
    payment = confirm_withdrawal(ether, token=ether, holder=holder)
    assert gateway.simulate(payment, hub.operator.address).returned == (0,)
    receipt = hub.chain.execute(hub.operator, payment)
    assert receipt.block_number == due
    assert gateway.holder(ether, holder).pending == _left_after_payment(PendingRequest(3, 300))


def test_a_slash_with_the_holders_marker_frees_the_money_again(hub: Hub) -> None:
    gateway, ether, holder = hub.gateway, hub.gateway.contract, hub.holder.address
    proof = _committed_to_eon_3(hub)
    hub.chain.execute(
        hub.holder, request_withdrawal(ether, token=ether, proof=proof, amount=300, fee=10**16)
    )
    marker = minimum_available_balance_digest(
        contract=ether, token=ether, wallet=holder, eon=3, amount=299
    )
    slash = slash_withdrawal(
        ether,
        token=ether,
        holder=holder,
        marker_eon=3,
        marker_amount=299,
        signature=sign(marker, account_key(1)),
    )
    assert gateway.simulate(slash, hub.operator.address).returned == ((0, 300),)
    slashed = hub.chain.execute(hub.operator, slash)
    events = fetch_events(gateway.node, ether, slashed.block_number, slashed.block_number)
    if chosen_edition() is ContractEdition.HARDENED:
        (event,) = events
        assert isinstance(event, WithdrawalSlashed)
        assert (event.previous_eon_amount, event.current_eon_amount) == (0, 300)
    else:
        assert events == [], "the published contract says nothing of a slash"
    assert gateway.holder(ether, holder).pending == ()
    hub.commit(1000)
    hub.turn_to(4)
    assert hub.limit(4) == 1000


@pytest.mark.only_on(ContractEdition.HARDENED)
def test_an_authorised_request_needs_the_operators_signature(hub: Hub) -> None:
    gateway, ether, holder = hub.gateway, hub.gateway.contract, hub.holder.address
    _committed_to_eon_3(hub)
    expiry = gateway.node.head().number + 10
    digest = delegated_withdrawal_digest(
        contract=ether, token=ether, holder=holder, expiry_block=expiry, amount=40, pending=0
    )

    def request(key: bytes) -> str | None:
        call = request_authorized_withdrawal(
            ether, token=ether, amount=40, expiry=expiry, signature=sign(digest, key)
        )
        revert = gateway.simulate(call, holder).revert
        return revert.reason if revert else None

    assert request(account_key(0)) is None
    assert request(account_key(1)) == "a"
