"""JSON schemas of what is sent and answered. Answers that wallets validate are closed."""

from __future__ import annotations

from typing import Any, Final

from api.codes import ErrorCode, FormCode, HeaderCode

Schema = dict[str, Any]
LONGEST_CHAIN: Final = 32
CODES: Final = [code.value for codes in (ErrorCode, FormCode, HeaderCode) for code in codes]


def ref(name: str) -> Schema:
    """Refer to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(item: Schema, **bounds: int) -> Schema:
    """A list."""
    return {"type": "array", "items": item, **bounds}


def query(name: str, description: str) -> Schema:
    """An optional query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


_NULL: Final[Schema] = {"type": "null"}


def nullable(schema: Schema) -> Schema:
    """What the schema allows, or null."""
    return {"anyOf": [schema, _NULL]}


def _closed(**members: Schema) -> Schema:
    """An object with exactly these members."""
    return _open(**members) | {"additionalProperties": False}


def _open(**members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(members)}


def _text(pattern: str, description: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


_NUMBER: Final = {"type": "integer", "minimum": 0}
_BOOLEAN: Final = {"type": "boolean"}
_UINT, _HEX, _HEXX = ref("Uint"), ref("Hex32"), ref("Hex32x")
_SIGNATURE, _ADDRESS = ref("Signature"), ref("Address")
_CHAIN: Final = array_of(_HEXX, maxItems=LONGEST_CHAIN)
_VALUES: Final = array_of(_UINT, maxItems=LONGEST_CHAIN)
_CONCISE_STATE: Final = {
    "wallet_signature": _SIGNATURE,
    "operator_signature": nullable(_SIGNATURE),
    "updated_spendings": _UINT,
    "updated_gains": _UINT,
    "tx_set_hash": _HEX,
}
_MOVEMENT: Final = {
    "txid": _HEX,
    "block": _NUMBER,
    "eon_number": _NUMBER,
    "amount": _UINT,
    "time": _NUMBER,
}
_COUNTS: Final = {
    "total": _NUMBER,
    "eon_number": array_of(ref("EonCount")),
    "time": array_of(ref("DayCount")),
}
_STATE: Final = nullable(ref("ActiveState"))
_POSITION: Final = _open(block=_NUMBER, eon_number=_NUMBER)

VALUES: Final[dict[str, Schema]] = {
    "Uint": _text("^(0|[1-9][0-9]{0,77})$", "Plain decimal digits, below 2^256."),
    "UintIn": {
        "description": "A whole number below 2^256: digits, a JSON integer, or with an exponent.",
        "anyOf": [
            {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,77})$"},
            {"type": "string", "pattern": r"^[1-9](\.[0-9]{1,76})?e\+[1-7][0-9]$"},
            _NUMBER,
        ],
    },
    "EonIn": {"anyOf": [_NUMBER, {"type": "string", "pattern": "^[0-9]{1,18}$"}]},
    "Address": _text("^0x[0-9a-fA-F]{40}$", "In the letter case in which it was registered."),
    "AddressIn": _text("^(0x)?[0-9a-fA-F]{40}$", "In any letter case, 0x optional."),
    "Signature": _text("^[0-9a-fA-F]{128}(1b|1c|1B|1C)$", "r, s, v without 0x."),
    "SignatureIn": _open(value=_SIGNATURE),
    "Hex32": _text("^[0-9a-f]{64}$", "32 bytes without 0x."),
    "Hex32x": _text("^0x[0-9a-f]{64}$", "32 bytes with 0x."),
    "ErrorItem": _open(
        message={"type": "string"},
        code={"type": "string", "enum": CODES},
    ),
    "FieldErrors": {
        "type": "object",
        "description": "Under each bad field its errors; `non_field_errors` for the whole body.",
        "additionalProperties": {
            "anyOf": [
                array_of(ref("ErrorItem"), minItems=1),
                array_of(ref("FieldErrors"), minItems=1),
                ref("FieldErrors"),
            ]
        },
    },
    "ErrorList": array_of(ref("ErrorItem"), minItems=1),
    "Detail": _closed(detail={"type": "string"}),
    "BadRequest": {"anyOf": [ref("FieldErrors"), ref("ErrorList"), ref("Detail")]},
    "DelegationRefused": {"anyOf": [{"type": "string"}, ref("BadRequest")]},
    "TermsRequired": _closed(
        code={"type": "string", "enum": ["INVALID_TOS_SIGNATURE"]}, message={"type": "string"}
    ),
}

