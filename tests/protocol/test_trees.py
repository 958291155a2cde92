"""Trees: growing equals rebuilding, every proof verifies, no altered one does, no gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import ZERO_HASH, u256
from protocol.trees import plain
from protocol.trees.balance import (
    BalanceLeaves,
    BalanceTree,
    InvalidLevels,
    inner_digest,
    padding_hashes,
    verify_balance_proof,
)
from protocol.trees.interval import IntervalTree, InvalidIntervals, prove
from protocol.trees.passive import (
    PassiveLeaf,
    passive_proof,
    passive_root,
    passive_tree,
    verify_passive_proof,
)
from protocol.trees.tokens import checkpoint_root, membership_path, token_leaf
from protocol.trees.transaction_set import EMPTY, Frontier, InvalidFrontier

CONTRACT, TOKEN = b"c" * 20, b"t" * 20
digests = st.binary(min_size=32, max_size=32)
sets = st.lists(digests, max_size=40)
nonempty_sets = st.lists(digests, min_size=1, max_size=40)
# Empty stretches are common: wallets without money, receipts of nothing.
widths = st.lists(st.one_of(st.just(0), st.integers(0, 2**240)), max_size=24)


def frontier_of(leaves: list[bytes]) -> Frontier:
    frontier = EMPTY
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier


@given(sets)
def test_appending_leaf_by_leaf_gives_the_root_of_rebuilding(leaves: list[bytes]) -> None:
    assert frontier_of(leaves).root() == plain.root(leaves)


@given(sets, digests, digests)
def test_the_newest_leaf_can_be_replaced_without_rebuilding(
    leaves: list[bytes], first: bytes, then: bytes
) -> None:
    before = frontier_of(leaves)
    assert before.root_with(first) == plain.root([*leaves, first])
    assert before.root_with(then) == before.append(then).root() == plain.root([*leaves, then])


@given(sets, digests)
def test_the_path_of_the_next_leaf_fits_its_root(leaves: list[bytes], leaf: bytes) -> None:
    before = frontier_of(leaves)
    assert before.path_with() == plain.path([*leaves, leaf], len(leaves))
    assert plain.verify_path(leaf, before.count, before.path_with(), before.root_with(leaf))


@given(sets)
def test_a_stored_frontier_is_read_back_and_names_its_peaks(leaves: list[bytes]) -> None:
    frontier = frontier_of(leaves)
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier
    assert sum(2**height for height in frontier.heights()) == len(leaves)
    with pytest.raises(InvalidFrontier):
        Frontier.from_bytes(frontier.to_bytes() + bytes(32))


@given(nonempty_sets, st.data())
def test_plain_proofs_verify_and_altered_ones_do_not(
    leaves: list[bytes], data: st.DataObject
) -> None:
    tree = plain.PlainTree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = tree.path(index)
    assert plain.verify_path(leaves[index], index, path, tree.root)
    assert not plain.verify_path(flip(leaves[index], data), index, path, tree.root)
    assert not plain.verify_path(leaves[index], index + (1 << len(path)), path, tree.root)
    assert not plain.verify_path(leaves[index], index, [*path, ZERO_HASH], tree.root)
    for place in range(len(path)):
        spoiled = [flip(h, data) if i == place else h for i, h in enumerate(path)]
        assert not plain.verify_path(leaves[index], index, spoiled, tree.root)


@given(nonempty_sets, st.data())
def test_a_token_commitment_is_proven_in_the_checkpoint(
    roots: list[bytes], data: st.DataObject
) -> None:
    leaves = [token_leaf(root, bound) for bound, root in enumerate(roots)]
    trail = data.draw(st.integers(0, len(leaves) - 1))
    path = membership_path(leaves, trail)
    assert plain.verify_path(leaves[trail], trail, path, checkpoint_root(leaves))
    assert token_leaf(roots[trail], trail + 1) != leaves[trail]


def balance_tree(balances: list[int]) -> tuple[BalanceTree, list[bytes]]:
    leaves = BalanceLeaves(contract=CONTRACT, token=TOKEN)
    inner = []
    for position, balance in enumerate(balances):
        wallet, active = position.to_bytes(20, "big"), u256(position)
        leaves.add(wallet, balance, active_digest=active, passive_amount=position)
        inner.append(
            inner_digest(
                contract=CONTRACT,
                token=TOKEN,
                wallet=wallet,
                active_digest=active,
                passive_root=ZERO_HASH,
                passive_amount=position,
                passive_marker=0,
            )
        )
    return leaves.tree(), inner


@given(widths)
def test_allotments_tile_the_line_without_gap(balances: list[int]) -> None:
    tree, _ = balance_tree(balances)
    edge = 0
    for index, balance in enumerate(balances):
        left, right = tree.interval(index)
        assert (left, right - left) == (edge, balance)
        edge = right
    assert tree.upper_bound == edge == sum(balances)
    with pytest.raises(plain.NoSuchLeaf):
        tree.interval(len(balances))


@given(widths.filter(bool), st.data())
def test_balance_proofs_verify_and_altered_ones_do_not(
    balances: list[int], data: st.DataObject
) -> None:
    tree, inner = balance_tree(balances)
    index = data.draw(st.integers(0, len(balances) - 1))
    (left, right), (hashes, values) = tree.interval(index), tree.proof(index)

    def verifies(**changed: object) -> bool:
        proof = {
            "inner": inner[index], "left": left, "right": right, "index": index,
            "hashes": hashes, "values": values, "root": tree.root,
            "upper_bound": tree.upper_bound,
        }  # fmt: skip
        return verify_balance_proof(**(proof | changed))  # type: ignore[arg-type]

    assert verifies()
    assert not verifies(inner=flip(inner[index], data))
    assert not verifies(left=left + 1) and not verifies(right=right + 1)
    assert not verifies(index=index + (1 << len(hashes)))
    assert not verifies(upper_bound=tree.upper_bound + 1)
    assert not verifies(hashes=hashes[1:]) or not hashes
    for place in range(len(hashes)):
        assert not verifies(
            hashes=[flip(h, data) if i == place else h for i, h in enumerate(hashes)]
        )
        for step in (-1, 1):
            assert not verifies(values=[v + step * (i == place) for i, v in enumerate(values)])


@given(widths)
def test_stored_levels_prove_like_the_tree_they_came_from(balances: list[int]) -> None:
    tree, _ = balance_tree(balances)
    again = BalanceTree.levels_from_bytes(tree.levels_to_bytes())
    edges, *levels = tree.levels_to_bytes()
    padding = padding_hashes(tree.upper_bound, len(levels) - 1)

    def hash_at(height: int, position: int) -> bytes:
        return levels[height][32 * position : 32 * (position + 1)] or padding[height]

    def edge_at(position: int) -> int:
        return int.from_bytes(edges[32 * position : 32 * (position + 1)], "big")

    assert again.root == tree.root
    for index in range(len(balances)):
        assert again.proof(index) == tree.proof(index)
        assert prove(tree.count, index, hash_at=hash_at, edge_at=edge_at) == tree.proof(index)
    with pytest.raises(InvalidLevels):
        BalanceTree.levels_from_bytes([edges, *levels, bytes(32)])


def receipts(amounts: list[int]) -> list[PassiveLeaf]:
    leaves, edge = [], 0
    for position, amount in enumerate(amounts):
        leaves.append(PassiveLeaf(u256(position + 1), edge, edge + amount))
        edge += amount
    return leaves


@given(widths.filter(bool), st.data())
def test_passive_proofs_verify_and_altered_ones_do_not(
    amounts: list[int], data: st.DataObject
) -> None:
    leaves = receipts(amounts)
    root, total = passive_root(leaves), sum(amounts)
    index = data.draw(st.integers(0, len(leaves) - 1))
    leaf, (hashes, values) = leaves[index], passive_proof(leaves, index)
    assert verify_passive_proof(leaf, index, hashes, values, root=root, passive_amount=total)
    spoiled_leaf = leaf._replace(digest=flip(leaf.digest, data))
    assert not verify_passive_proof(
        spoiled_leaf, index, hashes, values, root=root, passive_amount=total
    )
    for place in range(len(hashes)):
        spoiled = [flip(h, data) if i == place else h for i, h in enumerate(hashes)]
        assert not verify_passive_proof(
            leaf, index, spoiled, values, root=root, passive_amount=total
        )
        moved = [v + (i == place) for i, v in enumerate(values)]
        assert not verify_passive_proof(leaf, index, hashes, moved, root=root, passive_amount=total)


def test_receipts_of_nothing_commit_to_a_root_and_no_receipts_to_zero() -> None:
    assert passive_root([]) == ZERO_HASH
    assert passive_root(receipts([0])) == receipts([0])[0].digest != ZERO_HASH
    assert passive_tree(receipts([0, 0])).upper_bound == 0


def test_receipts_with_a_gap_are_refused() -> None:
    with pytest.raises(InvalidIntervals, match="without gap"):
        passive_root([PassiveLeaf(ZERO_HASH, 0, 5), PassiveLeaf(ZERO_HASH, 6, 7)])


def test_an_interval_tree_begins_at_zero_and_has_one_edge_more_than_leaves() -> None:
    for leaves, edges in ((ZERO_HASH, u256(1) + u256(2)), (ZERO_HASH, u256(0))):
        with pytest.raises(InvalidIntervals):
            IntervalTree.build(leaves, edges, ZERO_HASH)


def flip(digest: bytes, data: st.DataObject) -> bytes:
    """Change one bit."""
    bit = data.draw(st.integers(0, 255))
    return (int.from_bytes(digest, "big") ^ (1 << bit)).to_bytes(32, "big")
