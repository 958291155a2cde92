"""Costs with proofs as deep as 10^9 wallets make them: 30 interval levels, 5 token levels."""

from collections.abc import Iterator
from dataclasses import replace

from web3 import Web3

from protocol.keccak import keccak256
from protocol.orders import OrderTerms
from protocol.transfers import tagged_transfer_leaf, transfer_tag
from protocol.trees import plain
from protocol.trees.balance import inner_digest, leaf_digest
from protocol.trees.interval import walk
from protocol.trees.tokens import token_leaf

from ..disputes import (
    STAKE,
    State,
    Transfer,
    answer_delivery,
    answer_passively,
    answer_state_update,
    answer_swap,
    challenge_allotment,
    challenge_delivery,
    challenge_swap,
)
from ..harness import BOND, ETHER, OPERATOR, A, Allotment, B, Chain, Member
from .small import FAR, Meter, Row

INTERVAL_LEVELS = 30
TOKEN_LEVELS = 5
SET_LEVELS = 8
PASSIVE_LEVELS = 5
STEP = 10**15
SHARE = 10**18


def sibling(level: int) -> bytes:
    return keccak256(level.to_bytes(4, "big"))


class DeepSet(State):
    """A state whose set has 256 leaves, of which only the first is known."""

    @property
    def root(self) -> bytes:
        node = self.leaves[0]
        for height in range(SET_LEVELS):
            node = plain.node(height, node, sibling(height))
        return node

    def path(self, index: int) -> list[bytes]:
        return [sibling(height) for height in range(SET_LEVELS)]


