"""An operator with a real ledger, API and contract that commits what it likes.

Its ledger is honest, and countersigns what it should; the lie is in the checkpoint: `turn` hands
the leaves of the next one to somebody who alters them before they are hashed and submitted. Then
it tries whatever the real operator could answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from hexbytes import HexBytes
from sqlalchemy import select
from web3.exceptions import ContractLogicError

import ledger.checkpoint.tokens as checkpoint_tokens
from activities.answer_calls import call_for
from activities.challenge_watch import as_entry
from chain.gateway import ContractGateway
from contracts.development import DevelopmentAccount
from ledger.challenges.answers import variants_of
from ledger.challenges.entries import Entry
from ledger.challenges.evidence import PassiveDeliveryEvidence
from ledger.checkpoint import building
from ledger.checkpoint.leaves import Leaf, TokenTurn, read_leaves
from ledger.parameters import Parameters, store_parameters
from ledger.set_joins import set_joins
from ledger.terms import record_terms
from ledger.tokens import activate_token, add_default_pairs, add_native_token, add_token
from models import ActiveState, Challenge, RootCommitment, Transfer, Wallet
from protocol.address import Address
from protocol.keccak import keccak256
from protocol.states import active_state_digest
from protocol.transfers import transfer_leaf
from protocol.trees.passive import PassiveLeaf, passive_root
from protocol.trees.tokens import checkpoint_root, token_leaf
from tests.contracts.harness import GAS_LIMIT, OPERATOR, Chain, checksum
from tests.ledger.paying import Bank
from tests.ledger.world import PRIVACY, TERMS, World
from tests.orders.market import Market
from wallet.parent_chain import Mined

COMMITTED_AT = 8
DISPUTES_FROM = 20
ANSWERED_UNTIL = 18
"""Blocks of an eon: the checkpoint's, one in which disputes open, one after their deadline."""

Lie = Callable[[TokenTurn, list[Leaf]], None]


class DisputedWorld(World):
    """A ledger of a contract that is really there."""

    def bootstrap_at(self, token: Address) -> None:
        """Parameters, terms, eon 1, and the tokens of trails 0 and 1."""
        rules = self.rules
        self.move_to(rules.clock.genesis_block + 1)
        with self.begin() as session:
            store_parameters(
                session,
                Parameters(
                    chain_id=1337,
                    contract=rules.contract,
                    operator=rules.operator.address,
                    edition=rules.edition,
                    code_hash=keccak256(b"code"),
                    genesis_block=rules.clock.genesis_block,
                    blocks_per_eon=rules.clock.blocks_per_eon,
                    eons_kept=5,
                    deposits_kept=3,
                    challenge_cost=5 * 10**9,
                ),
            )
            record_terms(session, terms=TERMS, privacy=PRIVACY)
            add_native_token(session, rules)
            add_token(session, rules, token, name="Tee", short_name="T")
            activate_token(session, rules, token, 1)
            add_default_pairs(session, rules)


