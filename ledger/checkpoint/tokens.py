"""One token of a checkpoint: its leaves settled against its money, and hashed to a tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from ledger.alarms import OVERCLAIM, OVERCLAIM_CHARGED, WALLET_ISOLATED
from ledger.checkpoint.funds import managed_funds
from ledger.checkpoint.leaves import Leaf, TokenTurn, read_leaves
from ledger.rules import LedgerRules
from ledger.unclaimed import grantable
from protocol.address import checksum_address
from protocol.encoding import ZERO_HASH
from protocol.trees.balance import BalanceLeaves, BalanceTree


@dataclass(slots=True)
class Finding:
    """What a person should hear about a checkpoint that is made all the same."""

    subject: str
    object: str
    message: str


@dataclass(slots=True)
class TokenCheckpoint:
    """A token's tree with the leaves that belong to wallets, and what was found on the way.

    `lefts` are the left bounds of `leaves`. `managed_funds` in base units. `overdrawn` are the
    ids of wallets whose balance was below 0, `claims` those of unclaimed money that the operator's
    leaf has received.
    """

    turn: TokenTurn
    leaves: list[Leaf]
    managed_funds: int
    tree: BalanceTree
    lefts: list[int]
    overdrawn: list[int]
    claims: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def overclaim(self) -> int:
        """What the leaves claim beyond the money that there is, in base units."""
        return max(0, self.tree.upper_bound - self.managed_funds)


def check_out_token(connection: Connection, rules: LedgerRules, turn: TokenTurn) -> TokenCheckpoint:
    """Settle and hash one token of the checkpoint after `turn.eon`."""
    findings: list[Finding] = []
    leaves = list(read_leaves(connection, turn))
    overdrawn = [leaf.wallet_id for leaf in leaves if leaf.balance < 0]
    _isolate(leaves, turn, findings)
    last_block = rules.clock.last_block(turn.eon) if turn.eon else rules.clock.genesis_block - 1
    funds = managed_funds(connection, turn.token_id, last_block)
    _charge_owner(leaves, rules, turn, funds, findings)
    granted = _grant_claims(connection, leaves, rules, turn, funds)
    hashed = BalanceLeaves(contract=turn.contract, token=turn.address)
    lefts = [
        hashed.add(
            leaf.address,
            leaf.balance,
            active_digest=leaf.state_digest or ZERO_HASH,
            passive_root=leaf.passive_root or ZERO_HASH,
            passive_amount=leaf.passive_amount,
            passive_marker=leaf.passive_marker,
        )[0]
        for leaf in leaves
    ]
    if hashed.upper_bound < funds:
        # Money without an owner: nobody's allotment, so that the upper bound is all the money.
        hashed.add(rules.operator.address, funds - hashed.upper_bound)
    checkpoint = TokenCheckpoint(
        turn, leaves, funds, hashed.tree(), lefts, overdrawn, granted, findings
    )
    if checkpoint.overclaim:
        claims = f"the leaves claim {hashed.upper_bound}, the contract holds {funds}"
        findings.append(Finding(OVERCLAIM, _name(turn), claims))
    return checkpoint


def _isolate(leaves: list[Leaf], turn: TokenTurn, findings: list[Finding]) -> None:
    """Keep a wallet that contradicts itself from stopping the others; what it owes is missing."""
    for leaf in leaves:
        if leaf.balance < 0:
            owed = -leaf.balance
            leaf.balance = 0
            leaf.fault = f"it spent {owed} more than it had"
        if leaf.fault is not None:
            wallet = f"{turn.short_name} {checksum_address(leaf.address)} eon {turn.eon}"
            findings.append(Finding(WALLET_ISOLATED, wallet, leaf.fault))


def _charge_owner(
    leaves: list[Leaf], rules: LedgerRules, turn: TokenTurn, funds: int, findings: list[Finding]
) -> None:
    """Let the operator's own leaf pay for an over-claim, if it covers all of it."""
    missing = sum(leaf.balance for leaf in leaves) - funds
    if missing <= 0:
        return
    for leaf in leaves:
        if leaf.address == rules.operator.address and leaf.balance >= missing:
            leaf.balance -= missing
            message = f"{missing} was taken from the operator's allotment after eon {turn.eon}"
            findings.append(Finding(OVERCLAIM_CHARGED, _name(turn), message))
            return


def _grant_claims(
    connection: Connection, leaves: list[Leaf], rules: LedgerRules, turn: TokenTurn, funds: int
) -> list[int]:
    """Give the operator's leaf what a person has claimed of the money that nobody else has."""
    own = next((leaf for leaf in leaves if leaf.address == rules.operator.address), None)
    unclaimed = funds - sum(leaf.balance for leaf in leaves)
    if own is None or unclaimed <= 0:
        return []
    granted = grantable(connection, turn.token_id, turn.eon, unclaimed)
    own.balance += sum(amount for _, amount in granted)
    return [claim_id for claim_id, _ in granted]


def _name(turn: TokenTurn) -> str:
    return f"{turn.short_name} {checksum_address(turn.address)}"
