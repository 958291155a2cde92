"""Families of trees: transaction sets, passive deliveries, balances, tokens, checkpoints."""

from protocol.address import Address
from protocol.encoding import digest_of_hex, u256
from protocol.signing import format_signature
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.balance import (
    BalanceTree,
    inner_digest,
    leaf_digest,
    padding_leaf,
)
from protocol.trees.interval import IntervalProof
from protocol.trees.passive import PassiveLeaf, passive_tree
from protocol.trees.plain import PlainTree
from protocol.trees.tokens import token_leaf
from protocol.trees.transaction_set import EMPTY, Frontier
from protocol.vectors.comparison import Computed, EitherOf, IfThere
from protocol.vectors.inputs import Inputs, InvalidVector, decimals, hexadecimal, joined


def transaction_set(inputs: Inputs) -> Computed:
    """A set's tree, and its frontier after every append."""
    leaves = [digest_of_hex(text) for text in inputs.texts("leaves")]
    tree = PlainTree(leaves)
    proofs = [joined(tree.path(index)) for index in range(len(leaves))]
    steps: list[Computed] = []
    frontier = EMPTY
    for index, leaf in enumerate(leaves):
        proof = frontier.path_with()
        frontier = frontier.append(leaf)
        steps.append(
            {
                "hash_stack": _hash_stack(frontier),
                "height_stack": _height_stack(frontier),
                "root": hexadecimal(frontier.root()),
                "last_index": index,
                "last_proof": joined(proof),
            }
        )
    common: dict[str, Computed] = {
        "root": hexadecimal(tree.root),
        "height": tree.height,
        "proofs": EitherOf(
            list(proofs), {str(i): IfThere(proof) for i, proof in enumerate(proofs)}
        ),
    }
    # Recordings of large sets keep some proofs, by index, and the last step.
    return EitherOf(
        {**common, "append_steps": steps},
        {**common, "last_append_step": steps[-1] if steps else None},
    )


def transaction_set_growth(inputs: Inputs) -> Computed:
    """A sender's set after its transfers: all but the newest are settled."""
    signer = inputs.signer("wallet_private_key")
    inputs.agree("wallet", inputs.address("wallet"), signer.address)
    transfers = inputs.records("transfers")
    leaves: list[bytes] = []
    spent, before, settled = 0, EMPTY, EMPTY
    for index, transfer in enumerate(transfers):
        position = transfer.amount("position")
        is_newest = index == len(transfers) - 1
        spent += transfer.amount("amount")
        leaves.append(
            transfer_leaf(
                counterparty=transfer.address("recipient"),
                amount=transfer.amount("amount"),
                recipient_trail=transfer.integer("recipient_trail_identifier"),
                position=LAST_POSITION if is_newest else position,
                nonce=transfer.amount("nonce"),
            )
        )
        before, settled = settled, settled.append(leaves[-1])
    if not leaves:
        raise InvalidVector("inputs.transfers: empty")
    digest = active_state_digest(
        contract=inputs.address("contract"),
        token=inputs.address("token"),
        wallet=signer.address,
        trail=inputs.integer("trail_identifier"),
        eon=inputs.integer("eon_number"),
        tx_set_root=settled.root(),
        spent=spent,
        gained=0,
    )
    return {
        "leaves": [hexadecimal(leaf) for leaf in leaves],
        "tx_set_hash": settled.root().hex(),
        "tx_set_index": before.count,
        "tx_set_proof_hashes": joined(before.path_with()),
        "updated_spendings": str(spent),
        "updated_gains": "0",
        "checksum": digest.hex(),
        "wallet_signature": format_signature(signer.sign(digest)),
        "stack_after_append": _stack(settled),
        "previous_transfer_stack_after_its_leaf_was_settled": (
            _stack(before) if before.count else None
        ),
    }


def passive_deliveries(inputs: Inputs) -> Computed:
    """A recipient's passive tree over bare leaves."""
    inputs.address("recipient")
    trail, upper = inputs.integer("recipient_trail_identifier"), 0
    leaves: list[PassiveLeaf] = []
    for transfer in inputs.records("transfers"):
        position, amount = transfer.amount("position"), transfer.amount("amount")
        upper = position + amount
        digest = transfer_leaf(
            counterparty=transfer.address("sender"),
            amount=amount,
            recipient_trail=trail,
            position=position,
            nonce=transfer.amount("nonce"),
        )
        leaves.append(PassiveLeaf(digest, position, upper))
    inputs.agree("upper_bound", inputs.amount("upper_bound"), upper)
    tree = passive_tree(leaves)
    return {
        "payloads": [hexadecimal(leaf.digest) for leaf in leaves],
        "root": hexadecimal(tree.root),
        "proofs": [_proof(tree.proof(index)) for index in range(len(leaves))],
    }


