"""State-update challenges: the wallet's own leaf is the answer, with the state in it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.challenges.entries import Entry
from ledger.challenges.evidence import (
    StateEvidence,
    Variant,
    agreed_state,
    committed_leaf,
    find_wallet,
    object_to_leaf,
    object_to_signatures,
)
from ledger.rules import LedgerRules
from protocol.address import Address


def state_update_variants(
    session: Session, rules: LedgerRules, entry: Entry, *, token: Address, issuer: Address
) -> list[Variant]:
    """The one answer that there is: a checkpoint commits to one leaf and one state of a wallet.

    Raises `NothingToShow` without a leaf.
    """
    wallet = find_wallet(session, token, issuer)
    leaf = committed_leaf(session, token, wallet, entry.initial_state_eon + 1)
    state = agreed_state(session, leaf)
    objections = object_to_leaf(rules, leaf, state, trail=entry.trail)
    if state is None:
        name, spent, gained = "the leaf without a state", 0, 0
    else:
        name, spent, gained = "the leaf and its state", state.spent, state.gained
        objections += object_to_signatures(rules, leaf, state)
        if (spent, gained) == (0, 0) and not rules.edition.answers_zero_totals:
            objections.append("this contract takes a state with totals 0 for none")
    if spent < entry.delta_highest_spendings or gained < entry.delta_highest_gains:
        objections.append("a newer state was countersigned than the one that was committed")
    return [Variant(name, StateEvidence(leaf, state), tuple(objections))]
