"""Every error code of the wire. Codes that nothing raises any more keep their names reserved."""

from __future__ import annotations

from enum import StrEnum, auto


class ErrorCode(StrEnum):
    """Codes about wallets, money and orders; the wire spells them like this."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    INVALID_OPERATOR_SIGNATURE = auto()
    INVALID_DEBIT_SIGNATURE = auto()
    INVALID_CREDIT_SIGNATURE = auto()
    INVALID_CREDIT_FULFILLMENT_SIGNATURE = auto()
    INVALID_FUTURE_DEBIT_SIGNATURE = auto()
    INVALID_FUTURE_CREDIT_SIGNATURE = auto()
    INVALID_FUTURE_CREDIT_FULFILLMENT_SIGNATURE = auto()
    INVALID_DEBIT_BALANCE_SIGNATURE = auto()
    INVALID_CREDIT_BALANCE_SIGNATURE = auto()
    INVALID_ADMISSION_SIGNATURE = auto()
    INVALID_FREEZING_SIGNATURE = auto()
    MISSING_FREEZING_SIGNATURE = auto()
    WRONG_NUMBER_OF_DEBIT_SIGNATURES = auto()
    WRONG_NUMBER_OF_CREDIT_SIGNATURES = auto()
    WRONG_NUMBER_OF_SIGNATURES = auto()
    TOO_MANY_FUTURE_SIGNATURES = auto()
    INVALID_TOS_SIGNATURE = auto()
    LATEST_TOS_ALREADY_SIGNED = auto()
    TOKEN_NOT_REGISTERED = auto()
    TOKEN_PAIR_BLOCKED = auto()
    DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH = auto()
    DEBIT_CREDIT_TOKEN_ADDRESS_MATCH = auto()
    WALLET_BLACKLISTED = auto()
    WALLET_ALREADY_ADMITTED = auto()
    WALLET_NOT_ADMITTED = auto()
    DEBIT_WALLET_NOT_ADMITTED = auto()
    CREDIT_WALLET_NOT_ADMITTED = auto()
    DEBIT_CREDIT_WALLET_ADDRESS_MISMATCH = auto()
    DEBIT_CREDIT_WALLET_ADDRESS_MATCH = auto()
    TOO_MANY_ADMISSION_REQUESTS = auto()
    DEBIT_WALLET_CANNOT_ADD_TRANSACTION = auto()
    CREDIT_WALLET_CANNOT_ADD_TRANSACTION = auto()
    DEBIT_WALLET_OVERSPENDING = auto()
    DEBIT_WALLET_BALANCE_AMOUNT_MISMATCH = auto()
    CREDIT_WALLET_BALANCE_NOT_ZERO = auto()
    DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE = auto()
    DEBIT_WALLET_EXCEEDED_SLA = auto()
    CREDIT_WALLET_EXCEEDED_SLA = auto()
    SWAP_NOT_FROZEN = auto()
    SWAP_NOT_FULFILLED = auto()
    SWAP_ALREADY_CLOSED = auto()
    SWAP_ALREADY_CANCELLED = auto()
    SWAP_ALREADY_VOIDED = auto()
    SWAP_ALREADY_FROZEN = auto()
    SWAP_ALREADY_FINALIZED = auto()
    SWAP_ALREADY_FULFILLED = auto()
    TRANSFER_ALREADY_APPROVED = auto()
    TRANSFER_TIMED_OUT = auto()
    SWAPPING_DISABLED = auto()
    EON_NUMBER_OUT_OF_SYNC = auto()
    INVALID_DEBIT_AMOUNT = auto()
    INVALID_CREDIT_AMOUNT = auto()
    TRANSFER_DOES_NOT_EXIST = auto()
    TRANSFER_MADE_TO_WRONG_WALLET = auto()
    TRANSFER_MADE_WITH_WRONG_TOKEN = auto()
    SLA_ALREADY_EXISTS_FOR_TRANSFER = auto()
    SLA_STILL_VALID_FOR_WALLET = auto()


class HeaderCode(StrEnum):
    """Codes about headers that only newer clients send."""

    IDEMPOTENCY_KEY_INVALID = "IDEMPOTENCY_KEY_INVALID"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"


class FormCode(StrEnum):
    """Codes about the form of a request; the wire spells them in lower case."""

    REQUIRED = auto()
    NULL = auto()
    BLANK = auto()
    INVALID = auto()
    MAX_LENGTH = auto()
    MIN_VALUE = auto()
    MAX_VALUE = auto()
    MAX_DIGITS = auto()
    MAX_DECIMAL_PLACES = auto()
    MAX_WHOLE_DIGITS = auto()
    MAX_STRING_LENGTH = auto()
    NOT_A_LIST = auto()
    UNIQUE = auto()
