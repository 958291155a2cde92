"""What each error code means and what to do about it: the source of the page of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api.codes import ErrorCode, FormCode, HeaderCode

Code = ErrorCode | FormCode | HeaderCode


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request is refused with a code, and the cure."""

    cause: str
    cure: str


_RESERVED: Final = "Reserved: nothing raises it any more. The name is kept so that no other code"
_NEVER: Final = Explanation(f"{_RESERVED} takes its place.", "None is needed.")
_SIGN_AGAIN: Final = (
    "Read the wallet's state again, rebuild the state to be signed from it, sign and repeat."
)
_OWNERS: Final = "Sign with the key of the wallet's address, over the digest of this commit-chain."
_ORDERS_ROWS: Final = (
    "Read the order's rows with `GET /audit/transactions/?tx_id=…` and sign one for each row from "
    "the current eon on."
)
_READ_ORDER: Final = "Read the order with `GET /audit/transactions/<id>/`; there is nothing to do."

INTRODUCTION: Final = """# Error codes

What the codes in error answers mean and what to do. A code stands in an item `{"message", "code"}`;
the message is for people and may change. Fields that are wrong have items under their names (shape
A), rules over the whole body under `non_field_errors` (shape B), rules of the ledger in a bare list
(shape C). A refusal has changed nothing. Answers without a code carry `{"detail"}`: with 429 and
503 and their `Retry-After` nothing has happened, and a later try may succeed."""

