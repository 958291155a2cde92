"""Delivery challenges: the transfer is in the recipient's receipts, or in the set it signed.

A challenge names a passive transfer by its tag, the hash of position and nonce. The sender signed
its newest leaf before the position was known, so both the true position and the greatest number
may stand in the tag.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.challenges.entries import Entry
from ledger.challenges.evidence import (
    ActiveDeliveryEvidence,
    CommittedLeaf,
    NothingToShow,
    PassiveDeliveryEvidence,
    Variant,
    agreed_state,
    committed_leaf,
    find_wallet,
    object_to_leaf,
    require_state,
)
from ledger.orders.sets import read_sets
from ledger.proofs import receipt_proofs
from ledger.rules import LedgerRules
from models import Transfer, Wallet
from protocol.address import Address
from protocol.transfers import LAST_POSITION, transfer_leaf, transfer_tag
from protocol.trees.passive import PassiveLeaf, verify_passive_proof
from protocol.trees.plain import path, verify_path

PASSIVE: Final = "the transfer in the recipient's receipts"
ACTIVE: Final = "the transfer in the set that the recipient signed"


def delivery_variants(
    session: Session,
    rules: LedgerRules,
    entry: Entry,
    *,
    token: Address,
    sender: Address,
    recipient: Address,
) -> list[Variant]:
    """Both forms of the answer, as far as the ledger has them; raises `NothingToShow` without a
    leaf of the recipient."""
    payer, payee = find_wallet(session, token, sender), find_wallet(session, token, recipient)
    leaf = committed_leaf(session, token, payee, entry.initial_state_eon + 1)
    return [
        _passively(session, rules, entry, leaf, payer, payee),
        _actively(session, rules, entry, leaf, payer, payee),
    ]


def _passively(
    session: Session,
    rules: LedgerRules,
    entry: Entry,
    leaf: CommittedLeaf,
    payer: Wallet,
    payee: Wallet,
) -> Variant:
    found = _tagged(session, entry, payer, payee)
    if found is None:
        return Variant(PASSIVE, None, ("no receipt has this tag and amount",))
    position = found.position or 0
    proof = receipt_proofs(session, [found.id])[found.id]
    edges = proof.values or ()
    receipt = PassiveLeaf(
        transfer_leaf(
            counterparty=bytes(payer.address),
            amount=found.amount,
            recipient_trail=payee.trail_identifier or 0,
            position=position,
            nonce=found.nonce,
        ),
        position,
        position + found.amount,
    )
    # A passive answer shows the digest of the leaf's state, not the state.
    state = agreed_state(session, leaf)
    objections = object_to_leaf(rules, leaf, state, trail=entry.trail)
    if not verify_passive_proof(
        receipt,
        proof.index,
        proof.hashes,
        edges,
        root=leaf.proof.passive_root or b"",
        passive_amount=leaf.proof.passive_amount,
    ):
        objections.append("the receipt is not under the committed passive root")
    if (
        entry.delivered_tx_nonce != transfer_tag(position, found.nonce)
        and not rules.edition.accepts_last_passive_leaf
    ):
        objections.append("this contract knows no answer to the tag of a newest leaf")
    evidence = PassiveDeliveryEvidence(
        leaf, proof.index, proof.hashes, edges, position, found.nonce
    )
    return Variant(PASSIVE, evidence, tuple(objections))


def _tagged(session: Session, entry: Entry, payer: Wallet, payee: Wallet) -> Transfer | None:
    """The receipt that a tag names: the hash of its position, or of the greatest, and its nonce."""
    receipts = session.scalars(
        select(Transfer).where(
            Transfer.recipient_id == payee.id,
            Transfer.eon == entry.initial_state_eon,
            Transfer.sender_id == payer.id,
            Transfer.amount == entry.final_state_balance,
            Transfer.passive,
            ~Transfer.voided,
        )
    )
    for receipt in receipts:
        for position in (receipt.position or 0, LAST_POSITION):
            if transfer_tag(position, receipt.nonce) == entry.delivered_tx_nonce:
                return receipt
    return None


def _actively(
    session: Session,
    rules: LedgerRules,
    entry: Entry,
    leaf: CommittedLeaf,
    payer: Wallet,
    payee: Wallet,
) -> Variant:
    found = session.scalars(
        select(Transfer).where(
            Transfer.recipient_id == payee.id,
            Transfer.eon == entry.initial_state_eon,
            Transfer.nonce == entry.delivered_tx_nonce,
            Transfer.sender_id == payer.id,
            Transfer.amount == entry.final_state_balance,
            ~Transfer.passive,
            ~Transfer.swap,
            Transfer.appended,
            ~Transfer.voided,
        )
    ).one_or_none()
    if found is None:
        return Variant(ACTIVE, None, ("no signed receipt has this nonce and amount",))
    try:
        state = require_state(session, leaf)
    except NothingToShow as nothing:
        return Variant(ACTIVE, None, (str(nothing),))
    key = (payee.id, entry.initial_state_eon)
    entries = read_sets(session, [key])[key]
    index = next(i for i, one in enumerate(entries) if one.transfer_id == found.id)
    siblings = tuple(path([one.leaf for one in entries], index))
    objections = object_to_leaf(rules, leaf, state, trail=entry.trail)
    if not verify_path(entries[index].leaf, index, siblings, state.tx_set_root):
        objections.append("the transfer is not in the set that the leaf commits to")
    return Variant(ACTIVE, ActiveDeliveryEvidence(leaf, state, index, siblings), tuple(objections))