_SIGNATURES_IN: Final = array_of(ref("SignatureIn"))
REQUESTS: Final[dict[str, Schema]] = {
    "WalletRefIn": _open(address=ref("AddressIn"), token=ref("AddressIn")),
    "TransferIn": _open(
        wallet=ref("WalletRefIn"),
        amount=ref("UintIn"),
        eon_number=ref("EonIn"),
        recipient=ref("WalletRefIn"),
        nonce=ref("UintIn"),
        debit_signature=ref("SignatureIn"),
        debit_balance_signature=ref("SignatureIn"),
        debit_balance=ref("UintIn"),
    ),
    "SwapIn": {
        **_open(
            wallet=ref("WalletRefIn"),
            recipient=ref("WalletRefIn"),
            amount=ref("UintIn"),
            amount_swapped=ref("UintIn"),
            eon_number=ref("EonIn"),
            nonce=ref("UintIn"),
            debit_signature=_SIGNATURES_IN,
            debit_balance_signature=_SIGNATURES_IN,
            credit_signature=_SIGNATURES_IN,
            credit_balance_signature=_SIGNATURES_IN,
            credit_fulfillment_signature=_SIGNATURES_IN,
        ),
        "description": "A member sell_order, true by default, decides which amount is exact.",
    },
    "FinalizeIn": _open(finalization_signature=_SIGNATURES_IN),
    "FreezeIn": _open(freezing_signature=ref("SignatureIn")),
    "CancelIn": _open(
        sender_cancellation_signature=_SIGNATURES_IN,
        recipient_cancellation_signature=_SIGNATURES_IN,
    ),
    "AdmissionIn": _open(
        authorization=ref("SignatureIn"),
        token=ref("AddressIn"),
        address=ref("AddressIn"),
        tos_signature=ref("SignatureIn"),
    ),
    "BulkAdmissionIn": _open(admissions=array_of(ref("AdmissionIn"))),
    "DelegatedWithdrawalIn": _open(
        signature=_SIGNATURE,
        wallet=ref("AddressIn"),
        token=ref("AddressIn"),
        amount=ref("UintIn"),
        expiry=ref("UintIn"),
    ),
    "SlaIn": _open(transfer_id=ref("EonIn")),
    "TosSignatureIn": _open(address=ref("AddressIn"), tos_signature=_SIGNATURE),
}

