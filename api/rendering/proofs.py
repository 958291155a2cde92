"""Signed states, admissions and proofs as the wire's objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.reading.values import DeliveryProof, Registration, SignedState, WalletProof
from protocol.encoding import ZERO_HASH


def prefixed(digests: Iterable[bytes]) -> list[str]:
    """Write the digests of a proof: with `0x`, unlike those inside a state."""
    return [f"0x{digest.hex()}" for digest in digests]


def decimals(values: Iterable[int]) -> list[str]:
    """Write amounts as texts: a JSON number would lose digits."""
    return [str(value) for value in values]


def decimal(value: int | None) -> str | None:
    """Write an amount that may be absent."""
    return None if value is None else str(value)


def _checksum(digest: bytes | None) -> str:
    """Write a digest of a leaf; zeros stand for what the wallet did not do."""
    return f"0x{(digest or ZERO_HASH).hex()}"


def registration(fact: Registration) -> dict[str, Any]:
    """The Admission object."""
    operator = fact.operator_authorization
    return {
        "eon_number": fact.eon,
        "authorization": fact.authorization.hex(),
        "operator_authorization": None if operator is None else operator.hex(),
        "trail_identifier": fact.trail,
    }


def concise_state(fact: SignedState) -> dict[str, Any]:
    """The ConciseActiveState object."""
    operator = fact.operator_signature
    return {
        "wallet_signature": fact.wallet_signature.hex(),
        "operator_signature": None if operator is None else operator.hex(),
        "updated_spendings": str(fact.spent),
        "updated_gains": str(fact.gained),
        "tx_set_hash": fact.tx_set_hash.hex(),
    }


def active_state(fact: SignedState | None) -> dict[str, Any] | None:
    """The ActiveState object."""
    if fact is None:
        return None
    return concise_state(fact) | {
        "tx_set_proof": prefixed(fact.tx_set_proof),
        "tx_set_index": fact.tx_set_index,
    }


def wallet_proof(fact: WalletProof | None) -> dict[str, Any] | None:
    """The Proof object. Its passive members and its state describe the eon before."""
    if fact is None:
        return None
    leaf = fact.allotment
    return {
        "eon_number": leaf.eon,
        "left": str(leaf.left),
        "right": str(leaf.right),
        "allotment_chain": prefixed(leaf.hashes),
        "membership_chain": prefixed(leaf.membership_hashes),
        "values": decimals(leaf.values),
        "trail": leaf.trail,
        "active_state_checksum": _checksum(leaf.active_state_digest),
        "active_state": None if fact.active_state is None else concise_state(fact.active_state),
        "passive_checksum": _checksum(leaf.passive_root),
        "passive_amount": str(leaf.passive_amount),
        "passive_marker": str(leaf.passive_marker),
    }


def delivery_proof(fact: DeliveryProof | None) -> dict[str, Any] | None:
    """The DeliveryProof object; wallets refuse a null `merkle_proof`, so it is left out instead."""
    if fact is None:
        return None
    membership = {
        "transfer_membership_chain": prefixed(fact.chain),
        "transfer_membership_trail": fact.trail,
        "transfer_membership_values": None if fact.values is None else decimals(fact.values),
    }
    if fact.wallet_proof is None:
        return membership
    return {"merkle_proof": wallet_proof(fact.wallet_proof), **membership}
