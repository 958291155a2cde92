"""Lives of duties, to be asserted on and to be recorded as histories for replay."""

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from duties import interventions, names, queues
from duties.challenges import ChallengeStart, Standing, Trial, Tried, TryAnswers
from duties.checks import (
    FuelReport,
    FuelState,
    ReconcileReport,
    RetentionReport,
    SanityReport,
)
from duties.eons import EonStart, Opening, Readiness, Unsettled, Verdict
from duties.interventions import Intervention
from duties.slashes import SlashBook, SlashOrder, SlashStart
from duties.synchronisation import Followed, SyncStart
from duties.tokens import RegistrationStart, TokenTerms
from duties.transactions import Ending, Progress, Stage, TransactionStart
from duties.withdrawals import Desk, DeskBook, DeskStart
from tests.workflows.scripted import Script, in_turn

Handle = WorkflowHandle[Any, Any]
Scenario = Callable[[Script], Awaitable[Handle]]
PERSON = Intervention("kim", "a test of the emergency")
HOLDER = "cd" * 20


async def start(script: Script, workflow: str, argument: Any, workflow_id: str) -> Handle:
    """Start a duty of the script's operator."""
    arguments = [] if argument is None else [argument]
    return await script.environment.client.start_workflow(
        workflow, args=arguments, id=workflow_id, task_queue=queues.DUTY
    )


async def start_eon(script: Script, eon: int = 1) -> Handle:
    """Start the checkpoint of an eon at the block that the script's head has."""
    await script.head()
    argument = EonStart(eon, script.calendar)
    return await start(script, names.EON_WORKFLOW, argument, names.eon_id(eon))


async def eon_committed(script: Script) -> Handle:
    """An eon without trouble."""
    handle = await start_eon(script)
    await handle.result()
    return handle


async def eon_resubmitted(script: Script) -> Handle:
    """The first submission reverts because the basis changed, the second is mined."""
    usual = script.answers["watch"]
    reverted = Progress(Stage.ENDED, Ending.REVERTED, letter="b", reason="another accumulator")
    script.answers["watch"] = in_turn(reverted, usual)
    return await eon_committed(script)


async def eon_held(script: Script) -> Handle:
    """A person holds the submission past half of the eon, then releases it."""
    handle = await start_eon(script)
    await handle.execute_update(interventions.HOLD_SUBMISSION, PERSON)
    await script.environment.sleep(15 * script.calendar.blocks_per_eon * 0.58)
    await handle.execute_update(interventions.RELEASE_SUBMISSION, PERSON)
    await handle.result()
    return handle


async def eon_halted(script: Script) -> Handle:
    """Challenges of the eon before are never answered: the root cannot go out."""
    waiting = Opening(Readiness.WAIT, reason="2 challenges of eon 0 are unanswered")
    script.answers["open_submission"] = in_turn(waiting)
    script.answers["read_unsettled"] = in_turn(Unsettled(("the answer to challenge 1",)))
    return await eon_committed(script)


async def eon_overclaimed(script: Script) -> Handle:
    """The books claim more than the contract holds, and nobody acts."""
    script.answers["verify_checkpoint"] = in_turn(Verdict(("ETH: 101 allotted, 100 held",)))
    script.answers["read_bounds"] = in_turn(Verdict(("ETH: 101 allotted, 100 held",)))
    return await eon_committed(script)


async def eon_waiting_for_slashes(script: Script) -> Handle:
    """Its leaves count on a slash that is mined late, and then becomes final."""
    label = "the slash of ETH 0xcd"
    claims = Verdict(("ETH: 101 allotted, 100 held",), (label,))
    script.answers["verify_checkpoint"] = in_turn(claims)
    script.answers["read_bounds"] = in_turn(claims, Verdict())
    script.answers["read_unsettled"] = in_turn(
        Unsettled((label,), (label,)), Unsettled((label,)), Unsettled()
    )
    return await eon_committed(script)


