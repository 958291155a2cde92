"""The wallets that a body names: the address that the terms gate asks about, and unknown names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.faults import Fault, FieldFaults, TermsFault
from api.forms.fields import find_address
from api.forms.form import Form
from api.forms.references import UNKNOWN_TOKEN, UNKNOWN_WALLET, WalletName, wallet_name
from api.operator import Operator
from ledger.refusals import Refusal
from ledger.terms import require_terms
from models import Token, Wallet
from protocol.address import Address


def gated_address(body: dict[str, Any]) -> Address | None:
    """The address that the terms gate asks about: of `wallet.address`, whatever else is bad.

    A text that is no address never signed anything; the empty address stands for it.
    """
    wallet = body.get("wallet")
    spelled = wallet.get("address") if isinstance(wallet, dict) else None
    return (find_address(spelled) or b"") if isinstance(spelled, str) and spelled else None


def report_unknown(session: Session, body: dict[str, Any], form: Form) -> None:
    """Add to the bad fields the well-formed references that name nothing."""
    for field in ("wallet", "recipient"):
        name = None if field in form.errors else Form(body).take(field, wallet_name)
        if name is not None:
            code = _unknown(session, name)
            if code is not None:
                form.add(field, code)


async def explain_malformed(operator: Operator, body: dict[str, Any], form: Form) -> Fault:
    """What to answer to a malformed body: the terms gate stands before the fields."""
    gated = gated_address(body)
    if gated is not None:
        await operator.database.read(_require_terms, operator, gated)
    await operator.database.read(report_unknown, body, form)
    return FieldFaults(form.errors)


def _require_terms(session: Session, operator: Operator, address: Address) -> None:
    try:
        require_terms(session, operator.rules(), address)
    except Refusal as refusal:
        raise TermsFault(refusal.message) from None


def _unknown(session: Session, name: WalletName) -> str | None:
    token = session.scalar(
        select(Token.id).where(Token.address == name.token, Token.state == "active")
    )
    if token is None:
        return UNKNOWN_TOKEN
    wallet = select(Wallet.id).where(Wallet.token_id == token, Wallet.address == name.address)
    return UNKNOWN_WALLET if session.scalar(wallet) is None else None
