"""Nothing stands in the way of what the chain halts without: no queue, no nonce, no budget."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.broadcasting import Broadcaster
from activities.patience import Patience
from chain.calls import confirm_withdrawal, submit_checkpoint
from chain.errors import NodeBusy, WrongChain
from chain.fees import DynamicFee
from chain.gateway import ContractGateway
from chain.node import Node
from chain.signer import TransactionRequest, TransactionSigner
from chain.transactions import SendOutcome, find_receipt, is_known, send_raw
from duties import alarms
from duties.transactions import Broadcast, Ending, Stage
from ledger.interventions import Person
from ledger.transactions.lane import LaneBounds, set_bounds
from ledger.transactions.nonces import RESERVED_FOR_OTHERS
from models import Alarm, DutyNotice, TransactionIntent
from protocol.encoding import ZERO_HASH
from simulation.node_proxy import NodeProxy, node_proxy
from stack.node import AnvilNode
from tests.activities.conftest import CONFIRMATIONS, GWEI, Sending
from tests.chain.conftest import Chain

ROOT = bytes([7]) * 32
ETHER = 10**18
Opener = Callable[..., int]


@pytest.fixture
def ordinary(sending: Sending) -> Opener:
    """Opens one more harmless intent without a deadline; every holder is another."""
    opened: list[int] = []

    def open_one(duty: str = "delegated_withdrawal", **more: object) -> int:
        contract = sending.context.gateway.contract
        holder = bytes([len(opened) + 1]) * 20
        call = confirm_withdrawal(contract, token=contract, holder=holder)
        intent = sending.open(f"ordinary-{len(opened)}", call.data, duty=duty, **more)
        opened.append(intent)
        return intent

    return open_one


@pytest.fixture
def vital(sending: Sending) -> Opener:
    """Opens the checkpoint of eon 1, due at the end of the eon, as any vital duty."""

    def open_one(duty: str = "checkpoint", key: str = "vital", **more: object) -> int:
        gateway = sending.context.gateway
        clock = gateway.clock()
        call = submit_checkpoint(gateway.contract, accumulator=ZERO_HASH, root=ROOT)
        window = {"earliest_block": clock.first_block(1), "deadline_block": clock.last_block(1)}
        return sending.open(key, call.data, duty=duty, **(window | more))

    return open_one


def open_alarms(sending: Sending) -> set[str]:
    with sending.context.sessions() as session:
        return set(session.scalars(select(Alarm.subject).where(Alarm.cleared_at.is_(None))))


def base_fee(chain: Chain, wei: int) -> None:
    """Let the next block, and so those after it, demand this much."""
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))
    chain.mine()


def test_an_answer_gets_its_nonce_while_ordinary_duties_wait_for_theirs(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    crowded = sending.with_context(in_flight_limit=RESERVED_FOR_OTHERS + 2)
    queue = [ordinary("withdrawal_confirmation") for _ in range(6)]
    # The desk's preflight would refuse payments of nothing: these stand for any ordinary duty.
    with sending.context.sessions.begin() as session:
        for row in session.scalars(select(TransactionIntent)):
            row.duty = "delegated_withdrawal"
    stages = [crowded.broadcast(intent).stage for intent in [*queue, ordinary(), ordinary()]]
    assert stages.count(Stage.SENT) == 6 and stages.count(Stage.WAITING) == 2
    answer = vital("answer")
    assert crowded.broadcast(answer).stage == Stage.SENT
    chain.mine()
    (sent,) = sending.attempts(answer)
    assert find_receipt(chain.node, bytes(sent.hash)) is not None


def test_a_free_place_goes_to_the_earlier_deadline_then_to_the_older_intent(
    sending: Sending, ordinary: Opener, chain: Chain
) -> None:
    single = sending.with_context(in_flight_limit=1)
    first, older, younger = ordinary(), ordinary(), ordinary()
    urgent = ordinary(deadline_block=chain.node.head().number + 10_000)
    assert single.broadcast(first).stage == Stage.SENT
    for intent in (older, younger, urgent):
        assert single.broadcast(intent).stage == Stage.WAITING
    chain.mine()
    broadcasting_watch(sending, first)
    for intent in (younger, older):
        assert single.broadcast(intent).stage == Stage.WAITING
    assert single.broadcast(urgent).stage == Stage.SENT
    chain.mine()
    broadcasting_watch(sending, urgent)
    assert single.broadcast(younger).stage == Stage.WAITING
    assert single.broadcast(older).stage == Stage.SENT


def bounded(sending: Sending, **bounds: int) -> None:
    """Let a person set bounds of sending."""
    with sending.context.sessions.begin() as session:
        account = sending.context.operator.address
        assert set_bounds(session, account, Person("kim", "the fees"), LaneBounds(**bounds))


def test_a_person_narrows_the_lane_while_it_runs(sending: Sending, ordinary: Opener) -> None:
    bounded(sending, in_flight=5)
    queue = [ordinary() for _ in range(7)]
    stages = [sending.broadcast(intent).stage for intent in queue]
    assert stages.count(Stage.SENT) == 5 and stages.count(Stage.WAITING) == 2
    bounded(sending)
    assert sending.broadcast(queue[-1]).stage == Stage.SENT


def test_a_person_s_ceilings_count_before_the_settings(
    sending: Sending, ordinary: Opener, vital: Opener
) -> None:
    bounded(sending, ceiling_gwei=2, critical_ceiling_gwei=3)
    caps = {}
    for intent in (ordinary(), vital()):
        # The base fee of the next block asks for more than either ceiling.
        sending.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(40 * GWEI))
        sending.chain.mine()
        sending.broadcast(intent)
        [caps[intent]] = [one.fee_cap for one in sending.attempts(intent)]
    assert sorted(caps.values()) == [2 * GWEI, 3 * GWEI]


def broadcasting_watch(sending: Sending, intent: int) -> Stage:
    """One look at the chain."""
    from activities.watching import Watcher

    return Stage(Watcher(sending.context)._look(intent).progress.stage)


def test_a_vital_transaction_pulls_the_stuck_ones_before_it_along(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    stuck = [ordinary(), ordinary()]
    for intent in stuck:
        sending.broadcast(intent)
    # Twenty times the base fee, and above the ordinary ceiling of 300 gwei.
    base_fee(chain, 400 * GWEI)
    assert sending.broadcast(stuck[0]).fee == str(300 * GWEI)
    assert alarms.FEE_CEILING in open_alarms(sending)
    checkpoint = vital()
    assert sending.broadcast(checkpoint).stage == Stage.SENT
    chain.mine()
    for intent in [*stuck, checkpoint]:
        newest = sending.attempts(intent)[-1]
        assert find_receipt(chain.node, bytes(newest.hash)) is not None
        assert newest.fee_cap <= 1_000 * GWEI
    assert [len(sending.attempts(intent)) for intent in stuck] == [3, 2]
    assert alarms.FEE_CEILING not in open_alarms(sending)


def test_what_the_pool_has_lost_is_given_to_it_again_before_the_vital_one(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    lost = [ordinary(), ordinary()]
    for intent in lost:
        sending.broadcast(intent)
    chain.rpc("anvil_dropAllTransactions")
    checkpoint = vital()
    sending.broadcast(checkpoint)
    chain.mine()
    for intent in [*lost, checkpoint]:
        (only,) = sending.attempts(intent)
        assert find_receipt(chain.node, bytes(only.hash)) is not None


def test_vital_ones_in_a_row_ask_for_each_nonce_before_them_once_a_block(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain, anvil: AnvilNode
) -> None:
    asked: list[str] = []
    with through_proxy(sending, anvil) as (proxy, through):
        proxy.before = lambda body: asked.extend(re.findall(r'"eth_\w+"', body.decode()))
        row = [vital("answer", key=f"answer-{number}") for number in range(8)]
        broadcast = Broadcaster(through.context).broadcast
        for intent in row:
            progress = ActivityEnvironment().run(broadcast, Broadcast(intent))
            assert progress.stage == Stage.SENT
        before = len(row) - 1
        assert asked.count('"eth_getTransactionByHash"') == before
        for intent in row:
            ActivityEnvironment().run(broadcast, Broadcast(intent))
        # Each asks for its own bytes besides.
        assert asked.count('"eth_getTransactionByHash"') == before + len(row)
    chain.mine()
    assert all(sent(chain, sending, intent) for intent in row)


def sent(chain: Chain, sending: Sending, intent: int) -> bool:
    (attempt,) = sending.attempts(intent)
    return find_receipt(chain.node, bytes(attempt.hash)) is not None


def foreign(
    chain: Chain, signer: TransactionSigner, *, cap: int, tip: int = 1, gas_limit: int = 21_000
) -> bytes:
    """A stranger's use of the operator's key; returns its hash."""
    signed = signer.sign(
        TransactionRequest(
            chain_id=chain.node.require_chain(),
            nonce=chain.node.transaction_count(signer.address),
            to=signer.address,
            value=0,
            data=b"",
            gas_limit=gas_limit,
            fee=DynamicFee(cap, tip),
        )
    )
    assert send_raw(chain.node, signed.raw) is SendOutcome.ACCEPTED
    return signed.tx_hash


async def test_a_strangers_stuck_nonce_is_used_up_when_a_vital_one_waits_behind_it(
    sending: Sending, vital: Opener, chain: Chain, operator: TransactionSigner
) -> None:
    # It asks for more gas than a block has, so that it waits for ever.
    before = chain.node.head().gas_limit
    cheap = foreign(chain, operator, cap=9 * GWEI, gas_limit=2_000_000)
    chain.rpc("evm_setBlockGasLimit", hex(1_000_000))
    checkpoint = vital()
    sending.broadcast(checkpoint)
    chain.mine(2)
    (ours,) = sending.attempts(checkpoint)
    assert find_receipt(chain.node, bytes(ours.hash)) is None
    sending.broadcast(checkpoint)
    chain.rpc("evm_setBlockGasLimit", hex(before))
    chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(checkpoint)).ending == Ending.CONFIRMED
    assert not is_known(chain.node, cheap)
    with sending.context.sessions() as session:
        repair = session.scalars(
            select(TransactionIntent).where(TransactionIntent.duty == "repair")
        ).one()
        started = session.scalars(select(DutyNotice.arguments)).all()
    assert {"intent_id": repair.id, "key": repair.key, "title": f"Use up nonce {repair.nonce}"} in (
        started
    )
    assert (await sending.watch(repair.id)).ending == Ending.CANCELLED


def test_a_gap_that_nobody_holds_is_filled_at_once(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    first, checkpoint = ordinary(), vital()
    sending.broadcast(first)
    sending.broadcast(checkpoint)
    chain.rpc("anvil_dropAllTransactions")
    with sending.context.sessions.begin() as session:
        # As after a reorganisation that also lost the stranger's transaction.
        session.get_one(TransactionIntent, first).state = "usurped"
    sending.broadcast(checkpoint)
    chain.mine()
    (ours,) = sending.attempts(checkpoint)
    assert find_receipt(chain.node, bytes(ours.hash)) is not None


def test_the_days_budget_holds_ordinary_duties_and_no_vital_one(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    frugal = sending.with_context(daily_budget=10**12)
    first, second = ordinary(), ordinary()
    assert frugal.broadcast(first).stage == Stage.SENT
    chain.mine()
    assert broadcasting_watch(sending, first) == Stage.MINED
    waiting = frugal.broadcast(second)
    assert waiting.stage == Stage.WAITING and "of the day's" in waiting.reason
    assert alarms.BUDGET in open_alarms(sending)
    assert frugal.broadcast(vital()).stage == Stage.SENT
    pressed = ordinary(earliest_block=1, deadline_block=chain.node.head().number + 3)
    assert frugal.broadcast(pressed).stage == Stage.SENT
    with sending.context.sessions.begin() as session:
        spent = session.get_one(TransactionIntent, first)
        assert spent.gas_cost is not None and spent.mined_at is not None
        # The next day.
        spent.mined_at = spent.mined_at.replace(year=spent.mined_at.year - 1)
    rich = sending.with_context(daily_budget=ETHER)
    assert rich.broadcast(second).stage == Stage.SENT
    assert alarms.BUDGET not in open_alarms(sending)


async def test_a_lost_block_takes_its_costs_back(
    sending: Sending, ordinary: Opener, chain: Chain
) -> None:
    intent = ordinary()
    sending.broadcast(intent)
    mark = chain.mark()
    chain.mine()
    broadcasting_watch(sending, intent)
    assert sending.intent(intent).gas_cost
    chain.return_to(mark)
    chain.rpc("anvil_dropAllTransactions")
    broadcasting_watch(sending, intent)
    assert sending.intent(intent).gas_cost is None


def test_a_transaction_waits_for_what_it_depends_on_while_its_deadline_lets_it(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    registration = ordinary("token_registration")
    checkpoint = vital(depends_on=("ordinary-0",))
    waiting = sending.broadcast(checkpoint)
    assert waiting.stage == Stage.WAITING and "another transaction" in waiting.reason
    sending.broadcast(registration)
    assert sending.broadcast(checkpoint).stage == Stage.WAITING
    chain.mine()
    broadcasting_watch(sending, registration)
    assert sending.broadcast(checkpoint).stage == Stage.SENT


def test_half_a_window_later_nothing_is_waited_for(
    sending: Sending, ordinary: Opener, vital: Opener, chain: Chain
) -> None:
    ordinary("slash")
    checkpoint = vital(depends_on=("ordinary-0",))
    clock = sending.context.gateway.clock()
    chain.mine_to(clock.first_block(1) + clock.blocks_per_eon // 2 + 1)
    assert sending.broadcast(checkpoint).stage == Stage.SENT


def test_what_the_pool_holds_on_our_nonce_is_outbid(
    sending: Sending, vital: Opener, chain: Chain, operator: TransactionSigner
) -> None:
    checkpoint = vital()
    sending.broadcast(checkpoint)
    (ours,) = sending.attempts(checkpoint)
    chain.rpc("anvil_dropTransaction", "0x" + bytes(ours.hash).hex())
    foreign(chain, operator, cap=3 * ours.fee_cap + 9 * GWEI, tip=9 * GWEI)
    progress = sending.broadcast(checkpoint)
    assert (progress.attempts, progress.reason) == (2, "")
    chain.mine()
    newest = sending.attempts(checkpoint)[-1]
    assert newest.tip >= 9 * GWEI * 11 // 10
    assert find_receipt(chain.node, bytes(newest.hash)) is not None


@contextmanager
def through_proxy(sending: Sending, anvil: AnvilNode) -> Iterator[tuple[NodeProxy, Sending]]:
    """The same sender behind a node that fails on purpose."""
    with node_proxy(anvil.url) as proxy:
        gateway = ContractGateway(Node(proxy.url), sending.context.gateway.contract)
        yield proxy, sending.with_context(gateway=gateway)


def test_a_refusal_as_underpriced_is_answered_a_few_times_and_then_waits(
    sending: Sending, ordinary: Opener, anvil: AnvilNode
) -> None:
    with through_proxy(sending, anvil) as (proxy, through):
        proxy.refuse_sends("replacement transaction underpriced", times=10)
        progress = through.broadcast(ordinary())
    assert (progress.attempts, progress.reason) == (4, "replacement underpriced")


def test_after_three_patiences_without_a_trace_every_attempt_is_sent_again(
    sending: Sending, vital: Opener, chain: Chain
) -> None:
    checkpoint = vital()
    sending.broadcast(checkpoint)
    base_fee(chain, sending.attempts(checkpoint)[0].fee_cap + GWEI)
    sending.broadcast(checkpoint)
    chain.rpc("anvil_dropAllTransactions")
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    chain.mine(6)
    before = [attempt.last_broadcast for attempt in sending.attempts(checkpoint)]
    sending.broadcast(checkpoint)
    after = [attempt.last_broadcast for attempt in sending.attempts(checkpoint)]
    assert len(after) == 2
    assert all(new > old for new, old in zip(after, before, strict=True) if new and old)
    chain.mine()
    receipts = [find_receipt(chain.node, bytes(a.hash)) for a in sending.attempts(checkpoint)]
    assert any(receipts)


def test_a_vital_transaction_offers_no_more_than_the_account_has_and_calls_for_fuel(
    sending: Sending, vital: Opener, chain: Chain
) -> None:
    owner = "0x" + sending.context.operator.address.hex()
    before = hex(chain.node.balance(sending.context.operator.address))
    base_fee(chain, 400 * GWEI)
    poor = 500 * GWEI * 200_000
    chain.rpc("anvil_setBalance", owner, hex(poor))
    try:
        checkpoint = vital()
        assert sending.broadcast(checkpoint).stage == Stage.SENT
        (sent,) = sending.attempts(checkpoint)
        assert sent.fee_cap * sent.gas_limit <= poor
        chain.mine()
        assert find_receipt(chain.node, bytes(sent.hash)) is not None
    finally:
        chain.rpc("anvil_setBalance", owner, before)


async def test_a_receipt_that_lags_behind_the_count_is_no_theft(
    sending: Sending, ordinary: Opener, chain: Chain, anvil: AnvilNode
) -> None:
    with through_proxy(sending, anvil) as (proxy, through):
        intent = ordinary()
        through.broadcast(intent)
        chain.mine(1 + CONFIRMATIONS)
        proxy.withhold_receipts(times=6)
        assert (await through.watch(intent)).ending == Ending.CONFIRMED
        assert proxy.hits["null receipt"] == 6
    assert alarms.NONCE_USURPED not in open_alarms(sending)


def test_nothing_is_signed_for_a_node_of_another_chain(
    sending: Sending, ordinary: Opener, anvil: AnvilNode
) -> None:
    intent = ordinary()
    with through_proxy(sending, anvil) as (proxy, through):
        through.context.gateway.parameters()
        proxy.pretend_chain(1)
        with pytest.raises(WrongChain):
            through.broadcast(intent)
        assert sending.attempts(intent) == []
        proxy.heal()
        assert through.broadcast(intent).stage == Stage.SENT


async def test_a_node_that_asks_for_patience_sets_the_time_of_the_next_attempt() -> None:
    class Busy(ActivityInboundInterceptor):
        def __init__(self) -> None:
            pass

        async def execute_activity(self, input: ExecuteActivityInput) -> Any:
            raise NodeBusy("HTTP status 429", 7.0)

    waiting = Patience().intercept_activity(Busy())
    with pytest.raises(ApplicationError) as caught:
        await waiting.execute_activity(cast(ExecuteActivityInput, None))
    assert caught.value.next_retry_delay == timedelta(seconds=7)
    assert caught.value.type == "NodeBusy"