async def eon_inconsistent(script: Script) -> Handle:
    """The stored checkpoint does not prove what it should until a person has looked."""
    fault = ApplicationError("a level differs", type="CheckpointInconsistent")
    script.answers["verify_checkpoint"] = in_turn(fault, Verdict())
    handle = await start_eon(script)
    await script.environment.sleep(15 * 200)
    await handle.execute_update(interventions.RETRY_NOW, PERSON)
    await handle.result()
    return handle


async def eon_rebuilt(script: Script) -> Handle:
    """The books claim too much until a person has mended them and has the root built anew."""
    script.answers["verify_checkpoint"] = in_turn(
        Verdict(("ETH: 101 allotted, 100 held",)), Verdict()
    )
    script.answers["read_bounds"] = in_turn(Verdict(("ETH: 101 allotted, 100 held",)))
    handle = await start_eon(script)
    await script.environment.sleep(15 * 100)
    await handle.execute_update(interventions.REBUILD, PERSON)
    await handle.result()
    return handle


async def start_transaction(script: Script, **overrides: Any) -> Handle:
    """Start a payment's transaction."""
    values: dict[str, Any] = {
        "intent_id": 1,
        "key": "withdrawal-LQD-1-r1",
        "title": "Pay",
        "calendar": script.calendar,
    }
    argument = TransactionStart(**(values | overrides))
    return await start(
        script, names.TRANSACTION_WORKFLOW, argument, names.transaction_id(argument.key)
    )


async def transaction_confirmed(script: Script) -> Handle:
    """Mined at once and deep enough."""
    handle = await start_transaction(script)
    await handle.result()
    return handle


async def transaction_replaced(script: Script) -> Handle:
    """Waits for room, is sent, is quiet, is replaced, mined, loses its block, and is final."""
    script.answers["broadcast"] = in_turn(
        Progress(Stage.WAITING, reason="too many transactions are waiting to be mined"),
        Progress(Stage.SENT, nonce=7, attempts=1),
        Progress(Stage.SENT, nonce=7, attempts=2),
    )
    script.answers["watch"] = in_turn(
        Progress(Stage.QUIET, nonce=7, attempts=1),
        Progress(Stage.MINED, nonce=7, attempts=2, block=1_020),
        Progress(Stage.QUIET, nonce=7, attempts=2, reason="its block left the chain"),
        Progress(Stage.ENDED, Ending.CONFIRMED, nonce=7, attempts=2, block=1_025),
    )
    return await transaction_confirmed(script)


async def transaction_cancelled(script: Script) -> Handle:
    """A person pauses it, raises its ceiling, resumes and finally cancels it."""
    script.answers["broadcast"] = in_turn(Progress(Stage.WAITING, reason="sending is paused"))
    handle = await start_transaction(script)
    await handle.execute_update(interventions.PAUSE, PERSON)
    raised = Intervention("kim", "fees are high", value=500)
    await handle.execute_update(interventions.RAISE_CEILING, raised)
    await handle.execute_update(interventions.RESUME, PERSON)
    script.answers["broadcast"] = lambda order: (
        Progress(Stage.ENDED, Ending.CANCELLED)
        if order.cancelling
        else Progress(Stage.WAITING, reason="sending is paused")
    )
    await handle.execute_update(interventions.CANCEL, PERSON)
    await handle.result()
    return handle


async def transaction_forced(script: Script) -> Handle:
    """A person has it sent dearer at once, while the pool holds it back."""
    fee = str(30 * 10**9)
    script.answers["broadcast"] = lambda order: (
        Progress(Stage.SENT, nonce=7, attempts=2, fee=fee)
        if order.forced
        else Progress(Stage.WAITING, nonce=7, attempts=1, fee=fee, reason="pool full")
    )
    handle = await start_transaction(script)
    for _ in range(200):
        if (await handle.query("status"))["progress"]["attempts"]:
            break
        await asyncio.sleep(0.1)
    dearer = Intervention("kim", "it is needed now", value=40)
    await handle.execute_update(interventions.FORCE_RESUBMIT, dearer)
    await handle.result()
    return handle


async def transaction_expired(script: Script) -> Handle:
    """Its deadline passes before it had a nonce."""
    await script.head()
    script.answers["broadcast"] = in_turn(Progress(Stage.WAITING, reason="no funds"))
    handle = await start_transaction(script, deadline_block=1_050)
    await handle.result()
    return handle


