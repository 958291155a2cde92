"""What a reverted call means: the contract's reasons, function by function.

One-letter reasons are part of the interface and are the same in both editions; the same letter
says different things in different calls. Where the published contract refuses without a reason,
the hardened one gives a word.
"""

import re
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from chain.errors import CallReverted

_ERROR_SELECTOR = bytes.fromhex("08c379a0")
_PANIC_SELECTOR = bytes.fromhex("4e487b71")
_HEX = re.compile(r"0x([0-9a-fA-F]*)")
_MESSAGE = re.compile(r"revert(?:ed)?:? +(?:with reason string )?'?([a-z]+|\S)'?$", re.IGNORECASE)

_ALLOTMENT = {
    "r": "no checkpoint of that eon is on chain",
    "m": "the proof does not lead to the committed root",
    "s": "the proof's interval is inverted",
    "x": "a sibling interval is out of order",
    "t": "an interval is inverted on the way up, or the token is not registered",
    "l": "the proof's left edge is not 0 at the top",
    "p": "proof arrays of different length",
    "b": "the checkpoint allots more than the contract holds for it",
    "A": "a state's signature is not by its signer",
    "B": "the committed balance is too small for the challenged state",
}

_CHALLENGE = {
    **_ALLOTMENT,
    "": "too early in the eon, or the entry is open or was used in this eon",
    "p": "the commit-chain is halted, or proof arrays of different length",
    "r": "the bond is too small, or no checkpoint of that eon is on chain",
    "A": "the operator did not sign that state",
    "d": "the caller is neither party of the transfer, or both parties are one",
    "e": "the transfer or order is not in the set",
}

