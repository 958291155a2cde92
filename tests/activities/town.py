"""People with money on a real commit-chain, and an operator whose steps the test takes itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.adoption import Adoptions
from activities.eons import CheckpointWork
from activities.slashing import SlashWork
from chain.calls import BalanceProof, Call, deposit, request_withdrawal
from chain.signer import TransactionSigner
from chain.transactions import Receipt
from duties.eons import OpenSubmission, Unsettled, Verdict
from duties.slashes import OpenSlash, SlashOrder
from duties.transactions import Ending, Progress
from ledger.audit import verify_ledger
from ledger.duty_notices import undelivered
from ledger.proofs import allotment_proof
from models import Alarm, WithdrawalRequest
from protocol.encoding import ZERO_HASH
from protocol.keccak import keccak256
from tests.activities.conftest import CONFIRMATIONS, Sending
from tests.ledger.paying import Bank
from tests.ledger.world import World

ETHER = 10**18
REQUEST_GAS = 100_100
BOND_PRICE = 200 * 10**9


def signer(name: str) -> TransactionSigner:
    """The key of a person of the tests, for transactions of the person's own."""
    return TransactionSigner(keccak256(b"ledger tests: " + name.encode()))


@dataclass
class Town:
    """Named people of the native token; the operator follows the chain when told."""

    sending: Sending
    follow: Callable[[], None]

    def __post_init__(self) -> None:
        self.context, self.chain = self.sending.context, self.sending.chain
        self.ether = self.context.gateway.contract
        self.clock = self.context.gateway.clock()
        self.steps, self.slashing = CheckpointWork(self.context), SlashWork(self.context)
        with self.context.sessions() as session:
            rules = self.context.rules(session)
        self.bank = Bank(World(self.context.engine, self.context.sessions, rules))

    @property
    def eon(self) -> int:
        return self.clock.eon_of(self.chain.node.head().number)

    def mine(self, blocks: int = 1) -> None:
        """Mine and let the operator see it."""
        self.chain.mine(blocks)
        self.follow()

    def confirm(self) -> None:
        """Mine until everything of now is confirmed."""
        self.mine(CONFIRMATIONS)

    def found(self) -> None:
        """The operator's start: its native token, and the view of the head."""
        self.follow()
        Adoptions(self.context).add_native_token()

    def settle(self, name: str, amount: int) -> None:
        """Somebody arrives, registers and deposits."""
        who = signer(name)
        self.chain.rpc("anvil_setBalance", "0x" + who.address.hex(), hex(100 * ETHER))
        self.bank.world.admit(name, self.ether)
        if amount:
            call = deposit(self.ether, token=self.ether, beneficiary=who.address, amount=amount)
            assert self.chain.execute(who, call).succeeded

    def pay(self, sender: str, recipient: str, amount: int, nonce: int, **how: Any) -> None:
        self.bank.must_pay(sender, recipient, amount, nonce, token=self.ether, **how)

    def balance(self, name: str) -> int:
        return self.bank.balances(name, self.ether).loosely_available

    def proof(self, name: str, eon: int) -> BalanceProof:
        with self.context.sessions() as session:
            found = allotment_proof(session, self.bank.wallet(name, self.ether).id, eon)
        assert found is not None
        return BalanceProof(
            trail=found.trail,
            allotment_chain=found.hashes,
            membership_chain=found.membership_hashes,
            values=found.values,
            left=found.left,
            right=found.right,
            active_state=found.active_state_digest or ZERO_HASH,
            passive_root=found.passive_root or ZERO_HASH,
            passive_amount=found.passive_amount,
            passive_marker=found.passive_marker,
        )

    def request(self, name: str, amount: int) -> Receipt:
        """Ask the contract for money, with the proof of the eon before."""
        receipt = self.chain.execute(signer(name), self._request(name, amount))
        assert receipt.succeeded
        return receipt

    def send_request(self, name: str, amount: int) -> None:
        """Put such a request into the pool."""
        self.chain.send(signer(name), self._request(name, amount))

    def _request(self, name: str, amount: int) -> Call:
        return request_withdrawal(
            self.ether,
            token=self.ether,
            proof=self.proof(name, self.eon - 1),
            amount=amount,
            fee=REQUEST_GAS * BOND_PRICE,
        )

    def turn(self, sub_block: int = 2 * CONFIRMATIONS) -> None:
        """Go on to a block of the next eon, after whose checkpoint is due."""
        self.chain.mine_to(self.clock.first_block(self.eon + 1) + sub_block)
        self.follow()

    async def build(self) -> Verdict:
        """Close the eon before and build the checkpoint of this one."""
        await ActivityEnvironment().run(self.steps.close_eon, self.eon - 1)
        await ActivityEnvironment().run(self.steps.build_checkpoint, self.eon)
        return await ActivityEnvironment().run(self.steps.verify_checkpoint, self.eon)

    async def submit(self, revision: int = 1) -> Progress:
        """Announce the root, have it mined and final."""
        eon = self.eon
        await ActivityEnvironment().run(self.steps.announce_checkpoint, eon)
        opening = self.steps.open_submission(OpenSubmission(eon, revision))
        return await self.carry_out(opening.intent_id)

    async def commit(self) -> None:
        """Everything that an eon's checkpoint takes when nothing is wrong."""
        assert (await self.build()).overclaims == ()
        assert (await self.submit()).ending == Ending.CONFIRMED

    async def carry_out(self, intent: int) -> Progress:
        """Send an intent, have it mined and deep enough."""
        self.sending.broadcast(intent)
        self.mine(1 + CONFIRMATIONS)
        return await self.sending.watch(intent)

    def decided(self) -> list[SlashOrder]:
        """What the ledger decided to slash, oldest first."""
        with self.context.sessions() as session:
            notices = undelivered(session, 1_000)
        return [SlashOrder(**one.arguments) for one in notices if one.kind == "slash-decided"]

    async def slash(self, order: SlashOrder, revision: int = 1) -> Progress:
        """Carry out a decision by its next transaction."""
        opening = self.slashing.open_slash(OpenSlash(order, revision))
        assert opening.intent_id, opening
        return await self.carry_out(opening.intent_id)

    def unsettled(self) -> Unsettled:
        return self.steps.read_unsettled(self.eon - 1)

    def listed(self, name: str) -> list[tuple[int, int]]:
        """The contract's list of somebody's requests, by eon and amount."""
        state = self.context.gateway.holder(self.ether, signer(name).address)
        return [(one.eon, one.amount) for one in state.pending]

    def statuses(self, name: str) -> list[str]:
        """The ledger's view of somebody's requests, oldest first."""
        with self.context.sessions() as session:
            rows = select(WithdrawalRequest.status).order_by(WithdrawalRequest.id)
            address = signer(name).address
            return list(session.scalars(rows.where(WithdrawalRequest.address == address)))

    def alarms(self) -> list[str]:
        """The subjects of open alarms."""
        with self.context.sessions() as session:
            open_ones = select(Alarm.subject).where(Alarm.cleared_at.is_(None))
            return list(session.scalars(open_ones.order_by(Alarm.id)))

    def faults(self) -> list[str]:
        """What the audit finds in the ledger."""
        with self.context.sessions() as session:
            return verify_ledger(session, self.context.rules(session))


async def found_town(sending: Sending, follow: Callable[[], None]) -> Town:
    """Bad and good of 500 each and friend of nothing, in eon 3 after its checkpoint."""
    town = Town(sending, follow)
    town.found()
    for name, amount in (("bad", 500), ("good", 500), ("friend", 0)):
        town.settle(name, amount)
    town.mine(2 * CONFIRMATIONS)
    await town.commit()
    for _ in range(2):
        town.turn()
        await town.commit()
    return town