@dataclass
class Rogue:
    """The operator, its ledger and its contract; `eon` is what ledger and chain are in."""

    chain: Chain
    world: DisputedWorld
    gateway: ContractGateway
    token: Address
    market: Market = field(init=False)

    def __post_init__(self) -> None:
        self.market = Market(Bank(self.world))

    @property
    def ether(self) -> Address:
        return self.chain.ether

    def open(self) -> None:
        """Orders may be placed from the first checkpoint on."""
        self._commit(1)

    def deposit(self, account: DevelopmentAccount, token: Address, amount: int) -> None:
        """A deposit on chain that the ledger confirms at once."""
        call = self.chain.functions.deposit(checksum(token), checksum(account.address), amount)
        value = amount if token == self.ether else 0
        block = self.chain.send(call, account, value=value).receipt["blockNumber"]
        self.world.move_to(block)
        self.world.event(
            "Deposit", block=block, token=token, recipient=account.address, amount=amount
        )
        self.world.confirm(block)

    def turn(self, lie: Lie | None = None) -> None:
        """Go on to the next eon, and commit the one that ended, as it was or as `lie` says."""
        eon = self.world.eon + 1
        self.chain.at(eon, COMMITTED_AT)
        self.world.move_to(self.chain.w3.eth.block_number)
        with lying(lie):
            self._commit(eon)

    def turn_showing_another_root_than_committed(self, lie: Lie) -> None:
        """Go on with an honest checkpoint for wallets to see, and commit another."""
        eon = self.world.eon + 1
        self.chain.at(eon, COMMITTED_AT)
        self.world.move_to(self.chain.w3.eth.block_number)
        self.market.bank.close(eon - 1)
        rules = self.world.rules
        with self.world.engine.connect() as reader, set_joins(reader), lying(lie):
            turns = building._turns(reader, rules, eon - 1)
            tokens = [checkpoint_tokens.check_out_token(reader, rules, turn) for turn in turns]
        leaves = [token_leaf(token.tree.root, token.tree.upper_bound) for token in tokens]
        self._commit(eon, checkpoint_root(leaves))

    def state_of(self, transfer_id: int) -> tuple[int, bytes]:
        """The sender's state of a transfer: its row, and the digest that both signed."""
        with self.world.begin() as session:
            transfer = session.get_one(Transfer, transfer_id)
            state = session.get_one(ActiveState, transfer.sender_active_state_id)
            wallet = session.get_one(Wallet, state.wallet_id)
            digest = active_state_digest(
                contract=self.chain.address,
                token=self.ether,
                wallet=bytes(wallet.address),
                trail=wallet.trail_identifier or 0,
                eon=state.eon,
                tx_set_root=bytes(state.tx_set_hash),
                spent=state.spent,
                gained=state.gained,
            )
            return state.id, digest

    def receive_only(self, leaf: Leaf, transfer_id: int) -> None:
        """Let a leaf hold one receipt only, as the first."""
        with self.world.begin() as session:
            transfer = session.get_one(Transfer, transfer_id)
            sender = session.get_one(Wallet, transfer.sender_id)
            digest = transfer_leaf(
                counterparty=bytes(sender.address),
                amount=transfer.amount,
                recipient_trail=leaf.trail,
                position=0,
                nonce=transfer.nonce,
            )
            leaf.passive_amount = transfer.amount
        leaf.passive_root = passive_root([PassiveLeaf(digest, 0, leaf.passive_amount)])

    def _commit(self, eon: int, another_root: bytes | None = None) -> None:
        self.market.bank.checkpoint(eon)
        with self.world.begin() as session:
            query = select(RootCommitment.merkle_root).where(RootCommitment.eon == eon)
            root = bytes(session.scalars(query).one())
        self.submit(eon, another_root or root)
        self.market.announce()
        self.market.match()

    def submit(self, eon: int, root: bytes) -> None:
        call = self.chain.functions.submitCheckpoint(self.chain.accumulator(eon - 1), root)
        self.chain.send(call, OPERATOR)

    def let_disputes_begin(self) -> None:
        """Mine until challenges about the last eon may be opened, if they may not yet."""
        begin = self.chain.genesis + (self.chain.eon - 1) * self.chain.blocks_per_eon
        if self.chain.w3.eth.block_number < begin + DISPUTES_FROM:
            self.chain.at(self.chain.eon, DISPUTES_FROM)

    def answers(self, dispute: Mined) -> list[str]:
        """Try every answer that the ledger knows; what speaks against each, empty if it holds."""
        return [reason for row, entry in self.opened(dispute) for reason in self.answer(row, entry)]

    def answer(self, row: Challenge, entry: Entry) -> list[str]:
        """As `answers`, for one challenge as the contract recorded it."""
        with self.world.begin() as session:
            variants = variants_of(session, self.world.rules, row, entry)
        return [
            variant.objection
            if variant.evidence is None
            else self._refusal(
                call_for(self.chain.address, variant.evidence, sender=bytes(row.sender)).data
            )
            for variant in variants
        ]

    def answer_with_the_only_receipt(self, row: Challenge, entry: Entry) -> str:
        """Prove a delivery in a leaf of which `receive_only` made the receipt the only one."""
        with self.world.begin() as session:
            variants = variants_of(session, self.world.rules, row, entry)
        [proof] = [v.evidence for v in variants if isinstance(v.evidence, PassiveDeliveryEvidence)]
        alone = replace(proof, index=0, siblings=(), edges=(), position=0)
        return self._refusal(call_for(self.chain.address, alone, sender=bytes(row.sender)).data)

    def opened(self, dispute: Mined) -> list[tuple[Challenge, Entry]]:
        """What a transaction has opened, with the contract's records of now."""
        receipt = self.chain.w3.eth.get_transaction_receipt(HexBytes(dispute.transaction_hash))
        events = self.chain.contract.events.ChallengeIssued().process_receipt(receipt)
        return [self._opened(event["args"]) for event in events]

    def _opened(self, parties: Any) -> tuple[Challenge, Entry]:
        token, recipient, sender = (
            bytes.fromhex(parties[name][2:]) for name in ("token", "recipient", "sender")
        )
        entry = as_entry(self.gateway.challenge(token, sender=sender, recipient=recipient))
        assert entry is not None
        return Challenge(token_or_conduit=token, recipient=recipient, sender=sender), entry

    def _refusal(self, data: bytes) -> str:
        """Why the contract refuses a call; a call that it takes is sent, and gives no reason."""
        fields = {
            "from": checksum(OPERATOR.address),
            "to": checksum(self.chain.address),
            "data": "0x" + data.hex(),
            "gas": GAS_LIMIT,
        }
        try:
            self.chain.w3.eth.call(fields)  # type: ignore[arg-type]
        except ContractLogicError as refused:
            return str(refused) or "reverted"
        sent = self.chain.w3.eth.send_transaction(fields)  # type: ignore[arg-type]
        assert self.chain.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
        return ""

    def is_halted(self) -> bool:
        """Whether the contract takes no checkpoint any more, once every deadline is over."""
        self.chain.at(self.chain.eon + 1, ANSWERED_UNTIL)
        root = self.chain.functions.submitCheckpoint(
            self.chain.accumulator(self.chain.eon - 1), keccak256(b"whatever")
        )
        try:
            self.chain.next(root)
        except ContractLogicError:
            return bool(self.chain.next(self.chain.functions.hasOutstandingChallenges()))
        return False


@contextmanager
def lying(lie: Lie | None) -> Iterator[None]:
    """Let `lie` alter the leaves of every token before they are hashed."""

    def altered(connection: object, turn: TokenTurn) -> Iterator[Leaf]:
        leaves = list(read_leaves(connection, turn))  # type: ignore[arg-type]
        if lie is not None:
            lie(turn, leaves)
        return iter(leaves)

    with patch.object(checkpoint_tokens, "read_leaves", altered):
        yield


def leaf_of(leaves: list[Leaf], address: Address) -> Leaf:
    return next(leaf for leaf in leaves if leaf.address == address)