ANSWERS: Final[dict[str, Schema]] = {
    "OperatorStatus": _open(
        latest=_POSITION, confirmed=_POSITION, blocks_per_eon=_NUMBER, confirmation_blocks=_NUMBER
    ),
    "Token": _closed(address=_ADDRESS, name={"type": "string"}, short_name={"type": "string"}),
    "Admission": _closed(
        eon_number=_NUMBER,
        authorization=_SIGNATURE,
        operator_authorization=nullable(_SIGNATURE),
        trail_identifier=nullable(_NUMBER),
    ),
    "AdmissionOut": _open(
        authorization=_NULL,
        address=_ADDRESS,
        token=_ADDRESS,
        tos_signature=_NULL,
    ),
    "BulkAdmissionOut": _open(admissions=array_of(ref("AdmissionOut"))),
    "WalletRef": _closed(address=_ADDRESS, token=_ADDRESS, trail_identifier=nullable(_NUMBER)),
    "WalletRefConcise": _open(address=_ADDRESS, token=_ADDRESS),
    "ConciseActiveState": _closed(**_CONCISE_STATE),
    "ActiveState": _closed(**_CONCISE_STATE, tx_set_proof=_CHAIN, tx_set_index=_NUMBER),
    "Proof": _closed(
        eon_number=_NUMBER,
        left=_UINT,
        right=_UINT,
        allotment_chain=_CHAIN,
        membership_chain=_CHAIN,
        values=_VALUES,
        trail=_NUMBER,
        active_state_checksum=_HEXX,
        active_state=nullable(ref("ConciseActiveState")),
        passive_checksum=_HEXX,
        passive_amount=_UINT,
        passive_marker=_UINT,
    ),
    "DeliveryProof": _closed(
        transfer_membership_chain=_CHAIN,
        transfer_membership_trail=_NUMBER,
        transfer_membership_values=nullable(_VALUES),
    ),
    "MatchedAmounts": _closed(matched_in=_UINT, matched_out=_UINT),
    "Transaction": _closed(
        id=_NUMBER,
        tx_id={"type": "string", "format": "uuid"},
        amount=_UINT,
        amount_swapped=nullable(_UINT),
        wallet=ref("WalletRef"),
        recipient=ref("WalletRef"),
        nonce=_UINT,
        passive=_BOOLEAN,
        position=nullable(_UINT),
        sender_active_state=ref("ActiveState"),
        recipient_active_state=_STATE,
        recipient_fulfillment_active_state=_STATE,
        recipient_finalization_active_state=_STATE,
        swap_freezing_signature=nullable(_SIGNATURE),
        sender_cancellation_active_state=_STATE,
        sender_finalization_active_state=_STATE,
        recipient_cancellation_active_state=_STATE,
        sender_starting_balance=nullable(_UINT),
        recipient_starting_balance=nullable(_UINT),
        delivery_proof=nullable(ref("DeliveryProof")),
        eon_number=_NUMBER,
        processed=_BOOLEAN,
        complete=_BOOLEAN,
        voided=_BOOLEAN,
        cancelled=_BOOLEAN,
        appended=_BOOLEAN,
        swap=_BOOLEAN,
        sell_order=_BOOLEAN,
        matched_amounts=nullable(ref("MatchedAmounts")),
        time=_NUMBER,
    ),
    "FinalizeOut": _closed(
        id=_NUMBER,
        tx_id={"type": "string", "format": "uuid"},
        recipient_finalization_active_state=ref("ActiveState"),
    ),
    "FreezeOut": _closed(
        id=_NUMBER,
        tx_id={"type": "string", "format": "uuid"},
        matched_amounts=ref("MatchedAmounts"),
    ),
    "CancelOut": _closed(
        id=_NUMBER,
        tx_id={"type": "string", "format": "uuid"},
        sender_cancellation_active_state=ref("ActiveState"),
        recipient_cancellation_active_state=ref("ActiveState"),
    ),
    "Order": _open(amount=_UINT, amount_swapped=_UINT, remaining_out=_UINT, remaining_in=_UINT),
    "OrderBook": _open(sell_orders=array_of(ref("Order")), buy_orders=array_of(ref("Order"))),
    "Match": _open(volume=_UINT, price={"type": "string"}, time=_NUMBER),
    "ConciseTransaction": _open(
        wallet=ref("WalletRefConcise"),
        recipient=ref("WalletRefConcise"),
        time=_NUMBER,
        id=_NUMBER,
        tx_id={"type": "string", "format": "uuid"},
        eon_number=_NUMBER,
        swap=_BOOLEAN,
        passive=_BOOLEAN,
        complete=_BOOLEAN,
        cancelled=_BOOLEAN,
        voided=_BOOLEAN,
        nonce=_UINT,
        amount=_UINT,
        amount_swapped=nullable(_UINT),
    ),
    "ConciseTransactionPage": _open(
        count=_NUMBER,
        next=nullable({"type": "string"}),
        previous=nullable({"type": "string"}),
        results=array_of(ref("ConciseTransaction")),
    ),
    "Deposit": _closed(**_MOVEMENT),
    "WithdrawalRequest": _closed(**_MOVEMENT, slashed=_BOOLEAN),
    "Withdrawal": _closed(**_MOVEMENT, request=ref("WithdrawalRequest")),
    "WalletState": _closed(
        registration=ref("Admission"),
        merkle_proof=nullable(ref("Proof")),
        transactions=array_of(ref("Transaction")),
        deposits=array_of(ref("Deposit")),
        withdrawal_requests=array_of(ref("WithdrawalRequest")),
        withdrawals=array_of(ref("Withdrawal")),
    ),
    "TosConfig": _open(privacy_policy_digest=_HEX, terms_of_service_digest=_HEX, time=_NUMBER),
    "TosSignatureOut": _open(
        address={"type": "string", "pattern": "^[0-9a-fA-F]{40}$"}, tos_signature=_NULL
    ),
    "SlaInfo": _closed(token=_ADDRESS, recipient=_ADDRESS, cost=_UINT, limit=_NUMBER),
    "Sla": _closed(expiry=_NUMBER, transfer_id=_NUMBER),
    "EonCount": _open(eon_number=_NUMBER, count=_NUMBER),
    "RegistrationCount": _open(eon_number=_NUMBER, registration_eon_number=_NUMBER, count=_NUMBER),
    "DayCount": _open(day={"type": "string", "format": "date-time"}, count=_NUMBER),
    "WalletAnalytics": _open(total=_NUMBER, eon_number=array_of(ref("RegistrationCount"))),
    "StandardAnalytics": _open(**_COUNTS),
    "ChallengeAnalytics": _open(**_COUNTS, rebuted=_NUMBER),
    "Readiness": _open(
        ready=_BOOLEAN,
        missing=array_of({"type": "string"}),
        degraded=array_of({"type": "string"}),
    ),
    "Alarm": _open(
        severity={"type": "string", "enum": ["information", "warning", "critical"]},
        subject={"type": "string"},
        about={"type": "string"},
        message={"type": "string"},
        since=_NUMBER,
        cleared_at=nullable(_NUMBER),
        raised_at=_NUMBER,
        occurrences=_NUMBER,
        duty={"type": "string"},
        eon=nullable(_NUMBER),
        meaning={"type": "string"},
        what_to_do={"type": "string"},
        runbook={"type": "string"},
    ),
    "Alarms": _open(alarms=array_of(ref("Alarm"))),
}
# The one member that may be absent: wallets refuse null there.
ANSWERS["DeliveryProof"]["properties"]["merkle_proof"] = ref("Proof")
