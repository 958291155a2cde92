"""The money that the contract holds for a token's wallets, recomputed from confirmed events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

# Deposits count by their block: one that waited for its owner's registration is credited in a
# later eon than it arrived. Requests count whether paid or not: a payment is their other half.
# One that is being slashed does not count: its leaf does not leave it out either.
_FUNDS: Final = text("""
SELECT (
    SELECT COALESCE(sum(d.amount), 0) FROM deposit d JOIN wallet w ON w.id = d.wallet_id
    WHERE w.token_id = :token AND d.block <= :block
) + (
    SELECT COALESCE(sum(o.amount), 0) FROM orphan_deposit o
    WHERE o.token_id = :token AND o.block <= :block AND o.deposit_id IS NULL
) + (
    SELECT COALESCE(sum(c.amount), 0) FROM cover c JOIN transaction_intent i ON i.id = c.intent_id
    WHERE c.token_id = :token AND i.state = 'confirmed' AND (i.result->>'block')::bigint <= :block
) - (
    SELECT COALESCE(sum(r.amount), 0) FROM withdrawal_request r
    WHERE r.token_id = :token AND r.block <= :block AND r.status NOT IN ('slashed', 'slash_queued')
)
""")


def managed_funds(connection: Connection, token_id: int, last_block: int) -> int:
    """Sum up a token's money at the end of `last_block`, in base units.

    That is every deposit, of strangers too, and what covered over-claims, less every request that
    is not slashed. The contract still counts a request whose slash is on its way, so such a slash
    goes before the checkpoint.
    """
    funds: int = connection.execute(_FUNDS, {"token": token_id, "block": last_block}).scalar_one()
    return funds
