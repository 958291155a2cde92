"""The WebSocket in the description: what is said in both directions, in words and as schemas."""

from __future__ import annotations

from typing import Any, Final

from api.openapi.schemas import Schema, array_of, ref

TAG: Final = "notifications"
EVENTS: Final = {
    "REGISTERED_WALLET": ("the wallet's", "Admission"),
    "CONFIRMED_DEPOSIT": ("the wallet's", "Deposit"),
    "REQUESTED_WITHDRAWAL": ("the wallet's", "WithdrawalRequest"),
    "CONFIRMED_WITHDRAWAL": ("the wallet's", "Withdrawal"),
    "CHECKPOINT_CREATED": ("the wallet's", "WalletState"),
    "TRANSFER_CONFIRMATION": ("the recipient's, then the sender's", "Transaction"),
    "SWAP_CONFIRMATION": ("the credit wallet's, then the debit wallet's", "Transaction"),
    "INCOMING_SWAP": ("the pair's", "Transaction"),
    "MATCHED_SWAP": ("both wallets' and the pair's", "Transaction"),
    "SWAP_FINALIZATION": ("the credit wallet's, then the debit wallet's", "FinalizeOut"),
    "SWAP_CANCELLATION": ("the credit wallet's, then the debit wallet's", "CancelOut"),
    "CANCELLED_SWAP": ("the pair's", "CancelOut"),
}
"""Each event, on whose streams it is told, and the schema of its payload."""

_TABLE: Final = "\n".join(
    f"| `{event}` | {streams} | {schema} |" for event, (streams, schema) in EVENTS.items()
)
ABOUT: Final = f"""A WebSocket at `/ws/`: text frames, one JSON object each (schemas `WsRequest`,
`WsResponse`, `WsError`, `WsNotification`). Everybody may connect; nothing is said unasked.

Operations: `subscribe` and `unsubscribe` with `{{"streams": [...]}}` (`["*"]` ends all), `ping`
with `{{}}`, and `get` with `{{"resource": "operator" | "wallet", "params": {{...}}}}`. Streams are
`wallet/<token>/<address>` and `tokenpair/<sold>/<bought>`, 40 digits each without `0x`, in any
letter case; messages name them as registered. Subscribing before registration is the normal case.
Good names are taken even if others are bad; each bad one gets an error, then comes one
acknowledgement.

| event | streams | payload |
| --- | --- | --- |
{_TABLE}

Events of one wallet come in the order in which they were committed. A payment's answer comes after
its notifications. Nothing is repeated to a client that was away: it reads its state and subscribes
again. Frames of at most 64 KiB, 1000 streams a connection; a reader that lags by 5000 messages or
8 MiB is dropped."""

_TEXT: Final[Schema] = {"type": "string"}


def _message(kind: str, **data: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": kind},
            "data": {"type": "object", "properties": data, "required": list(data)},
        },
        "required": ["type", "data"],
    }


_EVENT: Final[Schema] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": list(EVENTS)},
        "data": {"anyOf": [ref(name) for name in dict.fromkeys(s for _, s in EVENTS.values())]},
    },
    "required": ["type", "data"],
}
MESSAGES: Final[dict[str, Schema]] = {
    "WsRequest": {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["subscribe", "unsubscribe", "ping", "get"]},
            "args": {
                "type": "object",
                "properties": {
                    "streams": array_of(_TEXT, maxItems=1000),
                    "resource": {"type": "string", "enum": ["operator", "wallet"]},
                    "params": {"type": "object"},
                },
            },
        },
        "required": ["op", "args"],
    },
    "WsResponse": _message("response", type=_TEXT, data={}),
    "WsError": _message("error", message=_TEXT, cause={}),
    "WsNotification": _message("notification", type=_TEXT, data=_EVENT),
}
WEBSOCKET: Final[dict[str, Any]] = {
    "path": "/ws/",
    "messages": {
        "clientToServer": ref("WsRequest"),
        "serverToClient": [ref("WsResponse"), ref("WsError"), ref("WsNotification")],
    },
}
