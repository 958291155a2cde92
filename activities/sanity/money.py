"""Money: the contract's, the wallets' requests, and the ledger's own books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from activities.context import Context
from activities.sanity.findings import Finding, Findings
from activities.sanity.moment import compare
from chain.blocks import BlockHeader
from chain.funds import read_balances
from chain.holders import read_pending
from chain.state import PendingRequest
from duties import alarms, names
from ledger.clock import find_view
from ledger.conservation import token_books
from models import Token, WithdrawalRequest
from protocol.address import Address
from protocol.editions import ContractEdition

TOKENS_AT_ONCE: Final = 50
HOLDERS_AT_ONCE: Final = 20
MOST_HOLDERS: Final = 20_000
RECENT_EONS: Final = 3
ENDED: Final = ("paid", "slashed")
Holder = tuple[Address, Address]

# What every event that moves a token's money in or out says, confirmed or not yet.
_HELD: Final = text("""
SELECT token, sum(amount) FROM (
    SELECT arguments->>'token' AS token,
           CASE WHEN name = 'Deposit' THEN (arguments->>'amount')::numeric
                ELSE -(arguments->>'amount')::numeric END AS amount
      FROM chain_event
     WHERE NOT orphaned AND name IN ('Deposit', 'WithdrawalConfirmation', 'FundsRecovered')
    UNION ALL
    SELECT encode(t.address, 'hex'), c.amount
      FROM cover c JOIN token t ON t.id = c.token_id
      JOIN transaction_intent i ON i.id = c.intent_id
     WHERE i.state = 'confirmed'
) AS moves GROUP BY token
""")
# The confirmed requests of a holder are rows; younger ones, payments and slashes only events yet.
_UNAPPLIED: Final = text("""
SELECT sum(CASE name WHEN 'WithdrawalRequest' THEN (arguments->>'amount')::numeric
                     WHEN 'WithdrawalConfirmation' THEN -(arguments->>'amount')::numeric
                     ELSE -(arguments->>'previous_eon_amount')::numeric
                          - (arguments->>'current_eon_amount')::numeric END)
  FROM chain_event
 WHERE NOT orphaned AND NOT applied
   AND name IN ('WithdrawalRequest', 'WithdrawalConfirmation', 'WithdrawalSlashed')
   AND arguments->>'token' = :token AND arguments->>'requestor' = :holder
