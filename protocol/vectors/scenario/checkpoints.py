"""The replay's checkpoints, built in two forms of the passive tree.

The recorded server wrapped each receipt in its interval, this project commits to bare receipts. A
value that differs between the forms is one into which a passive root enters, and is set aside.
"""

from dataclasses import dataclass

from protocol.accumulator import accumulator_slot
from protocol.encoding import ZERO_HASH, u256
from protocol.keccak import keccak256
from protocol.signing import format_signature
from protocol.transfers import transfer_leaf
from protocol.trees.balance import BalanceLeaves, BalanceTree
from protocol.trees.interval import IntervalTree
from protocol.trees.passive import PassiveLeaf, passive_tree
from protocol.trees.plain import PlainTree
from protocol.trees.tokens import token_leaf
from protocol.vectors.comparison import SET_ASIDE, Computed, EitherOf, Joined, SetAside
from protocol.vectors.inputs import decimals, hexadecimal
from protocol.vectors.scenario.network import Network
from protocol.vectors.scenario.records import Row, SignedState, Token, Wallet


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a leaf of the balance tree commits to, beside its owner and interval."""

    state: SignedState | None
    receipts: IntervalTree
    wrapped_receipts: IntervalTree
    marker: int


@dataclass(frozen=True, slots=True)
class Form:
    """A checkpoint in one form: the balance trees by token and the token tree."""

    balances: list[BalanceTree]
    tokens: PlainTree


class Checkpoints:
    """Builds checkpoints from the books and proves leaves of them."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._forms: dict[int, tuple[Form, Form]] = {}
        self._commitments: dict[tuple[Wallet, int], Commitment] = {}

    def create(self, eon: int) -> Computed:
        """Close the eon before, commit its balances, and describe the checkpoint."""
        network = self._network
        _retire(network, eon - 1)
        balances = {w: network.available(w, eon - 1) if eon > 1 else 0 for w in network.wallets}
        for wallet in network.wallets:
            self._commitments[wallet, eon] = self._commit(wallet, eon - 1)
        forms = self._form(eon, balances, wrapped=False), self._form(eon, balances, wrapped=True)
        self._forms[eon] = forms
        for wallet, balance in balances.items():
            network.widths[wallet, eon] = balance
        basis = network.accumulators[accumulator_slot(eon - 1)] if eon > 1 else ZERO_HASH
        allotments: list[Computed] = [
            self._recorded_allotment(wallet, eon)
            for token in network.tokens
            for wallet in _in_trail_order(network, token)
        ]
        return {
            "basis": basis.hex(),
            "merkle_root": _same(forms[0].tokens.root.hex(), forms[1].tokens.root.hex()),
            "tokens": [self._recorded_token(token, eon) for token in network.tokens],
            "allotments": allotments,
        }

    def allotment_proof(self, wallet: Wallet, eon: int) -> Computed:
        """A wallet's proof in the checkpoint of an eon, None without one."""
        if eon not in self._forms:
            return None
        bare, wrapped = self._forms[eon]
        trail, token = wallet.trail, wallet.token.trail
        left, right = bare.balances[token].interval(trail)
        proof = bare.balances[token].proof(trail)
        other = wrapped.balances[token].proof(trail)
        commitment = self._commitments[wallet, eon]
        state = commitment.state
        checksum = ZERO_HASH if state is None else state.digest(self._network.contract)
        return {
            "eon_number": eon,
            "left": str(left),
            "right": str(right),
            "allotment_chain": _same_hashes(proof.hashes, other.hashes),
            "membership_chain": _same_hashes(bare.tokens.path(token), wrapped.tokens.path(token)),
            "values": [str(value) for value in proof.values],
            "trail": trail,
            "active_state_checksum": hexadecimal(checksum),
            "active_state": None if state is None else _committed_state(state),
            "passive_checksum": _same(
                hexadecimal(commitment.receipts.root),
                hexadecimal(commitment.wrapped_receipts.root),
            ),
            "passive_amount": str(commitment.receipts.upper_bound),
            "passive_marker": str(commitment.marker),
        }

    def delivery_proof(self, row: Row, viewer: Wallet | None) -> Computed:
        """The proof that a transaction reached its recipient, None before the next checkpoint."""
        if row.eon + 1 not in self._forms or row.voided:
            return None
        network, wallet = self._network, row.recipient
        owner = viewer is None or viewer is row.sender
        allotment = self.allotment_proof(wallet, row.eon + 1) if owner else None
        if row.terms is not None:
            index = network.entries(wallet, row.eon).index(row)
            path = PlainTree(network.leaves(wallet, row.eon)).path(index)
            return {
                "merkle_proof": allotment,
                "transfer_membership_chain": [hexadecimal(sibling) for sibling in path],
                "transfer_membership_trail": index,
                "transfer_membership_values": None,
            }
        commitment = self._commitments[wallet, row.eon + 1]
        index = network.receipts(wallet, row.eon).index(row)
        bare = commitment.receipts.proof(index)
        wrapped = commitment.wrapped_receipts.proof(index)
        return {
            "merkle_proof": allotment,
            "transfer_membership_chain": EitherOf(
                [hexadecimal(sibling) for sibling in wrapped.hashes],
                [hexadecimal(sibling) for sibling in bare.hashes],
            ),
            "transfer_membership_trail": index,
            # A chain of none is stored as an empty text, which the server splits into one.
            "transfer_membership_values": [str(value) for value in bare.values] or [""],
        }

    def _commit(self, wallet: Wallet, eon: int) -> Commitment:
        network = self._network
        entries, receipts = network.entries(wallet, eon), network.receipts(wallet, eon)
        last = entries[-1] if entries else None
        return Commitment(
            None if last is None else _committed(last, wallet),
            _passive_tree(receipts, wrapped=False),
            _passive_tree(receipts, wrapped=True),
            (last.position or 0) if last is not None else 0,
        )

    def _form(self, eon: int, balances: dict[Wallet, int], *, wrapped: bool) -> Form:
        network, trees = self._network, []
        for token in network.tokens:
            leaves = BalanceLeaves(contract=network.contract, token=token.address)
            for wallet in _in_trail_order(network, token):
                commitment = self._commitments[wallet, eon]
                state = commitment.state
                tree = commitment.wrapped_receipts if wrapped else commitment.receipts
                leaves.add(
                    wallet.address,
                    balances[wallet],
                    active_digest=ZERO_HASH if state is None else state.digest(network.contract),
                    passive_root=tree.root,
                    passive_amount=tree.upper_bound,
                    passive_marker=commitment.marker,
                )
            unclaimed = network.managed(token, eon) - leaves.upper_bound
            if eon > 1 and unclaimed > 0:
                leaves.add(network.operator.address, unclaimed)
            trees.append(leaves.tree())
        return Form(trees, PlainTree([token_leaf(tree.root, tree.upper_bound) for tree in trees]))

    def _recorded_token(self, token: Token, eon: int) -> Computed:
        bare, wrapped = self._forms[eon]
        tree = bare.balances[token.trail]
        return {
            "token": token.text,
            "merkle_root": _same(tree.root.hex(), wrapped.balances[token.trail].root.hex()),
            "upper_bound": str(tree.upper_bound),
            "membership_hashes": _same_chain(
                bare.tokens.path(token.trail), wrapped.tokens.path(token.trail)
            ),
        }

    def _recorded_allotment(self, wallet: Wallet, eon: int) -> Computed:
        bare, wrapped = (form.balances[wallet.token.trail] for form in self._forms[eon])
        left, right = bare.interval(wallet.trail)
        proof, other = bare.proof(wallet.trail), wrapped.proof(wallet.trail)
        return {
            "token": wallet.token.text,
            "wallet": wallet.text,
            "left": str(left),
            "right": str(right),
            "merkle_proof_hashes": _same_chain(proof.hashes, other.hashes),
            "merkle_proof_values": decimals(proof.values),
            "merkle_proof_trail": wallet.trail,
        }


