"""Random trees and random damage: the contract and the protocol room judge every proof alike."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.exceptions import ContractLogicError

from protocol.keccak import keccak256
from protocol.transfers import transfer_leaf
from protocol.trees import plain
from protocol.trees.balance import BalanceLeaves, inner_digest, leaf_digest, verify_balance_proof
from protocol.trees.passive import verify_passive_proof
from protocol.trees.tokens import checkpoint_root, membership_path, token_leaf

from .disputes import Receipts
from .harness import A, B, Chain

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
AMOUNTS = st.one_of(st.just(0), st.integers(1, 5), st.integers(0, 2**80))
DAMAGE = st.sampled_from(
    ["none", "sibling", "drop", "extend", "swap", "trail", "surplus", "edge", "interval", "leaf"]
)


@pytest.fixture(scope="module")
def judge(w3: Web3, libraries: dict[str, bytes]) -> Any:
    """A commit-chain whose read-only helpers judge."""
    return Chain(w3, libraries).functions


@dataclass
class Proof:
    """A proof to be damaged; `values` and `interval` are empty for plain trees."""

    leaf: bytes
    trail: int
    siblings: list[bytes]
    values: list[int]
    left: int = 0
    right: int = 0

    def damage(self, kind: str, place: int) -> None:
        """Changes one thing; some kinds change nothing in a proof without siblings."""
        at = place % len(self.siblings) if self.siblings else 0
        if kind == "leaf":
            self.leaf = keccak256(self.leaf)
        elif kind == "surplus":
            self.trail += 1 << (len(self.siblings) + place % 20)
        elif kind == "trail" and self.siblings:
            self.trail ^= 1 << at
        elif kind == "extend":
            self.siblings.append(bytes(32))
            self.values.append(self.right)
        elif kind == "edge" and self.values:
            self.values[at] += 1
        elif kind == "interval":
            self.right += 1 + place
        elif self.siblings:
            self._damage_siblings(kind, at)

    def _damage_siblings(self, kind: str, at: int) -> None:
        if kind == "sibling":
            self.siblings[at] = keccak256(self.siblings[at])
        elif kind == "drop":
            del self.siblings[at]
            del self.values[at : at + 1]
        elif kind == "swap":
            self.siblings.reverse()


def accepts(call: Any) -> int | bool | None:
    try:
        answer: int | bool = call.call()
    except ContractLogicError:
        return None
    return answer


@FUZZ
@given(
    count=st.integers(1, 33),
    index=st.integers(0, 1000),
    kind=DAMAGE,
    place=st.integers(0, 1000),
)
def test_plain_proofs(judge: Any, count: int, index: int, kind: str, place: int) -> None:
    leaves = [keccak256(bytes([n])) for n in range(count)]
    index %= count
    root = plain.root(leaves)
    proof = Proof(leaves[index], index, plain.path(leaves, index), [])
    proof.damage(kind, place)
    ours = plain.verify_path(proof.leaf, proof.trail, proof.siblings, root)
    call = judge.verifyProofOfMembership(proof.trail, proof.siblings, proof.leaf, root)
    assert accepts(call) is ours
    if kind == "none":
        assert ours


@FUZZ
@given(
    balances=st.lists(AMOUNTS, min_size=1, max_size=20),
    index=st.integers(0, 1000),
    tokens=st.integers(1, 6),
    kind=DAMAGE,
    place=st.integers(0, 1000),
)
def test_balance_proofs(
    judge: Any, balances: list[int], index: int, tokens: int, kind: str, place: int
) -> None:
    contract, token = bytes(20), bytes([7]) * 20
    allotments = BalanceLeaves(contract=contract, token=token)
    for balance in balances:
        allotments.add(A.address, balance)
    index %= len(balances)
    tree = allotments.tree()
    parts = {"active_digest": bytes(32), "passive_root": bytes(32), "passive_amount": 0}
    inner = inner_digest(
        contract=contract, token=token, wallet=A.address, passive_marker=0, **parts
    )
    token_leaves = [keccak256(bytes([n])) for n in range(tokens)]
    trail = index % tokens
    token_leaves[trail] = token_leaf(tree.root, tree.upper_bound)
    left, right = tree.interval(index)
    hashes, values = tree.proof(index)
    proof = Proof(inner, index, list(hashes), list(values), left, right)
    proof.damage(kind, place)
    ours = verify_balance_proof(
        proof.leaf,
        proof.left,
        proof.right,
        proof.trail,
        proof.siblings,
        proof.values,
        root=tree.root,
        upper_bound=tree.upper_bound,
    )
    call = judge.verifyProofOfExclusiveBalanceAllotment(
        proof.trail,
        trail,
        leaf_digest(proof.leaf, proof.left, proof.right),
        checkpoint_root(token_leaves),
        proof.siblings,
        membership_path(token_leaves, trail),
        proof.values,
        [proof.left, proof.right],
    )
    assert accepts(call) == (tree.upper_bound if ours else None)
    if kind == "none":
        assert ours


@FUZZ
@given(
    amounts=st.lists(AMOUNTS, min_size=1, max_size=12),
    index=st.integers(0, 1000),
    kind=DAMAGE,
    place=st.integers(0, 1000),
)
def test_passive_proofs(judge: Any, amounts: list[int], index: int, kind: str, place: int) -> None:
    transfers = tuple((B.address, amount, nonce) for nonce, amount in enumerate(amounts))
    receipts = Receipts(3, transfers)
    index %= len(amounts)
    leaf = receipts.leaves[index]
    half = receipts.chain_values(index)
    levels = len(half) // 2
    values = [int.from_bytes(word, "big") for word in half[levels:]]
    proof = Proof(leaf.digest, index, half[:levels], values, leaf.left, leaf.right)
    proof.damage(kind, place)
    ours = verify_passive_proof(
        leaf._replace(digest=proof.leaf, left=proof.left, right=proof.right),
        proof.trail,
        proof.siblings,
        proof.values,
        root=receipts.root,
        passive_amount=receipts.total,
    )
    words = [value.to_bytes(32, "big") for value in proof.values]
    call = judge.verifyProofOfPassiveDelivery(
        proof.trail,
        proof.leaf,
        receipts.root,
        proof.siblings + words,
        [proof.left, proof.right],
    )
    answer = accepts(call)
    if ours:
        assert answer == receipts.total
    else:
        assert answer is None or answer != receipts.total
    if kind == "none":
        assert ours


def test_the_passive_leaf_is_the_transfer_itself() -> None:
    receipts = Receipts(3, ((A.address, 5, 9),))
    assert receipts.root == transfer_leaf(
        counterparty=A.address, amount=5, recipient_trail=3, position=0, nonce=9
    )
