"""Families of signed messages: signatures, admissions, states, markers, terms, withdrawals."""

from protocol.address import checksum_address
from protocol.encoding import u256
from protocol.keccak import keccak256
from protocol.markers import minimum_available_balance_digest
from protocol.signing import (
    InvalidSignature,
    Signer,
    authorization_digest,
    format_signature,
    parse_signature,
    recover,
    signing_hash,
)
from protocol.states import active_state_digest, admission_digest
from protocol.terms import terms_digest
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, hexadecimal
from protocol.vectors.spelled_terms import accepts_spelled, sign_spelled
from protocol.withdrawals import delegated_withdrawal_digest


def signature(inputs: Inputs) -> Computed:
    """A signature with its intermediate hashes."""
    signer, message = inputs.signer("private_key"), inputs.digest("message")
    signed = signer.sign(message)
    return {
        "address": checksum_address(signer.address),
        "authorization_digest": hexadecimal(authorization_digest(message)),
        "signing_hash": hexadecimal(signing_hash(message)),
        "v": signed[64],
        "r": hexadecimal(signed[:32]),
        "s": hexadecimal(signed[32:64]),
        "wire_signature": format_signature(signed),
    }


def verification(inputs: Inputs) -> Computed:
    """What the original server answers, which differs from ours in two ways: it takes v from 27
    to 34 by their parity, and it ignores the case of address bytes that happen to be letters."""
    inputs.text("kind")
    address, message = inputs.address("address"), inputs.digest("message")
    given = parse_signature(inputs.text("wire_signature"))
    accepts = False
    if 27 <= given[64] <= 34:
        parity = 27 + (given[64] + 1) % 2
        try:
            signer = recover(message, given[:64] + bytes((parity,)))
            accepts = signer.lower() == address.lower()
        except InvalidSignature:
            accepts = False
    return {"original_server_accepts": accepts}


def admission(inputs: Inputs) -> Computed:
    """The empty states that both sides sign at an admission."""
    wallet, operator = _wallet_signer(inputs), inputs.signer("operator_private_key")
    states = [
        admission_digest(
            contract=inputs.address("contract"),
            token=inputs.address("token"),
            wallet=wallet.address,
            trail=trail,
            eon=inputs.integer("eon_number"),
        )
        for trail in (0, inputs.integer("assigned_trail_identifier"))
    ]
    return {
        "wallet_checksum": hexadecimal(states[0]),
        "authorization": format_signature(wallet.sign(states[0])),
        "operator_checksum": hexadecimal(states[1]),
        "operator_authorization": format_signature(operator.sign(states[1])),
    }


def active_state(inputs: Inputs) -> Computed:
    """An active state with both signatures."""
    wallet, operator = _wallet_signer(inputs), inputs.signer("operator_private_key")
    unadmitted = inputs.is_null("trail_identifier")
    digest = active_state_digest(
        contract=inputs.address("contract"),
        token=inputs.address("token"),
        wallet=wallet.address,
        trail=0 if unadmitted else inputs.integer("trail_identifier"),
        eon=inputs.integer("eon_number"),
        tx_set_root=inputs.digest("tx_set_hash"),
        spent=inputs.amount("updated_spendings"),
        gained=inputs.amount("updated_gains"),
    )
    return {
        "checksum": hexadecimal(digest),
        "wallet_signature": format_signature(wallet.sign(digest)),
        "operator_signature": format_signature(operator.sign(digest)),
    }


def marker(inputs: Inputs) -> Computed:
    """A minimum-available-balance marker."""
    wallet = _wallet_signer(inputs)
    digest = minimum_available_balance_digest(
        contract=inputs.address("contract"),
        token=inputs.address("token"),
        wallet=wallet.address,
        eon=inputs.integer("eon_number"),
        amount=inputs.amount("amount"),
    )
    return {
        "checksum": hexadecimal(digest),
        "signature": format_signature(wallet.sign(digest)),
    }


def terms(inputs: Inputs) -> Computed:
    """The terms of service, and how the original's renewal misread them."""
    wallet = _wallet_signer(inputs)
    digest = terms_digest(
        inputs.digest("terms_of_service_digest"), inputs.digest("privacy_policy_digest")
    )
    plain = wallet.sign(digest)
    spelled = sign_spelled(digest, inputs.private_key("wallet_private_key"))
    return {
        "digest": digest.hex(),
        "admission_tos_signature": format_signature(plain),
        "resubmission_endpoint_checksum": digest.hex().encode("ascii").hex(),
        "resubmission_endpoint_accepts_plain_signature": accepts_spelled(
            digest, plain, wallet.address
        ),
        "resubmission_endpoint_accepts_ascii_signature": accepts_spelled(
            digest, spelled, wallet.address
        ),
        "ascii_signature": format_signature(spelled),
    }


def delegated_withdrawal(inputs: Inputs) -> Computed:
    """A delegated withdrawal as the contract verifies it."""
    wallet = _wallet_signer(inputs)
    digest = delegated_withdrawal_digest(
        contract=inputs.address("contract"),
        token=inputs.address("token"),
        holder=wallet.address,
        expiry_block=inputs.amount("expiry"),
        amount=inputs.amount("amount"),
        pending=inputs.amount("already_pending"),
    )
    return {
        "message": hexadecimal(digest),
        "signature": format_signature(wallet.sign(digest)),
    }


def delegated_withdrawal_of_original(inputs: Inputs) -> Computed:
    """What the original's end point verified instead, which the contract refuses."""
    wallet = _wallet_signer(inputs)
    inputs.address("contract")
    digest = keccak256(
        wallet.address
        + inputs.address("token")
        + u256(inputs.amount("amount"))
        + u256(inputs.amount("expiry"))
    )
    return {
        "original_endpoint_message": hexadecimal(digest),
        "original_endpoint_signature": format_signature(wallet.sign(digest)),
    }


def _wallet_signer(inputs: Inputs) -> Signer:
    signer = inputs.signer("wallet_private_key")
    inputs.agree("wallet", inputs.address("wallet"), signer.address)
    return signer