_MEANINGS: dict[str, dict[str, str]] = {
    "challengeStateUpdateWithProofOfExclusiveBalanceAllotment": _CHALLENGE,
    "challengeStateUpdateWithProofOfActiveStateUpdateAgreement": _CHALLENGE,
    "challengeTransferDeliveryWithProofOfActiveStateUpdateAgreement": _CHALLENGE,
    "challengeTransferDeliveryWithProofOfPassiveStateUpdate": _CHALLENGE,
    "challengeSwapEnactmentWithProofOfActiveStateUpdateAgreement": {
        **_CHALLENGE,
        "d": "the committed balance is below what the order left",
    },
    "registerERC20": {"": "not the operator, or a token that cannot be registered (again)"},
    "deposit": {
        "p": "the commit-chain is halted",
        "t": "the token is not registered",
        "m": "ether was sent with a token deposit",
        "f": "the token refused the transfer or moved another amount",
    },
    "submitCheckpoint": {
        "": "not the operator",
        "p": "the commit-chain is halted",
        "b": "the accumulator of the previous eon is another one now",
        "c": "challenges of the previous eon are unanswered",
        "d": "a checkpoint of this eon is already on chain",
    },
    "requestWithdrawal": {
        **_ALLOTMENT,
        "p": "the commit-chain is halted, or proof arrays of different length",
        "r": "the fee is too small, or no checkpoint of the previous eon is on chain",
        "b": "above the allotment less open requests, or above what the contract holds",
    },
    "requestAuthorizedWithdrawal": {
        "": "the authorisation expired",
        "p": "the commit-chain is halted",
        "a": "the authorisation's signature is wrong or was used before",
        "t": "the token is not registered",
        "b": "above what the contract holds",
    },
    "requestDelegatedWithdrawal": {
        "": "not the operator, or the authorisation expired",
        "p": "the commit-chain is halted",
        "a": "the authorisation's signature is wrong or was used before",
        "t": "the token is not registered",
        "b": "above what the contract holds",
    },
    "confirmWithdrawal": {
        "": "the holder or the token refused the payment",
        "p": "the commit-chain is halted",
        "f": "the token refused the payment",
        "-": "the pending total is smaller than the payment",
    },
    "slashWithdrawalWithProofOfMinimumAvailableBalance": {
        "": "the marker is not the holder's, or covers all open requests, or not the operator",
        "p": "the commit-chain is halted",
        "m": "the marker's eon is too old or not yet here",
    },
    "answerStateUpdateChallenge": {
        **_ALLOTMENT,
        "": "no such open challenge, or its deadline has passed",
        "x": "the state is older than the challenged one, or a sibling interval is out of order",
    },
    "answerTransferDeliveryChallengeWithProofOfActiveStateUpdateAgreement": {
        **_ALLOTMENT,
        "": "no such open challenge, its deadline has passed, or the transfer is not in the set",
    },
    "answerTransferDeliveryChallengeWithProofOfPassiveStateUpdate": {
        **_ALLOTMENT,
        "": "no such open challenge, its deadline has passed, or the transfer is another one",
        "n": "the passive root is another one",
    },
    "answerSwapChallengeWithProofOfExclusiveBalanceAllotment": {
        **_ALLOTMENT,
        "": "no such open challenge, its deadline has passed, or the bought balance is too small",
        "M": "the order is not in the set with that starting balance",
        "v": "refund and grant do not fit the order's price",
    },
    "getTokenAtTrail": {"": "no token has that trail"},
}
_WORDS = {
    "operator": "not the operator",
    "known": "the token is registered already, or is the contract itself",
    "code": "there is no code at the token's address",
    "expired": "the authorisation has expired",
    "marker": "the marker is not signed by the holder",
    "covered": "the marker covers all open requests",
    "zero": "an address is zero",
    "reentrant": "a call from within another call of the contract",
    "gas": "too little gas was sent along",
    "early": "challenges open after the slack period, and not in the first eon",
    "open": "a challenge about this is open",
    "used": "this was challenged in this eon already",
    "none": "no open challenge that this answers",
    "late": "the deadline of the answer has passed",
    "amount": "the leaf counts less than the passive tree holds",
    "eon": "an eon of that length cannot be operated",
    "+": "an addition overflows",
    "-": "a subtraction goes below zero",
    "*": "a multiplication overflows",
    "/": "a division by zero",
    "%": "a division by zero",
}
_PANICS = {
    0x01: "an internal assertion failed",
    0x11: "an arithmetic overflow or underflow",
    0x12: "a division by zero",
    0x21: "a value outside its enumeration",
    0x31: "removal from an empty list",
    0x32: "an index out of range",
    0x41: "too much memory",
}


def revert_data(raw: Any) -> bytes:
    """Revert data out of a node's error: plain hex, prefixed hex, or nested in an object."""
    if isinstance(raw, dict):
        raw = raw.get("data")
    if not isinstance(raw, str):
        return b""
    found = _HEX.search(raw)
    return bytes.fromhex(found[1]) if found and len(found[1]) % 2 == 0 else b""


def _reason(data: bytes, message: str) -> str:
    if data.startswith(_ERROR_SELECTOR):
        try:
            return str(decode(["string"], data[4:])[0])
        except (DecodingError, OverflowError, UnicodeDecodeError):
            return ""
    found = _MESSAGE.search(message)
    return found[1] if found and not data else ""


def name_revert(function: str, raw_data: Any, message: str = "") -> CallReverted:
    """The named error for a revert of `function` (ABI name).

    `raw_data` is the node's `data` member in whichever shape the node uses, `message` its text,
    of which only the final word is read, and only if there are no data.
    """
    data = revert_data(raw_data)
    if data.startswith(_PANIC_SELECTOR) and len(data) == 36:
        code = int.from_bytes(data[4:], "big")
        return CallReverted(function, "", _PANICS.get(code, f"panic {code:#x}"), data)
    reason = _reason(data, message)
    meaning = _MEANINGS.get(function, {}).get(reason) or _WORDS.get(reason)
    if meaning is None:
        meaning = "an unlisted reason" if reason else "the contract gave no reason"
    return CallReverted(function, reason, meaning, data)