""")


def check_funds(context: Context, findings: Findings) -> None:
    """The contract owns what was deposited and has not been paid; more is only a fact."""
    with context.sessions() as session:
        wanted = select(Token.address, Token.short_name).where(Token.state == "active")
        tokens = [(bytes(address), name) for address, name in session.execute(wanted)]
    missing: list[Finding] = []
    extra: list[Finding] = []
    for first in range(0, len(tokens), TOKENS_AT_ONCE):
        batch = tokens[first : first + TOKENS_AT_ONCE]
        addresses = [address for address, _ in batch]

        def read(addresses: Sequence[Address] = addresses) -> tuple[BlockHeader, list[int]]:
            return read_balances(context.gateway, addresses)

        held = compare(context, read, lambda session, owned: (owned, _held(session)))
        if held is None:
            findings.unchecked.append("the contract's funds")
            return
        for (address, name), owned in zip(batch, held[0], strict=True):
            expected = held[1].get(address, 0)
            message = f"it holds {owned}, deposits less payments are {expected}"
            if owned < expected:
                missing.append(Finding(alarms.FUNDS_MISSING, name, message))
            elif owned > expected:
                extra.append(Finding(alarms.FUNDS_EXTRA, name, message, alarms.INFORMATION))
    findings.judge(alarms.FUNDS_MISSING, missing)
    findings.judge(alarms.FUNDS_EXTRA, extra)


def _held(session: Session) -> dict[Address, int]:
    return {bytes.fromhex(token): int(amount) for token, amount in session.execute(_HELD)}


def check_requests(context: Context, findings: Findings) -> None:
    """The contract lists for each holder the open requests that the ledger knows."""
    with context.sessions() as session:
        holders = _holders(session)
    found: list[Finding] = []
    for first in range(0, len(holders), HOLDERS_AT_ONCE):
        batch = holders[first : first + HOLDERS_AT_ONCE]

        def read(
            batch: Sequence[Holder] = batch,
        ) -> tuple[BlockHeader, list[tuple[PendingRequest, ...]]]:
            return read_pending(context.gateway, batch)

        def judge(
            session: Session,
            listed: list[tuple[PendingRequest, ...]],
            batch: Sequence[Holder] = batch,
        ) -> list[Finding]:
            pairs = zip(batch, listed, strict=True)
            edition = context.rules(session).edition
            judged = [_compare_lists(session, edition, *pair) for pair in pairs]
            return [one for one in judged if one is not None]

        differing = compare(context, read, judge)
        if differing is None:
            findings.unchecked.append("the holders' pending requests")
            return
        found += differing
    findings.judge(alarms.REQUESTS_DIFFER, found)


def _holders(session: Session) -> list[Holder]:
    """Who has open requests, and whose have ended lately: the contract may not think so."""
    view = find_view(session)
    recent = 0 if view is None else view.current_eon - RECENT_EONS
    rows = session.execute(
        select(Token.address, WithdrawalRequest.address)
        .join(Token, Token.id == WithdrawalRequest.token_id)
        .where(or_(WithdrawalRequest.status.not_in(ENDED), WithdrawalRequest.eon >= recent))
        .distinct()
        .limit(MOST_HOLDERS)
    )
    return [(bytes(token), bytes(holder)) for token, holder in rows]


def _compare_lists(
    session: Session, edition: ContractEdition, holder: Holder, listed: Sequence[PendingRequest]
) -> Finding | None:
    token, address = holder
    known = session.scalars(select(Token).where(Token.address == token)).one()
    rows = session.execute(
        select(WithdrawalRequest.eon, WithdrawalRequest.amount).where(
            WithdrawalRequest.token_id == known.id,
            WithdrawalRequest.address == address,
            WithdrawalRequest.status.not_in(ENDED),
        )
    )
    ours = _by_eon([(eon, amount) for eon, amount in rows])
    theirs = _by_eon([(request.eon, request.amount) for request in listed])
    if edition is ContractEdition.PUBLISHED:
        theirs = _without_paid(session, known.id, address, ours, theirs)
    moving = session.scalar(_UNAPPLIED, {"token": token.hex(), "holder": address.hex()})
    if moving is None and ours == theirs:
        return None
    if moving is not None and sum(ours.values()) + int(moving) == sum(theirs.values()):
        # Which of them the unconfirmed events concern is known when they are confirmed.
        return None
    about = names.withdrawal_desk_id(known.short_name, address.hex())
    message = f"the contract lists {_shown(theirs)}, the ledger {_shown(ours)}"
    return Finding(alarms.REQUESTS_DIFFER, about, message)


def _without_paid(
    session: Session, token_id: int, address: Address, ours: dict[int, int], theirs: dict[int, int]
) -> dict[int, int]:
    """The published contract goes on listing the last request after it has paid it."""
    rows = session.execute(
        select(WithdrawalRequest.eon, WithdrawalRequest.amount).where(
            WithdrawalRequest.token_id == token_id,
            WithdrawalRequest.address == address,
            WithdrawalRequest.status == "paid",
            WithdrawalRequest.eon.in_(list(theirs)),
        )
    )
    paid = _by_eon([(eon, amount) for eon, amount in rows])
    left = {
        eon: amount - paid.get(eon, 0) if amount - ours.get(eon, 0) == paid.get(eon) else amount
        for eon, amount in theirs.items()
    }
    return {eon: amount for eon, amount in left.items() if amount}


def _by_eon(requests: Sequence[tuple[int, int]]) -> dict[int, int]:
    sums: dict[int, int] = defaultdict(int)
    for eon, amount in requests:
        sums[eon] += amount
    return {eon: amount for eon, amount in sorted(sums.items()) if amount}


def _shown(sums: dict[int, int]) -> str:
    return ", ".join(f"{amount} of eon {eon}" for eon, amount in sums.items()) or "nothing"


def check_conservation(context: Context, findings: Findings) -> None:
    """The wallets own together what came in and has not gone out."""
    with context.sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        books = token_books(session)
    found = [
        Finding(
            alarms.CONSERVATION,
            book.short_name,
            f"the wallets own {book.owned}, {book.remaining} came in and has not gone out",
        )
        for book in books
        if book.difference
    ]
    findings.judge(alarms.CONSERVATION, found)