def _retire(network: Network, eon: int) -> None:
    """End the eon's copies of open orders: kept if countersigned, void otherwise."""
    for row in network.rows:
        if row.eon != eon or row.terms is None or row.processed:
            continue
        row.processed = True
        row.voided = not row.appended
        row.frozen = False


def _committed(row: Row, wallet: Wallet) -> SignedState:
    """Choose the state that a set's last entry commits its wallet to."""
    if row.sender is wallet:
        order = ["sender_cancellation_active_state", "sender_active_state"]
    else:
        order = [
            "recipient_finalization_active_state",
            "recipient_cancellation_active_state",
            *(["recipient_fulfillment_active_state"] if row.complete else []),
            "recipient_active_state",
        ]
    return next(row.states[name] for name in order if name in row.states)


def _committed_state(state: SignedState) -> Computed:
    countersigned = state.operator_signature
    return {
        "wallet_signature": format_signature(state.wallet_signature),
        "operator_signature": None if countersigned is None else format_signature(countersigned),
        "updated_spendings": str(state.spent),
        "updated_gains": str(state.gained),
        "tx_set_hash": state.root.hex(),
    }


def _passive_tree(receipts: list[Row], *, wrapped: bool) -> IntervalTree:
    leaves, upper = [], 0
    for row in receipts:
        left, upper = upper, upper + row.amount
        digest = transfer_leaf(
            counterparty=row.sender.address,
            amount=row.amount,
            recipient_trail=row.recipient.trail,
            position=left,
            nonce=row.nonce,
        )
        if wrapped:
            digest = keccak256(u256(left) + digest + u256(upper))
        leaves.append(PassiveLeaf(digest, left, upper))
    if not wrapped or not leaves:
        return passive_tree(leaves)
    edges = [u256(0), *(u256(leaf.right) for leaf in leaves)]
    padding = keccak256(u256(upper) + ZERO_HASH + u256(upper))
    return IntervalTree.build(b"".join(leaf.digest for leaf in leaves), b"".join(edges), padding)


def _in_trail_order(network: Network, token: Token) -> list[Wallet]:
    wallets = [w for w in network.wallets if w.token is token and w.operator_authorization]
    return sorted(wallets, key=lambda wallet: wallet.trail)


def _same(bare: str, wrapped: str) -> str | SetAside:
    return bare if bare == wrapped else SET_ASIDE


def _same_hashes(bare: list[bytes], wrapped: list[bytes]) -> list[Computed]:
    return [
        _same(hexadecimal(left), hexadecimal(right))
        for left, right in zip(bare, wrapped, strict=True)
    ]


def _same_chain(bare: list[bytes], wrapped: list[bytes]) -> Joined:
    return Joined(
        tuple(_same(left.hex(), right.hex()) for left, right in zip(bare, wrapped, strict=True))
    )
