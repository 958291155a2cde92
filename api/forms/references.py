"""References to wallets inside a body: an address and a token, both in any letter case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from api.forms.fields import address_text, find_address
from api.forms.form import Form, bad
from protocol.address import Address

UNKNOWN_TOKEN: Final = "TOKEN_NOT_REGISTERED"
UNKNOWN_WALLET: Final = "WALLET_NOT_ADMITTED"


@dataclass(frozen=True, slots=True)
class WalletName:
    """A wallet as a request names it."""

    token: Address
    address: Address


def wallet_name(value: Any) -> WalletName:
    """Read `{"address": "…", "token": "…"}`. What is no address names nothing that is registered.

    Raises `FieldError`.
    """
    form = Form.of(value)
    spelled_token, spelled_address = (
        form.take("token", address_text),
        form.take("address", address_text),
    )
    form.close()
    token = find_address(spelled_token or "")
    if token is None:
        raise bad(UNKNOWN_TOKEN)
    address = find_address(spelled_address or "")
    if address is None:
        raise bad(UNKNOWN_WALLET)
    return WalletName(token, address)
