"""Withdrawals that a wallet has us request: the contract demands no proof, so we do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from ledger.accounts import Account, lock_accounts
from ledger.clock import cursor_of, read_view, require_intake
from ledger.duty_notices import notice
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from models import DelegatedWithdrawal, Token, Wallet
from protocol.address import Address
from protocol.editions import ContractEdition
from protocol.encoding import MAX_U256
from protocol.signing import is_signed_by
from protocol.withdrawals import delegated_withdrawal_digest

ADDRESS_BYTES: Final = 20
NOTICE: Final = "delegation-accepted"

# Not codes of the wire: each is an answer of its own.
NOT_SIGNED: Final = "NOT_SIGNED"
UNKNOWN_WALLET: Final = "UNKNOWN_WALLET"
EXPIRED: Final = "EXPIRED"
NOT_ENOUGH: Final = "NOT_ENOUGH"
OUTSTANDING: Final = "OUTSTANDING"

_PENDING: Final = text("""
SELECT COALESCE((
    SELECT sum(amount) FROM withdrawal_request
    WHERE token_id = :token AND address = :address AND eon = :eon AND status <> 'slashed'
), 0), COALESCE((
    SELECT sum(CAST(arguments ->> 'amount' AS numeric)) FROM chain_event
    WHERE name = 'WithdrawalRequest' AND NOT applied AND NOT orphaned AND eon = :eon
      AND arguments ->> 'requestor' = encode(:address, 'hex')
      AND arguments ->> 'token' = encode(:token_address, 'hex')
), 0)
""")
# What came to nothing frees the wallet for another; what is final waits for its event.
_END: Final = text("""
UPDATE delegated_withdrawal d SET status = 'ended' FROM transaction_intent i
WHERE d.wallet_id = :wallet AND d.status = 'open' AND i.id = d.intent_id
  AND i.state NOT IN ('queued', 'assigned', 'broadcast', 'mined', 'held', 'confirmed')
""")
_REQUESTED: Final = text("""
UPDATE delegated_withdrawal d SET status = 'requested' FROM withdrawal_request r
WHERE r.id = ANY(:requests) AND d.wallet_id = r.wallet_id AND d.status = 'open'
  AND d.amount = r.amount AND d.eon = r.eon
""")


@dataclass(frozen=True, slots=True)
class DelegationRequest:
    """A holder asks for `amount` base units by us, in a block up to `expiry`."""

    token: Address
    holder: Address
    amount: int
    expiry: int
    signature: bytes


def accept_delegation(session: Session, rules: LedgerRules, request: DelegationRequest) -> int:
    """Store a delegated withdrawal and tell the duty that sends it; returns its row's id.

    Refuses with `NOT_SIGNED`, then `UNKNOWN_WALLET`, `EXPIRED`, `OUTSTANDING`, `NOT_ENOUGH`: at
    most X(e) may be asked for, and one withdrawal of a wallet at a time; with `INTAKE_CLOSED`
    while deadlines are in danger.
    """
    view = read_view(session)
    found = session.execute(
        select(Wallet.id, Token.id.label("token_id"), Token.short_name)
        .join(Token, Token.id == Wallet.token_id)
        .where(
            Token.address == request.token,
            Wallet.address == request.holder,
            Wallet.trail_identifier.is_not(None),
        )
    ).one_or_none()
    accounts: dict[int, Account] = {}
    pending, unconfirmed = 0, 0
    if found is not None:
        accounts = lock_accounts(cursor_of(session), [found.id], view.current_eon)
        pending, unconfirmed = _pending(session, found.token_id, request, view.current_eon)
    _require_signed(rules, request, pending + unconfirmed)
    if found is None:
        raise Refusal(UNKNOWN_WALLET, "no such wallet")
    require_intake(view, rules)
    if request.expiry <= view.latest_block:
        raise Refusal(EXPIRED, "The authorisation has expired")
    session.execute(_END, {"wallet": found.id})
    if _is_outstanding(session, found.id):
        raise Refusal(OUTSTANDING, "Another withdrawal of this wallet is on its way")
    if not 0 < request.amount <= withdrawable(session, accounts[found.id]) - unconfirmed:
        raise Refusal(NOT_ENOUGH, "Not enough funds")
    row = DelegatedWithdrawal(
        wallet_id=found.id,
        amount=request.amount,
        pending=pending + unconfirmed,
        expiry=request.expiry,
        eon=view.current_eon,
        signature=request.signature,
    )
    session.add(row)
    session.flush()
    notice(session, f"{NOTICE}-{row.id}", NOTICE, {"delegation": row.id})
    return row.id


def withdrawable(session: Session, account: Account) -> int:
    """X(e): what a wallet may still ask the contract for, whatever its edition checks itself.

    The allotment of the eon before was committed before that eon's requests were made.
    """
    before = session.execute(
        text("""
            SELECT COALESCE((SELECT right_bound - left_bound FROM exclusive_balance_allotment
                             WHERE wallet_id = :wallet AND eon = :eon), 0),
                   COALESCE((SELECT withdrawn FROM wallet_eon
                             WHERE wallet_id = :wallet AND eon = :eon), 0)
        """),
        {"wallet": account.wallet_id, "eon": account.eon - 1},
    ).one()
    allotted = ContractEdition.HARDENED.withdrawable_allotment(
        allotment=int(before[0]),
        requests_of_last_eon=int(before[1]),
        requests_of_this_eon=account.withdrawn,
    )
    return max(0, min(allotted, account.loosely_available - account.reserved))


def note_requested(session: Session, request_ids: list[int]) -> None:
    """Note that confirmed requests are those that wallets delegated to us."""
    session.execute(_REQUESTED, {"requests": request_ids})


def _require_signed(rules: LedgerRules, request: DelegationRequest, pending: int) -> None:
    if request.amount + pending > MAX_U256:
        raise Refusal(NOT_ENOUGH, "Not enough funds")
    if len(request.holder) != ADDRESS_BYTES or len(request.token) != ADDRESS_BYTES:
        raise Refusal(NOT_SIGNED, "Signature is invalid")
    digest = delegated_withdrawal_digest(
        contract=rules.contract,
        token=request.token,
        holder=request.holder,
        expiry_block=request.expiry,
        amount=request.amount,
        pending=pending,
    )
    if not is_signed_by(digest, request.signature, request.holder):
        raise Refusal(NOT_SIGNED, "Signature is invalid")


def _pending(
    session: Session, token_id: int, request: DelegationRequest, eon: int
) -> tuple[int, int]:
    """What the holder has requested in the eon: confirmed, and only seen at the head."""
    row = session.execute(
        _PENDING,
        {
            "token": token_id,
            "token_address": request.token,
            "address": request.holder,
            "eon": eon,
        },
    ).one()
    return int(row[0]), int(row[1])


def _is_outstanding(session: Session, wallet_id: int) -> bool:
    count = session.scalar(
        select(func.count()).where(
            DelegatedWithdrawal.wallet_id == wallet_id, DelegatedWithdrawal.status == "open"
        )
    )
    return bool(count)