async def start_desk(script: Script) -> Handle:
    """Open the desk of one wallet."""
    await script.head()
    desk = Desk("bb" * 20, "LQD", HOLDER)
    return await start(
        script,
        names.WITHDRAWAL_DESK_WORKFLOW,
        DeskStart(desk, script.calendar),
        names.withdrawal_desk_id("LQD", HOLDER),
    )


def until_paid(script: Script, book: DeskBook) -> Callable[[Any], DeskBook]:
    """The desk's book until a payment was watched to its end."""
    return lambda desk: DeskBook() if script.count("watch") else book


async def silence(_order: Any) -> Followed:
    """A turn of following the chain that lasts as long as the script."""
    await asyncio.Event().wait()
    raise CancelledError


async def desk_paid(script: Script) -> Handle:
    """One request is paid when the calendar allows."""
    script.answers["read_desk"] = until_paid(script, DeskBook(1, 2_000, 5, "700"))
    handle = await start_desk(script)
    await handle.signal("wake")
    await handle.result()
    return handle


async def desk_blocked(script: Script) -> Handle:
    """The token refuses the holder for two days, then the payment goes through."""
    script.answers["read_desk"] = until_paid(script, DeskBook(1, 1_001, 5, "700"))
    script.answers["open_confirmation"] = in_turn(
        Opening(Readiness.BLOCKED, reason="the token refused the payment"),
        Opening(Readiness.BLOCKED, reason="the token refused the payment"),
        Opening(Readiness.READY, "withdrawal-LQD-5-r1", 1),
    )
    handle = await start_desk(script)
    await handle.result()
    return handle


async def desk_settled_by_the_holder(script: Script) -> Handle:
    """The wallet confirmed itself; the desk is paused and resumed meanwhile."""
    script.answers["read_desk"] = lambda desk: DeskBook(1, 2_000, 5, "700")
    script.answers["open_confirmation"] = in_turn(
        Opening(Readiness.WAIT, reason="the contract lists other requests")
    )
    handle = await start_desk(script)
    await handle.execute_update(interventions.PAUSE, PERSON)
    await handle.execute_update(interventions.RESUME, PERSON)
    await script.environment.sleep(15 * 1_100)
    script.answers["read_desk"] = lambda desk: DeskBook()
    await handle.signal("wake")
    await handle.result()
    return handle


async def start_challenge(script: Script, **overrides: Any) -> Handle:
    """A delivery was challenged two blocks ago, a third into the second eon."""
    first = script.calendar.genesis_block
    await script.head()
    values: dict[str, Any] = {
        "number": 17,
        "kind": "delivery",
        "about": "LQD",
        "sender": "ab" * 20,
        "recipient": HOLDER,
        "eon": 2,
        "issue_block": first - 2,
        "deadline_block": first - 2 + script.calendar.blocks_per_eon // 4 - 1,
        "calendar": script.calendar,
    }
    argument = ChallengeStart(**(values | overrides))
    return await start(
        script,
        names.CHALLENGE_WORKFLOW,
        argument,
        names.challenge_id(17, argument.sender, argument.recipient),
    )


def unanswerable(head: int = 0) -> Trial:
    """No variant passes."""
    tried = (
        Tried("the transfer in the recipient's receipts", "n", "the passive root is another one"),
        Tried("the transfer in the set that the recipient signed", reason="no such receipt"),
    )
    return Trial(Standing.UNANSWERABLE, "open", head, reason="none passes", tried=tried)


async def challenge_answered(script: Script) -> Handle:
    """The first answer passes, is mined, and final at its depth."""
    handle = await start_challenge(script)
    await handle.result()
    return handle


async def challenge_answered_at_the_second_try(script: Script) -> Handle:
    """The checkpoint is missing first; then the answer reverts once, because the head moved."""
    missing = Trial(Standing.WAIT, "open", 0, reason="the checkpoint is not on chain yet")
    reverted = Progress(Stage.ENDED, Ending.REVERTED, letter="r", reason="no checkpoint")
    script.answers["try_answers"] = in_turn(
        missing,
        missing,
        script.ready,
        script.ready,
        Trial(Standing.CLEARED, "answering", 0),
        Trial(Standing.ENDED, "answered", 0),
    )
    script.answers["watch"] = in_turn(reverted, script.answers["watch"])
    return await challenge_answered(script)


