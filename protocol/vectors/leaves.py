"""Families of leaves: transfers and orders."""

from protocol.orders import OrderTerms, credit_start
from protocol.signing import format_signature
from protocol.transfers import (
    LAST_POSITION,
    tagged_transfer_leaf,
    transfer_tag,
)
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, InvalidVector, hexadecimal

_VIEWS = ("sender", "recipient")


def transfer(inputs: Inputs) -> Computed:
    """A transfer as a leaf of its sender's set or its recipient's passive tree."""
    parties = {view: inputs.address(view) for view in _VIEWS}
    counterparty = parties["recipient" if _view(inputs) == "sender" else "sender"]
    nonce = inputs.amount("nonce")
    position = None if inputs.is_null("position") else inputs.amount("position")
    is_last = inputs.flag("is_last_transfer")
    is_newest = not inputs.flag("has_sender_finalization_state") and is_last
    tag, passive = nonce, inputs.flag("passive")
    if passive:
        position = LAST_POSITION if position is None or is_newest else position
        tag = transfer_tag(position, nonce)
    leaf = tagged_transfer_leaf(
        counterparty=counterparty,
        amount=inputs.amount("amount"),
        recipient_trail=inputs.integer("recipient_trail_identifier"),
        tag=tag,
    )
    if not passive:
        return {"leaf": hexadecimal(leaf)}
    return {
        "leaf": hexadecimal(leaf),
        "tag": hexadecimal(tag.to_bytes(32, "big")),
        "hashed_position": str(position),
    }


def swap(inputs: Inputs) -> Computed:
    """An order as a leaf of its debit or credit wallet's set."""
    inputs.address("wallet")
    start, fulfilled = inputs.amount("starting_balance"), inputs.flag("complete")
    frozen = inputs.flag("cancelled")
    signed = inputs.flag("has_recipient_cancellation_state")
    being_signed = inputs.flag("assume_cancellation_state_exists")
    if _view(inputs) == "recipient":
        start = credit_start(
            start,
            fixed_start=None,
            fulfilled=fulfilled,
            cancelled=frozen and (signed or being_signed),
            is_last=True,
        )
    terms = OrderTerms(
        sell_token=inputs.address("sell_token"),
        buy_token=inputs.address("buy_token"),
        recipient_trail=inputs.integer("recipient_trail_identifier"),
        amount=inputs.amount("amount"),
        amount_swapped=inputs.amount("amount_swapped"),
        nonce=inputs.amount("nonce"),
    )
    return {"leaf": hexadecimal(terms.leaf(start))}


def swap_freeze(inputs: Inputs) -> Computed:
    """The message that stops an order's matching."""
    signer = inputs.signer("wallet_private_key")
    if inputs.has("wallet"):
        inputs.agree("wallet", inputs.address("wallet"), signer.address)
    terms = OrderTerms(
        sell_token=inputs.address("sell_token"),
        buy_token=inputs.address("buy_token"),
        recipient_trail=0,
        amount=0,
        amount_swapped=0,
        nonce=inputs.amount("nonce"),
    )
    digest = terms.freeze_digest()
    return {
        "checksum": hexadecimal(digest),
        "freezing_signature": format_signature(signer.sign(digest)),
    }


def _view(inputs: Inputs) -> str:
    view = inputs.text("view")
    if view not in _VIEWS:
        raise InvalidVector(f"inputs.view: unknown view {view!r}")
    return view
