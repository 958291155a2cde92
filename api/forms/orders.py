"""The bodies of orders: their five lists of signatures, and those that end one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from api.faults import item
from api.forms.fields import amount, eon, signature_object
from api.forms.form import FieldError, Form, bad
from api.forms.references import wallet_name
from ledger.orders.requests import OrderRequest
from protocol.orders import MAX_ORDER_AMOUNT

MOST_SIGNATURES: Final = 100
"""Far above any order's eons: longer lists are refused before their signatures are read."""
TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}
LISTS: Final = (
    "debit_signature",
    "debit_balance_signature",
    "credit_signature",
    "credit_balance_signature",
    "credit_fulfillment_signature",
)


def signatures(value: Any) -> tuple[bytes, ...]:
    """Read a list of signature objects; errors hang under the list, one item for each of it."""
    if not isinstance(value, list):
        raise FieldError({"non_field_errors": [item("not_a_list", "not a list")]})
    if len(value) > MOST_SIGNATURES:
        raise bad("max_length", f"more than {MOST_SIGNATURES} signatures")
    read: list[bytes] = []
    errors: list[Any] = []
    for one in value:
        try:
            read.append(signature_object(one))
            errors.append({})
        except FieldError as error:
            errors.append(error.detail)
    if any(errors):
        raise FieldError(errors)
    return tuple(read)


def order_amount(zero_code: str) -> Callable[[Any], int]:
    """Return a reader of an order's amount: 1 to 2^128 - 1; zero has a code of its own."""

    def read(value: Any) -> int:
        number = amount(value)
        if number == 0:
            raise bad(zero_code, "below 1")
        if number > MAX_ORDER_AMOUNT:
            raise bad("max_value", "not below 2^128")
        return number

    return read


def boolean(value: Any) -> bool:
    """Read a boolean, also as a form spells it."""
    if isinstance(value, bool):
        return value
    found = TRUTH.get(str(value).lower()) if isinstance(value, (str, int)) else None
    if found is None:
        raise bad("invalid", "not a boolean")
    return found


def read_order(form: Form, body: dict[str, Any]) -> OrderRequest | None:
    """Read an order's fields; None if one of them is bad."""
    debit = form.take("wallet", wallet_name)
    credit = form.take("recipient", wallet_name)
    value = form.take("amount", order_amount("INVALID_DEBIT_AMOUNT"))
    wanted = form.take("amount_swapped", order_amount("min_value"))
    number = form.take("eon_number", eon)
    nonce = form.take("nonce", amount)
    lists = {name: form.take(name, signatures) for name in LISTS}
    sells = form.take("sell_order", boolean) if "sell_order" in body else True
    if (
        form.errors
        or debit is None
        or credit is None
        or value is None
        or wanted is None
        or number is None
        or nonce is None
        or sells is None
    ):
        return None
    return OrderRequest(
        debit_token=debit.token,
        debit_address=debit.address,
        credit_token=credit.token,
        credit_address=credit.address,
        amount=value,
        amount_swapped=wanted,
        eon=number,
        nonce=nonce,
        debit_signatures=lists["debit_signature"] or (),
        debit_marker_signatures=lists["debit_balance_signature"] or (),
        credit_signatures=lists["credit_signature"] or (),
        credit_marker_signatures=lists["credit_balance_signature"] or (),
        fulfilment_signatures=lists["credit_fulfillment_signature"] or (),
        sells=sells,
    )