async def challenge_answered_by_a_person(script: Script) -> Handle:
    """Nothing that the ledger has passes; people hear of it, and one of them has the answer."""
    ended = Trial(Standing.ENDED, "answered", 0)

    def judge(order: TryAnswers) -> Trial:
        if order.supplied is None:
            return unanswerable()
        return script.ready(order) if order.revision == 1 else ended

    script.answers["try_answers"] = judge
    handle = await start_challenge(script)
    blocks = script.calendar.blocks_per_eon // 4
    await script.environment.sleep(script.calendar.block_time_s * blocks * 0.3)
    await handle.execute_update(interventions.RETRY_NOW, PERSON)
    await handle.execute_update(interventions.ACKNOWLEDGE, PERSON)
    await script.environment.sleep(script.calendar.block_time_s * blocks * 0.3)
    raised = Intervention("kim", "whatever it costs", value=500)
    await handle.execute_update(interventions.RAISE_CEILING, raised)
    supplied = Intervention("kim", "computed by hand", value=3)
    await handle.execute_update(interventions.SUPPLY_ANSWER, supplied)
    await handle.result()
    return handle


async def challenge_lapsed(script: Script) -> Handle:
    """Nobody has an answer: it lapses, loudly."""
    deadline = script.calendar.genesis_block - 2 + script.calendar.blocks_per_eon // 4 - 1

    async def judge(order: TryAnswers) -> Trial:
        head = await script.head()
        if head < deadline:
            return unanswerable(head)
        if head < deadline + script.calendar.confirmations:
            return Trial(Standing.LATE, "open", head, reason=f"no block after {deadline}")
        return Trial(Standing.ENDED, "lapsed", head)

    script.answers["try_answers"] = judge
    return await challenge_answered(script)


async def challenge_orphaned(script: Script) -> Handle:
    """A reorganisation takes its block away, and another of its height becomes confirmed."""
    gone = Trial(Standing.WAIT, "orphaned", 0, reason="the block has left the chain")
    script.answers["try_answers"] = in_turn(
        ApplicationError("the node is silent", type="NodeTimeout"),
        gone,
        gone,
        Trial(Standing.ENDED, "orphaned", 0),
    )
    return await challenge_answered(script)


def until_slashed(script: Script) -> Callable[[Any], SlashBook]:
    """A decision's book until a transaction was watched to a good end."""
    asked = SlashBook(2, "230", 5_000, "open")

    def book(_order: Any) -> SlashBook:
        return SlashBook(status="done") if script.slashed else asked

    return book


async def slash(script: Script) -> Handle:
    """Carry a decision about one wallet out."""
    await script.head()
    script.answers["read_slash"] = until_slashed(script)
    handle = await start(
        script,
        names.SLASH_WORKFLOW,
        SlashStart(SlashOrder(1, "LQD", HOLDER, 5), script.calendar),
        names.slash_id("LQD", HOLDER, 5),
    )
    await handle.result()
    return handle


def drops(script: Script) -> Callable[[Any], Progress]:
    """The transaction is final, and the ledger hears of the event."""

    def confirmed(_order: Any) -> Progress:
        script.slashed = True
        return Progress(Stage.ENDED, Ending.CONFIRMED, nonce=7, tx_hash="0x12", block=9)

    return confirmed


async def slash_carried_out(script: Script) -> Handle:
    """It waits for the eon to turn, is mined and the requests are gone."""
    script.answers["watch"] = drops(script)
    waiting = Opening(Readiness.WAIT, reason="the eon is about to turn")
    script.answers["open_slash"] = in_turn(waiting, script.answers["open_slash"])
    return await slash(script)


async def slash_chosen_again(script: Script) -> Handle:
    """The first transaction reverts, for its marker is too old; another marker is chosen."""
    reverted = Progress(Stage.ENDED, Ending.REVERTED, letter="m", reason="too old")
    script.answers["watch"] = in_turn(reverted, drops(script))
    return await slash(script)


