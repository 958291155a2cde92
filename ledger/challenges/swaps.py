"""Swap challenges: the order in the set of the token bought, and what the leaf holds for it.

The answer names the start in the order's committed leaf. It is the greatest number exactly when
that leaf carries it: the order was fulfilled with its fulfilment state countersigned, finalised, or
cancelled. Then the contract asks for no price. Otherwise the start is what the leaf's set was
signed with: fixed at placement in carried copies, late fulfilments among them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.challenges.entries import Entry
from ledger.challenges.evidence import (
    SwapEvidence,
    Variant,
    committed_leaf,
    find_wallet,
    object_to_leaf,
    require_state,
)
from ledger.orders.sets import read_sets
from ledger.rules import LedgerRules
from models import Transfer
from protocol.address import Address
from protocol.orders import CLOSED_START, OrderTerms
from protocol.trees.plain import path, verify_path

CLOSED: Final = "the order as closed"
STARTING: Final = "the order with its start {}"


def swap_variants(
    session: Session,
    rules: LedgerRules,
    entry: Entry,
    *,
    sell_token: Address,
    buy_token: Address,
    issuer: Address,
) -> list[Variant]:
    """The start that the committed leaf carries, then the others that an order may have.

    Raises `NothingToShow` without a leaf or a state of the wallet that buys.
    """
    debit = find_wallet(session, sell_token, issuer)
    credit = find_wallet(session, buy_token, issuer)
    leaf = committed_leaf(session, buy_token, credit, entry.initial_state_eon + 1)
    state = require_state(session, leaf)
    copy = session.scalars(
        select(Transfer).where(
            Transfer.swap,
            Transfer.sender_id == debit.id,
            Transfer.recipient_id == credit.id,
            Transfer.eon == entry.initial_state_eon,
            Transfer.nonce == entry.delivered_tx_nonce,
        )
    ).one_or_none()
    key = (credit.id, entry.initial_state_eon)
    entries = read_sets(session, [key]).get(key, [])
    places = [place for place, one in enumerate(entries) if copy and one.transfer_id == copy.id]
    if copy is None or not places:
        return [Variant(STARTING.format("?"), None, ("no order of this nonce is in the set",))]
    index, leaves = places[0], [one.leaf for one in entries]
    siblings = tuple(path(leaves, index))
    terms = OrderTerms(
        sell_token,
        buy_token,
        entry.trail,
        entry.delta_highest_spendings,
        entry.delta_highest_gains,
        entry.delivered_tx_nonce,
    )
    leaf_objections = object_to_leaf(rules, leaf, state, trail=entry.trail)
    variants = []
    for start in _starts(entries[index].start or 0, copy):
        objections = list(leaf_objections)
        if not verify_path(terms.leaf(start), index, siblings, state.tx_set_root):
            objections.append("the order with this start is not in the committed set")
        evidence = SwapEvidence(sell_token, leaf, state, index, siblings, start)
        name = CLOSED if start == CLOSED_START else STARTING.format(start)
        variants.append(Variant(name, evidence, tuple(objections)))
    return variants


def _starts(committed: int, copy: Transfer) -> list[int]:
    """The start by the rules first, then what else a leaf of this order may have carried."""
    others = (CLOSED_START, copy.recipient_starting_balance or 0)
    return list(dict.fromkeys((committed, *others)))
