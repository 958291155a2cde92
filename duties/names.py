"""Names of workflow types, and ids that tell an operator what a duty is about.

A namespace belongs to one commit-chain, so ids need not name it. An id is derived from facts of
the chain: starting a duty twice finds the one that is there.
"""

from typing import Final

BOOTSTRAP_WORKFLOW: Final = "Bootstrap"
CHAIN_SYNC_WORKFLOW: Final = "ChainSync"
CHALLENGE_WORKFLOW: Final = "Challenge"
EON_WORKFLOW: Final = "Eon"
FUEL_WORKFLOW: Final = "FuelCheck"
RECONCILE_WORKFLOW: Final = "Reconcile"
RETENTION_WORKFLOW: Final = "Retention"
SANITY_WORKFLOW: Final = "Sanity"
TERMS_WORKFLOW: Final = "TermsRefresh"
SLASH_WORKFLOW: Final = "Slash"
TOKEN_REGISTRATION_WORKFLOW: Final = "TokenRegistration"
TRANSACTION_WORKFLOW: Final = "Transaction"
WITHDRAWAL_DESK_WORKFLOW: Final = "WithdrawalDesk"

BOOTSTRAP_ID: Final = "bootstrap"
CHAIN_SYNC_ID: Final = "chain-sync"


def eon_id(eon: int) -> str:
    """The id of an eon's duty: `eon-42`."""
    return f"eon-{eon}"


def token_registration_id(short_name: str, address: str) -> str:
    """The id of a token's registration: `token-LQD-0x...`; `address` is 40 digits."""
    return f"token-{short_name}-0x{address.lower()}"


def withdrawal_desk_id(short_name: str, address: str) -> str:
    """The id of the desk of one wallet of one token: `withdrawal-LQD-0x...`."""
    return f"withdrawal-{short_name}-0x{address.lower()}"


def challenge_id(number: int, sender: str, recipient: str) -> str:
    """The id of a challenge's duty: `challenge-17-0x...`, of a delivery `...-0x...-to-0x...`.

    `number` is its row: one pair may be challenged several times in an eon.
    """
    who = f"0x{sender.lower()}"
    if sender.lower() != recipient.lower():
        who += f"-to-0x{recipient.lower()}"
    return f"challenge-{number}-{who}"


def slash_id(short_name: str, address: str, eon: int, number: int = 1) -> str:
    """The id of the slash decided in `eon`: `slash-LQD-0x...-e5`, then `slash-LQD-0x...-e5-2`."""
    again = "" if number == 1 else f"-{number}"
    return f"slash-{short_name}-0x{address.lower()}-e{eon}{again}"


def transaction_id(key: str) -> str:
    """The id of an on-chain transaction by its intent's key: `tx-checkpoint-43-r1`."""
    return f"tx-{key}"


def checkpoint_key(eon: int, revision: int) -> str:
    """The key of the intent that submits the checkpoint of `eon`."""
    return f"checkpoint-{eon}-r{revision}"


def repair_key(nonce: int, block: int) -> str:
    """The key of the intent that uses up a nonce which nobody of ours holds, found at `block`."""
    return f"repair-{nonce}-b{block}"


def registration_key(address: str, revision: int) -> str:
    """The key of the intent that registers a token; `address` is 40 digits."""
    return f"register-0x{address.lower()}-r{revision}"


def confirmation_key(short_name: str, address: str, newest_request: int, revision: int) -> str:
    """The key of the intent that pays a wallet's requests up to row `newest_request`."""
    return f"withdrawal-{short_name}-0x{address.lower()}-{newest_request}-r{revision}"


def answer_key(number: int, revision: int) -> str:
    """The key of the intent that answers challenge `number`."""
    return f"answer-{number}-r{revision}"


def slash_key(slash_workflow: str, revision: int) -> str:
    """The key of the intent that slashes: the id of its duty, then the revision."""
    return f"{slash_workflow}-r{revision}"


def delegation_key(short_name: str, address: str, number: int) -> str:
    """The key of the intent that requests a withdrawal for a wallet; `number` is its row."""
    return f"request-{short_name}-0x{address.lower()}-{number}"


def cover_key(short_name: str, number: int) -> str:
    """The key of the intent that pays into the pool; `number` is the order's row."""
    return f"cover-{short_name}-{number}"


def refresh_key(short_name: str, eon: int) -> str:
    """The key of the intent that keeps a token's pending total recorded in `eon`."""
    return f"refresh-{short_name}-e{eon}"