async def slash_done_by_somebody_else(script: Script) -> Handle:
    """It reverts because the requests are gone; nothing is sent again."""
    reverted = Progress(Stage.ENDED, Ending.REVERTED, reason="the marker covers all open requests")
    script.answers["watch"] = in_turn(reverted)

    def gone(_order: Any) -> Opening:
        script.slashed = True
        return Opening(Readiness.DONE, reason="the contract lists the requests no more")

    script.answers["open_slash"] = in_turn(script.answers["open_slash"], gone)
    return await slash(script)


async def start_sync(script: Script) -> Handle:
    """Follow the chain."""
    return await start(
        script, names.CHAIN_SYNC_WORKFLOW, SyncStart(script.calendar), names.CHAIN_SYNC_ID
    )


async def turns(script: Script, count: int) -> None:
    """Wait until so many turns were asked for."""
    for _ in range(1_000):
        if script.count("follow_chain") >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"only {script.count('follow_chain')} of {count} turns")


async def sync_following(script: Script) -> Handle:
    """Three turns, the second with a reorganisation, then a pause."""
    script.answers["follow_chain"] = in_turn(
        Followed(1_010, 990, 1, 10),
        Followed(1_011, 991, 1, 11, reorganisations=1),
        Followed(1_012, 992, 1, 12),
        silence,
    )
    handle = await start_sync(script)
    await turns(script, 4)
    await handle.execute_update(interventions.PAUSE, PERSON)
    return handle


async def sync_stopped(script: Script) -> Handle:
    """A deep reorganisation stops it until a person says from where to read again."""
    script.answers["follow_chain"] = in_turn(
        Followed(1_010, 990, 1, 10, stopped="confirmed block 985 was ab, the node has cd"),
        Followed(1_012, 992, 1, 12),
        silence,
    )
    handle = await start_sync(script)
    await turns(script, 1)
    await asyncio.sleep(0.5)
    decision = Intervention("kim", "the other branch won", value=1_000)
    await handle.execute_update(interventions.RESYNC_FROM, decision)
    await turns(script, 3)
    await handle.execute_update(interventions.PAUSE, PERSON)
    return handle


async def sync_split(script: Script) -> Handle:
    """The chain parts from what was confirmed: it is followed on, until a person decides."""
    split = "the branches part after block 1005"
    script.answers["follow_chain"] = in_turn(
        Followed(1_010, 1_005, 1, 10, reorganisations=1, split=split),
        Followed(1_012, 1_005, 1, 12, split=split),
        silence,
    )
    handle = await start_sync(script)
    await turns(script, 3)
    decision = Intervention("kim", "the other branch won", value=1_005)
    await handle.execute_update(interventions.KEEP_COMMITTED, decision)
    await handle.execute_update(interventions.PAUSE, PERSON)
    return handle


async def sync_paused(script: Script) -> Handle:
    """A person pauses it in the middle of a turn and resumes later."""
    script.answers["follow_chain"] = in_turn(silence)
    handle = await start_sync(script)
    await turns(script, 1)
    await handle.execute_update(interventions.PAUSE, PERSON)
    await handle.execute_update(interventions.RESUME, PERSON)
    await turns(script, 2)
    await handle.execute_update(interventions.PAUSE, PERSON)
    return handle


async def sync_repaced(script: Script) -> Handle:
    """A person has the chain looked at less often, in the middle of a turn."""
    script.answers["follow_chain"] = in_turn(silence)
    handle = await start_sync(script)
    await turns(script, 1)
    slower = Intervention("kim", "the node's owner complains", value=7)
    await handle.execute_update(interventions.SET_POLL_SECONDS, slower)
    await turns(script, 2)
    await handle.execute_update(interventions.PAUSE, PERSON)
    return handle


async def start_registration(script: Script) -> Handle:
    """Register a token and wait for the end."""
    terms = TokenTerms("bb" * 20, "LQD", "LQD")
    handle = await start(
        script,
        names.TOKEN_REGISTRATION_WORKFLOW,
        RegistrationStart(terms, script.calendar),
        names.token_registration_id("LQD", terms.address),
    )
    await handle.result()
    return handle