def deep(chain: Chain, member: Member, token: bytes) -> tuple[Allotment, bytes]:
    """The member's leaf with siblings on alternating sides, and the root that it leads to."""
    left = STEP * (INTERVAL_LEVELS // 2)
    right = left + member.balance
    edges, trail, low, high = [], 0, left, right
    for level in range(INTERVAL_LEVELS):
        if level % 2:
            trail |= 1 << level
            low -= STEP
            edges.append(low)
        else:
            high += STEP
            edges.append(high)
    chain_ = [sibling(level) for level in range(INTERVAL_LEVELS)]
    inner = inner_digest(
        contract=chain.address,
        token=token,
        wallet=member.wallet,
        active_digest=member.active,
        passive_root=member.passive_root,
        passive_amount=member.passive_amount,
        passive_marker=member.passive_mark,
    )
    node, total = walk(leaf_digest(inner, left, right), left, right, trail, chain_, edges)
    member_chain = [sibling(level) for level in range(TOKEN_LEVELS)]
    node = token_leaf(node, total)
    for height, other in enumerate(member_chain):
        node = plain.node(height, node, other)
    return Allotment(trail, chain_, member_chain, edges, (left, right), member), node


def measure(w3: Web3, libraries: dict[str, bytes]) -> Iterator[Row]:
    """All rows, one chain each: a synthetic root proves only one leaf."""
    for part in (_request, _state_update, _active, _passive, _swap, _recover):
        meter = Meter(w3, libraries)
        part(meter)
        yield from meter.rows


def _begin(meter: Meter) -> Chain:
    chain = meter.chain
    chain.at(1, 2).deposit(A, 1000 * ETHER)
    _submit(chain, 1, bytes(32))
    return chain


def _submit(chain: Chain, eon: int, root: bytes) -> None:
    chain.at(eon, 5)
    call = chain.functions.submitCheckpoint(chain.accumulator(eon - 1), root)
    chain.send(call, OPERATOR)


def _request(meter: Meter) -> None:
    chain = _begin(meter)
    leaf, root = deep(chain, Member(A.address, SHARE), chain.ether)
    _submit(chain, 2, root)
    chain.at(3, 1)
    name = "requestWithdrawal, 30 + 5"
    for label, figure in (("first", 386_951), ("later", 312_680)):
        call = chain.request_with(leaf, 1)
        meter.weigh(f"{name}, {label}", figure, call, A, value=BOND)


def _state_update(meter: Meter) -> None:
    chain = _begin(meter)
    leaf, root = deep(chain, Member(A.address, SHARE), chain.ether)
    _submit(chain, 2, root)
    state = DeepSet(chain, A, leaf.trail, 2, (b"\x01" * 32,), spent=STEP)
    answer_leaf, root = deep(chain, state.member(SHARE), chain.ether)
    _submit(chain, 3, root)
    chain.at(3, 20)
    call = challenge_allotment(chain, leaf, state)
    meter.weigh("challenge state update with allotment, 30 + 5", 404_273, call, A, value=STAKE)
    call = answer_state_update(chain, A, answer_leaf, state)
    meter.weigh("answer state update, 30 + 5", 292_833, call, B)


def _active(meter: Meter) -> None:
    chain = _begin(meter)
    _submit(chain, 2, bytes(32))
    transfer = Transfer(B, A, STEP, 5, recipient_trail=0)
    trail = deep(chain, Member(A.address, SHARE), chain.ether)[0].trail
    transfer = replace(transfer, recipient_trail=trail)
    sender = DeepSet(chain, B, 7, 2, (transfer.leaf(),), spent=STEP)
    recipient = DeepSet(chain, A, trail, 2, (transfer.leaf(B),), gained=STEP)
    leaf, root = deep(chain, recipient.member(SHARE), chain.ether)
    _submit(chain, 3, root)
    chain.at(3, 20)
    call = challenge_delivery(sender, transfer)
    meter.weigh("challenge delivery, active, 30 + 5", 253_766, call, B, value=STAKE)
    call = answer_delivery(recipient, transfer, leaf)
    meter.weigh("answer delivery, active, 30 + 5", 247_183, call, B)


def _passive(meter: Meter) -> None:
    chain = _begin(meter)
    _submit(chain, 2, bytes(32))
    trail = deep(chain, Member(A.address, SHARE), chain.ether)[0].trail
    transfer = Transfer(B, A, STEP, transfer_tag(0, 5), recipient_trail=trail)
    sender = DeepSet(chain, B, 7, 2, (transfer.leaf(),), spent=STEP)
    passive = tagged_transfer_leaf(
        counterparty=B.address, amount=STEP, recipient_trail=trail, tag=transfer.number
    )
    hashes = [sibling(level) for level in range(PASSIVE_LEVELS)]
    edges = [STEP * (level + 2) for level in range(PASSIVE_LEVELS)]
    passive_root, received = walk(passive, 0, STEP, 0, hashes, edges)
    member = Member(A.address, SHARE, passive_root=passive_root, passive_amount=received)
    leaf, root = deep(chain, member, chain.ether)
    _submit(chain, 3, root)
    chain.at(3, 20)
    chain.send(challenge_delivery(sender, transfer), B, value=STAKE)
    call = answer_passively(chain, transfer, leaf, _Deep(hashes, edges), position=0, nonce=5)
    meter.weigh("answer delivery, passive, 5 levels, 30 + 5", 251_480, call, B)


class _Deep:
    """Receipts of which only one is known."""

    def __init__(self, hashes: list[bytes], edges: list[int]) -> None:
        self._values = hashes + [edge.to_bytes(32, "big") for edge in edges]

    def chain_values(self, index: int) -> list[bytes]:
        return self._values


def _swap(meter: Meter) -> None:
    """An order of ether for ether, so that one leaf opens and answers; nothing of it is filled."""
    chain = _begin(meter)
    _submit(chain, 2, bytes(32))
    trail = deep(chain, Member(A.address, SHARE), chain.ether)[0].trail
    order = OrderTerms(chain.ether, chain.ether, trail, STEP, STEP, FAR)
    state = DeepSet(chain, A, trail, 2, (order.leaf(SHARE),), spent=STEP)
    leaf, root = deep(chain, state.member(SHARE), chain.ether)
    _submit(chain, 3, root)
    chain.at(3, 20)
    call = challenge_swap(state, order, SHARE, leaf)
    meter.weigh("challenge swap, 30 + 5", 499_559, call, A, value=STAKE)
    call = answer_swap(state, order, SHARE, leaf)
    meter.weigh("answer swap, open order, 30 + 5", 245_366, call, B)


def _recover(meter: Meter) -> None:
    chain = _begin(meter)
    leaf, root = deep(chain, Member(A.address, SHARE), chain.ether)
    _submit(chain, 2, root)
    _submit(chain, 3, root)
    chain.at(5, 0)
    call = chain.recover(A, leaf)
    meter.weigh("recoverAllFunds, 30 + 5", 313_398, call, A)