def balances(inputs: Inputs) -> Computed:
    """One token's balance tree, the unclaimed leaf included."""
    leaves = inputs.records("balances")
    if not inputs.is_null("unclaimed_owner_leaf"):
        leaves.append(inputs.record("unclaimed_owner_leaf"))
    inner, tree = _balance_tree(leaves, inputs.address("contract"))
    upper = inputs.amount("upper_bound")
    inputs.agree("upper_bound", upper, tree.upper_bound)
    return {
        "inner_hashes": [hexadecimal(digest) for digest in inner],
        "leaf_hashes": _leaf_hashes(tree),
        "padding_leaf_hash": hexadecimal(padding_leaf(upper)),
        "root": hexadecimal(tree.root),
        "height": tree.intervals.height,
        "proofs": [_proof(tree.proof(index)) for index in range(tree.count)],
    }


def tokens(inputs: Inputs) -> Computed:
    """The token tree over given commitments."""
    leaves = []
    for trail, token in enumerate(inputs.records("tokens")):
        token.agree("trail", token.integer("trail"), trail)
        leaves.append(token_leaf(token.digest("merkle_root"), token.amount("upper_bound")))
    tree = PlainTree(leaves)
    return {
        "leaf_hashes": [hexadecimal(leaf) for leaf in leaves],
        "root": hexadecimal(tree.root),
        "height": tree.height,
        "proofs": [joined(tree.path(index)) for index in range(len(leaves))],
    }


def checkpoint(inputs: Inputs) -> Computed:
    """A whole checkpoint: the balance trees of all tokens under one root."""
    contract, trees = inputs.address("contract"), []
    for trail, token in enumerate(inputs.records("tokens")):
        token.agree("trail", token.integer("trail"), trail)
        leaves = token.records("leaves")
        _, tree = _balance_tree(leaves, contract)
        token.agree("upper_bound", token.amount("upper_bound"), tree.upper_bound)
        for leaf in leaves:
            token.agree("leaves", leaf.address("token"), token.address("token"))
        trees.append(tree)
    joint = PlainTree([token_leaf(tree.root, tree.upper_bound) for tree in trees])
    return {
        "checkpoint_root": joint.root.hex(),
        "tokens": [
            {
                "balance_root": tree.root.hex(),
                "membership_hashes": joined(joint.path(trail)),
                "allotment_proofs": [_proof(tree.proof(i)) for i in range(tree.count)],
                "leaf_hashes": _leaf_hashes(tree),
            }
            for trail, tree in enumerate(trees)
        ],
    }


def _balance_tree(leaves: list[Inputs], contract: Address) -> tuple[list[bytes], BalanceTree]:
    inner, hashes, edges, right = [], [], [u256(0)], 0
    for leaf in leaves:
        left = leaf.amount("left")
        leaf.agree("left", left, right)
        right = leaf.amount("right")
        inner.append(
            inner_digest(
                contract=contract,
                token=leaf.address("token"),
                wallet=leaf.address("wallet"),
                active_digest=leaf.digest("active_state_checksum"),
                passive_root=leaf.digest("passive_checksum"),
                passive_amount=leaf.amount("passive_amount"),
                passive_marker=leaf.amount("passive_marker"),
            )
        )
        hashes.append(leaf_digest(inner[-1], left, right))
        edges.append(u256(right))
    return inner, BalanceTree.build(b"".join(hashes), b"".join(edges))


def _leaf_hashes(tree: BalanceTree) -> list[Computed]:
    level = tree.intervals.levels[0]
    return [hexadecimal(level[32 * i : 32 * (i + 1)]) for i in range(tree.count)]


def _proof(proof: IntervalProof) -> Computed:
    return {"chain": joined(proof.hashes), "values": decimals(proof.values)}


def _stack(frontier: Frontier) -> Computed:
    return {"hashes": _hash_stack(frontier), "heights": _height_stack(frontier)}


def _hash_stack(frontier: Frontier) -> str:
    return ",".join(peak.hex() for peak in frontier.peaks)


def _height_stack(frontier: Frontier) -> str:
    return ",".join(map(str, frontier.heights()))