async def token_registered(script: Script) -> Handle:
    """Registered by us."""
    return await start_registration(script)


async def token_found_registered(script: Script) -> Handle:
    """Registered before by somebody."""
    script.answers["open_registration"] = in_turn(Opening(Readiness.DONE))
    return await start_registration(script)


async def token_registered_at_the_second_try(script: Script) -> Handle:
    """Our nonce was taken by other software that sends from the account."""
    usurped = Progress(Stage.ENDED, Ending.USURPED, reason="nonce 7 was used by somebody else")
    script.answers["watch"] = in_turn(usurped, script.answers["watch"])
    return await start_registration(script)


async def bootstrapped(script: Script) -> Handle:
    """The first start."""
    script.answers["follow_chain"] = in_turn(silence)
    handle = await start(script, names.BOOTSTRAP_WORKFLOW, None, names.BOOTSTRAP_ID)
    await handle.result()
    return handle


async def bootstrapped_again(script: Script) -> Handle:
    """A later start: everything is there and the chain is being followed."""
    await bootstrapped(script)
    script.answers["open_registration"] = in_turn(Opening(Readiness.DONE))
    return await bootstrapped(script)


async def bootstrapped_when_terms_arrive(script: Script) -> Handle:
    """The terms of service cannot be fetched for a while."""
    missing = ApplicationError("unreachable", type="TermsUnreadable")
    script.answers["fetch_terms"] = in_turn(missing, missing, lambda _: True)
    return await bootstrapped(script)


async def check(script: Script, workflow: str, workflow_id: str) -> Handle:
    """Let a scheduled check run once."""
    handle = await start(script, workflow, None, workflow_id)
    await handle.result()
    return handle


async def fuel_enough(script: Script) -> Handle:
    """The account has ether enough."""
    return await check(script, names.FUEL_WORKFLOW, "fuel-2026-11-25T12:00:00Z")


async def fuel_low(script: Script) -> Handle:
    """The account is short of ether."""
    script.answers["check_fuel"] = in_turn(FuelReport(FuelState.LOW, "4", "5", "3"))
    return await check(script, names.FUEL_WORKFLOW, "fuel-2026-11-25T12:10:00Z")


async def fuel_when_the_node_answers(script: Script) -> Handle:
    """The node is silent for a while."""
    silent = ApplicationError("no answer within 10 s", type="NodeTimeout")
    script.answers["check_fuel"] = in_turn(silent, silent, FuelReport("critical", "1", "5", "3"))
    return await check(script, names.FUEL_WORKFLOW, "fuel-2026-11-25T12:20:00Z")


async def reconcile_nothing(script: Script) -> Handle:
    """Every duty runs."""
    return await check(script, names.RECONCILE_WORKFLOW, "reconcile-2026-11-25T12:00:00Z")


async def reconcile_started(script: Script) -> Handle:
    """Two duties were missing."""
    report = ReconcileReport(7, 2, ("eon-1", "chain-sync"))
    script.answers["reconcile"] = in_turn(report)
    return await check(script, names.RECONCILE_WORKFLOW, "reconcile-2026-11-25T12:05:00Z")


async def reconcile_when_the_database_answers(script: Script) -> Handle:
    """The database is away for a while."""
    away = ApplicationError("connection refused", type="OperationalError")
    script.answers["reconcile"] = in_turn(away, away, ReconcileReport(7, 0))
    return await check(script, names.RECONCILE_WORKFLOW, "reconcile-2026-11-25T12:10:00Z")


async def sanity_holds(script: Script) -> Handle:
    """Ledger and contract agree."""
    return await check(script, names.SANITY_WORKFLOW, "sanity-2026-11-25T12:00:00Z")


async def sanity_found(script: Script) -> Handle:
    """Something does not hold, and something could not be compared."""
    report = SanityReport(("extra funds (ETH): it holds 51, 50 were deposited",), ("requests",))
    script.answers["check_sanity"] = in_turn(report)
    return await check(script, names.SANITY_WORKFLOW, "sanity-2026-11-25T13:00:00Z")