EXPLANATIONS: Final[dict[Code, Explanation]] = {
    ErrorCode.INVALID_OPERATOR_SIGNATURE: _NEVER,
    ErrorCode.INVALID_DEBIT_SIGNATURE: Explanation(
        "The sending wallet's new active state for the current eon is not signed by its owner: "
        "another key, or other values than the operator computes (set of transactions, spent, "
        "gained, trail, eon).",
        _SIGN_AGAIN,
    ),
    ErrorCode.INVALID_CREDIT_SIGNATURE: Explanation(
        "The receiving wallet's active state for the current eon is not signed by its owner.",
        _SIGN_AGAIN,
    ),
    ErrorCode.INVALID_CREDIT_FULFILLMENT_SIGNATURE: Explanation(
        "The receiving wallet's state for a complete match in the current eon is not signed.",
        _SIGN_AGAIN,
    ),
    ErrorCode.INVALID_FUTURE_DEBIT_SIGNATURE: Explanation(
        "As INVALID_DEBIT_SIGNATURE, for a later eon of an order.", _SIGN_AGAIN
    ),
    ErrorCode.INVALID_FUTURE_CREDIT_SIGNATURE: Explanation(
        "As INVALID_CREDIT_SIGNATURE, for a later eon of an order.", _SIGN_AGAIN
    ),
    ErrorCode.INVALID_FUTURE_CREDIT_FULFILLMENT_SIGNATURE: Explanation(
        "As INVALID_CREDIT_FULFILLMENT_SIGNATURE, for a later eon of an order.", _SIGN_AGAIN
    ),
    ErrorCode.INVALID_DEBIT_BALANCE_SIGNATURE: Explanation(
        "The sending wallet's minimum available balance marker is not signed by its owner: its "
        "message names contract, token, wallet, eon and `debit_balance`, which is 0 in an order.",
        "Sign the marker over exactly the amount that is sent with it, for that eon.",
    ),
    ErrorCode.INVALID_CREDIT_BALANCE_SIGNATURE: Explanation(
        "The receiving wallet's marker of 0 is not signed by its owner.",
        "Sign a marker of amount 0 for each eon of the order.",
    ),
    ErrorCode.INVALID_ADMISSION_SIGNATURE: Explanation(
        "The registration is not signed over the empty state with trail 0 of an eon that is open: "
        "the current one, or the one before until its checkpoint is made.",
        "Read `latest.eon_number` from `GET /audit/`, sign that eon and repeat.",
    ),
    ErrorCode.INVALID_FREEZING_SIGNATURE: Explanation(
        "The freezing message (both tokens and the order's nonce) is not signed by its owner.",
        _OWNERS,
    ),
    ErrorCode.MISSING_FREEZING_SIGNATURE: Explanation(
        "The order counts as cancelled and yet carries no freezing signature.",
        "Freeze it first, then cancel it.",
    ),
    ErrorCode.WRONG_NUMBER_OF_DEBIT_SIGNATURES: Explanation(
        "The list for the sending wallet has another length than the order has rows left.",
        _ORDERS_ROWS,
    ),
    ErrorCode.WRONG_NUMBER_OF_CREDIT_SIGNATURES: Explanation(
        "The list for the receiving wallet has another length than the order has rows left.",
        _ORDERS_ROWS,
    ),
    ErrorCode.WRONG_NUMBER_OF_SIGNATURES: Explanation(
        "The five lists of an order have different lengths, or are empty.",
        "Send one signature of each kind for each eon of the order.",
    ),
    ErrorCode.TOO_MANY_FUTURE_SIGNATURES: Explanation(
        "The order would stand for more eons than the operator allows.",
        "Place it for fewer eons, and again when it has ended.",
    ),
    ErrorCode.INVALID_TOS_SIGNATURE: Explanation(
        "The terms of service in force are not signed by this address, or the signature is not "
        "over their joint digest. Before a payment or an order it comes with status 403.",
        "Read `GET /tos/latest`, sign the digest and send it to `POST /tos/`.",
    ),
    ErrorCode.LATEST_TOS_ALREADY_SIGNED: Explanation(
        "The address has signed the terms in force.", "Nothing is left to sign."
    ),
    ErrorCode.TOKEN_NOT_REGISTERED: Explanation(
        "No such token on this commit-chain, or its registration is not confirmed yet.",
        "Choose one of `GET /audit/tokens/`.",
    ),
    ErrorCode.TOKEN_PAIR_BLOCKED: Explanation(
        "This direction of trade between the two tokens is not open.",
        "Trade another pair, or ask the operator to open this one.",
    ),
    ErrorCode.DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH: Explanation(
        "Sender and recipient of a payment hold different tokens.",
        "Name the recipient's wallet in the token that is sent.",
    ),
    ErrorCode.DEBIT_CREDIT_TOKEN_ADDRESS_MATCH: Explanation(
        "Both sides of an order are in the same token.", "Name two different tokens."
    ),
    ErrorCode.WALLET_BLACKLISTED: Explanation(
        "A person at the operator has barred this address from registering.",
        "Ask the operator. What the address owns already is not touched.",
    ),
    ErrorCode.WALLET_ALREADY_ADMITTED: Explanation(
        "This address is registered in this token.",
        "Read its admission with `GET /audit/<token>/<wallet>/whois`.",
    ),
    ErrorCode.WALLET_NOT_ADMITTED: Explanation(
        "No such wallet: the address is not registered in this token.",
        "Register it with `POST /admission/`, or correct the address.",
    ),
    ErrorCode.DEBIT_WALLET_NOT_ADMITTED: Explanation(
        "The sending wallet is registered, but the operator has not countersigned it yet.",
        "Wait for `REGISTERED_WALLET`, then repeat.",
    ),
    ErrorCode.CREDIT_WALLET_NOT_ADMITTED: Explanation(
        "The receiving wallet is registered, but the operator has not countersigned it yet.",
        "Wait until its `whois` has a trail, then repeat.",
    ),
    ErrorCode.DEBIT_CREDIT_WALLET_ADDRESS_MISMATCH: Explanation(
        "The two wallets of an order belong to different addresses.",
        "Name the wallets that one address has in both tokens.",
    ),
    ErrorCode.DEBIT_CREDIT_WALLET_ADDRESS_MATCH: Explanation(
        "A payment names the same wallet on both sides.", "Name another recipient."
    ),
    ErrorCode.TOO_MANY_ADMISSION_REQUESTS: Explanation(
        "One request registers more wallets than the operator allows.",
        "Divide it into several requests.",
    ),
    ErrorCode.DEBIT_WALLET_CANNOT_ADD_TRANSACTION: Explanation(
        "The sending wallet is held by an open order, or by entries of a later eon.",
        "Finalise or cancel the order, or wait for it to end; trade from a wallet of its own.",
    ),
    ErrorCode.CREDIT_WALLET_CANNOT_ADD_TRANSACTION: Explanation(
        "The receiving wallet is held by an open order.",
        "Pay after the order has ended, or to another wallet of that person.",
    ),
    ErrorCode.DEBIT_WALLET_OVERSPENDING: Explanation(
        "The amount is above what the wallet has available. Withdrawal requests count as spent.",
        "Read the wallet's state and pay at most what is available.",
    ),
    ErrorCode.DEBIT_WALLET_BALANCE_AMOUNT_MISMATCH: Explanation(
        "An order must sell everything that its debit wallet has.",
        "Pay the difference in or out first, so that the balance is exactly `amount`.",
    ),
    ErrorCode.CREDIT_WALLET_BALANCE_NOT_ZERO: Explanation(
        "The wallet that receives the proceeds of an order must be empty.",
        "Pay its balance out first.",
    ),
    ErrorCode.DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE: Explanation(
        "`debit_balance` is above what the wallet has left after the payment. Withdrawal requests "
        "count as spent.",
        "Sign a smaller marker: at most what is available less `amount`.",
    ),
    ErrorCode.DEBIT_WALLET_EXCEEDED_SLA: Explanation(
        "The sender has used its free transfers of this eon and has no running agreement.",
        "Wait for the next eon, or buy an agreement: `GET /sla/`, pay, `POST /sla/<wallet>`.",
    ),
    ErrorCode.CREDIT_WALLET_EXCEEDED_SLA: _NEVER,
    ErrorCode.SWAP_NOT_FROZEN: Explanation(
        "The order is cancelled before it was frozen.",
        "Freeze it first: the answer tells what was matched, which the last states are signed for.",
    ),
    ErrorCode.SWAP_NOT_FULFILLED: Explanation(
        "Only a completely matched order can be finalised.",
        "Wait for a `MATCHED_SWAP` with `complete` true, or freeze and cancel the order.",
    ),
    ErrorCode.SWAP_ALREADY_CLOSED: Explanation("This row of the order is final.", _READ_ORDER),
    ErrorCode.SWAP_ALREADY_CANCELLED: Explanation("The order is cancelled.", _READ_ORDER),
    ErrorCode.SWAP_ALREADY_VOIDED: Explanation(
        "This row of the order is void: the order ended in an earlier eon.", _READ_ORDER
    ),
    ErrorCode.SWAP_ALREADY_FROZEN: Explanation(
        "The order is frozen: it can only be cancelled.", "Cancel it."
    ),
    ErrorCode.SWAP_ALREADY_FINALIZED: Explanation("The order is finalised.", _READ_ORDER),
    ErrorCode.SWAP_ALREADY_FULFILLED: Explanation(
        "The order is completely matched: there is nothing left to freeze.", "Finalise it."
    ),
    ErrorCode.TRANSFER_ALREADY_APPROVED: _NEVER,
    ErrorCode.TRANSFER_TIMED_OUT: _NEVER,
    ErrorCode.SWAPPING_DISABLED: Explanation(
        "This operator takes no orders, or none at present.",
        "Trade elsewhere or later. Orders that stand can always be ended.",
    ),
    ErrorCode.EON_NUMBER_OUT_OF_SYNC: Explanation(
        "`eon_number` is not the current eon, or this eon cannot take the entry yet or any more. "
        "Around the turn of an eon this is the normal course.",
        "Wait two seconds, read the wallet's state, sign for the current eon and repeat.",
    ),
    ErrorCode.INVALID_DEBIT_AMOUNT: Explanation(
        "An order of amount 0.", "Sell at least one smallest unit."
    ),
    ErrorCode.INVALID_CREDIT_AMOUNT: Explanation(
        f"{_RESERVED} takes its place: `min_value` under `amount_swapped` says it.",
        "Ask for at least one smallest unit.",
    ),
    ErrorCode.TRANSFER_DOES_NOT_EXIST: Explanation(
        "No complete transfer of this id was paid by the address in the path, or it was less than "
        "the price.",
        "Pay at least the price of `GET /sla/` from that address, and send that transfer's id.",
    ),
    ErrorCode.TRANSFER_MADE_TO_WRONG_WALLET: Explanation(
        "The transfer was not paid to the recipient that `GET /sla/` names.",
        "Pay to that address.",
    ),
    ErrorCode.TRANSFER_MADE_WITH_WRONG_TOKEN: Explanation(
        "The transfer was paid in another token than `GET /sla/` names.", "Pay in that token."
    ),
    ErrorCode.SLA_ALREADY_EXISTS_FOR_TRANSFER: Explanation(
        "This transfer has bought an agreement already.",
        "Read it with `GET /sla/<wallet>`, or pay again when it has ended.",
    ),
    ErrorCode.SLA_STILL_VALID_FOR_WALLET: Explanation(
        "The address has an agreement that still runs.",
        "Buy the next one when it has ended; the transfer keeps its worth.",
    ),
    FormCode.REQUIRED: Explanation("A field is missing.", "Send it."),
    FormCode.NULL: Explanation("A field is null and must not be.", "Send a value."),
    FormCode.BLANK: Explanation("A text is empty.", "Send a text."),
    FormCode.INVALID: Explanation(
        "A field is of another type or form than described.", "Send it in the form described."
    ),
    FormCode.MAX_LENGTH: Explanation(
        "A text is longer than a signature (130) or an address (42) can be, or a list too long.",
        "Send the bare digits.",
    ),
    FormCode.MIN_VALUE: Explanation("A number is below its least value.", "Send a larger one."),
    FormCode.MAX_VALUE: Explanation(
        "A number is beyond what the contract can hold: 2^256 for amounts, 2^128 in orders, 2^63 "
        "for eons and ids.",
        "Send a smaller one.",
    ),
    FormCode.MAX_DIGITS: Explanation("A number has more than 80 digits.", "Send a smaller one."),
    FormCode.MAX_DECIMAL_PLACES: Explanation(
        "An amount is not a whole number of smallest units.", "Send whole units."
    ),
    FormCode.MAX_WHOLE_DIGITS: Explanation(
        f"{_RESERVED} takes its place: `max_digits` says it.", "Send a smaller number."
    ),
    FormCode.MAX_STRING_LENGTH: Explanation(
        "A number is written in more than 1000 characters.", "Write it in at most 80 digits."
    ),
    FormCode.NOT_A_LIST: Explanation("A field must be a list and is not.", "Send a list."),
    FormCode.UNIQUE: Explanation(
        "The nonce is used already in this eon by the sender, by the recipient, or by both (one "
        "item each). Perhaps the request arrived before: then it was carried out.",
        "Look in the list of transactions whether it is there; if not, use another nonce.",
    ),
    HeaderCode.IDEMPOTENCY_KEY_INVALID: Explanation(
        "`Idempotency-Key` is empty, longer than 255 characters, or not printable ASCII.",
        "Send a random key, a UUID for example.",
    ),
    HeaderCode.IDEMPOTENCY_KEY_REUSED: Explanation(
        "Another request was sent under this `Idempotency-Key` within a day.",
        "Repeat the very same bytes to the same path, or take a new key for a new request.",
    ),
}


def explain() -> str:
    """Write all explanations as one page of Markdown, a heading for each code."""
    parts = [INTRODUCTION]
    for code, explanation in EXPLANATIONS.items():
        parts.append(f"## {code.value}\n\n{explanation.cause}\n\n*Cure:* {explanation.cure}")
    return "\n\n".join(parts) + "\n"