async def sanity_when_the_node_answers(script: Script) -> Handle:
    """The node is silent for a while."""
    silent = ApplicationError("no answer within 10 s", type="NodeTimeout")
    script.answers["check_sanity"] = in_turn(silent, silent, SanityReport())
    return await check(script, names.SANITY_WORKFLOW, "sanity-2026-11-25T14:00:00Z")


async def retention_done(script: Script) -> Handle:
    """Old rows are deleted."""
    return await check(script, names.RETENTION_WORKFLOW, "retention-2026-11-25T12:00:00Z")


async def retention_of_nothing(script: Script) -> Handle:
    """Nothing is old enough."""
    script.answers["prune"] = in_turn(RetentionReport({}))
    return await check(script, names.RETENTION_WORKFLOW, "retention-2026-11-26T12:00:00Z")


async def retention_when_the_database_answers(script: Script) -> Handle:
    """The database is away for a while."""
    away = ApplicationError("connection refused", type="OperationalError")
    script.answers["prune"] = in_turn(away, away, RetentionReport({"notification": 1}))
    return await check(script, names.RETENTION_WORKFLOW, "retention-2026-11-27T12:00:00Z")


async def terms_unchanged(script: Script) -> Handle:
    """The terms are those that are in force."""
    script.answers["fetch_terms"] = in_turn(lambda _: False)
    return await check(script, names.TERMS_WORKFLOW, "terms-2026-11-25T12:00:00Z")


async def terms_renewed(script: Script) -> Handle:
    """New terms are published."""
    return await check(script, names.TERMS_WORKFLOW, "terms-2026-11-26T12:00:00Z")


async def terms_unreachable_for_a_while(script: Script) -> Handle:
    """Whoever publishes the terms is away for a while."""
    unreadable = ApplicationError("no answer", type="TermsUnreadable")
    script.answers["fetch_terms"] = in_turn(unreadable, unreadable, lambda _: True)
    return await check(script, names.TERMS_WORKFLOW, "terms-2026-11-27T12:00:00Z")


ALL: dict[str, tuple[Scenario, ...]] = {
    names.EON_WORKFLOW: (
        eon_committed,
        eon_resubmitted,
        eon_held,
        eon_halted,
        eon_overclaimed,
        eon_waiting_for_slashes,
        eon_inconsistent,
        eon_rebuilt,
    ),
    names.TRANSACTION_WORKFLOW: (
        transaction_confirmed,
        transaction_replaced,
        transaction_cancelled,
        transaction_forced,
        transaction_expired,
    ),
    names.WITHDRAWAL_DESK_WORKFLOW: (desk_paid, desk_blocked, desk_settled_by_the_holder),
    names.CHALLENGE_WORKFLOW: (
        challenge_answered,
        challenge_answered_at_the_second_try,
        challenge_answered_by_a_person,
        challenge_lapsed,
        challenge_orphaned,
    ),
    names.SLASH_WORKFLOW: (slash_carried_out, slash_chosen_again, slash_done_by_somebody_else),
    names.CHAIN_SYNC_WORKFLOW: (
        sync_following,
        sync_stopped,
        sync_split,
        sync_paused,
        sync_repaced,
    ),
    names.TOKEN_REGISTRATION_WORKFLOW: (
        token_registered,
        token_found_registered,
        token_registered_at_the_second_try,
    ),
    names.BOOTSTRAP_WORKFLOW: (
        bootstrapped,
        bootstrapped_again,
        bootstrapped_when_terms_arrive,
    ),
    names.FUEL_WORKFLOW: (fuel_enough, fuel_low, fuel_when_the_node_answers),
    names.RECONCILE_WORKFLOW: (
        reconcile_nothing,
        reconcile_started,
        reconcile_when_the_database_answers,
    ),
    names.SANITY_WORKFLOW: (sanity_holds, sanity_found, sanity_when_the_node_answers),
    names.RETENTION_WORKFLOW: (
        retention_done,
        retention_of_nothing,
        retention_when_the_database_answers,
    ),
    names.TERMS_WORKFLOW: (terms_unchanged, terms_renewed, terms_unreachable_for_a_while),
}
