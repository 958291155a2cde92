"""A reorganisation of any depth up to the confirmations, in every phase, costs nothing but time."""

from itertools import product

from sqlalchemy import select

from activities.eons import CheckpointWork
from activities.slashing import SlashWork
from activities.withdrawals import DeskWork
from chain.calls import Call, deposit, request_withdrawal
from duties import alarms
from duties.eons import OpenSubmission, Readiness
from duties.slashes import OpenSlash, SlashOrder
from duties.withdrawals import Desk, OpenConfirmation
from ledger.proofs import allotment_proof
from models import Alarm, RootCommitment, Slash, WithdrawalRequest
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveBank, LiveWorld, balance_proof
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, key
from tests.reorganisations.phases import OfAUser, OfTheOperator, Phase, survive_every_depth

FEE = 100_100 * 200 * 10**9
PHASES = ("deposit", "checkpoint", "answer", "request", "slash", "payment")


def has(world: LiveWorld, name: str, amount: int) -> bool:
    return Bank(world).balances(name).loosely_available == amount


def statuses(world: LiveWorld, name: str) -> list[str]:
    query = select(WithdrawalRequest.status).where(WithdrawalRequest.address == key(name).address)
    with world.begin() as session:
        return list(session.scalars(query))


def a_deposit(world: LiveWorld, name: str, amount: int) -> Phase:
    call = deposit(world.rules.contract, token=ETH, beneficiary=key(name).address, amount=amount)
    return OfAUser("deposit", world, name, call, lambda: has(world, name, amount))


def a_checkpoint(world: LiveWorld, bank: LiveBank, eon: int) -> Phase:
    Bank.checkpoint(bank, eon)
    steps = CheckpointWork(world.context)
    opening = steps.open_submission(OpenSubmission(eon, 1))
    assert opening.readiness == Readiness.READY
    return OfTheOperator(
        "checkpoint",
        world,
        opening.intent_id,
        lambda: steps.record_commitment(eon).readiness == Readiness.DONE,
    )


def an_answer(world: LiveWorld, challengers: Challengers, name: str) -> Phase:
    challengers.dispute_balance(name)
    row = world.challenges()[-1]
    trial = world.try_answers(row.id)
    return OfTheOperator(
        "answer",
        world,
        trial.intent_id,
        lambda: world.challenges()[-1].status == "answered" and world.live() == 0,
    )


def request_of(world: LiveWorld, name: str, amount: int) -> Call:
    with world.begin() as session:
        proof = allotment_proof(session, Bank(world).wallet(name).id, world.eon - 1)
    assert proof is not None
    return request_withdrawal(
        world.rules.contract, token=ETH, proof=balance_proof(proof), amount=amount, fee=FEE
    )


def a_request(world: LiveWorld, name: str, amount: int) -> Phase:
    call = request_of(world, name, amount)
    return OfAUser("request", world, name, call, lambda: statuses(world, name) == ["pending"])


def a_slash(world: LiveWorld, name: str) -> Phase:
    with world.begin() as session:
        query = select(Slash).where(
            Slash.wallet_id == Bank(world).wallet(name).id, Slash.status == "open"
        )
        slash = session.scalars(query).one()
        order = SlashOrder(slash.id, "ETH", key(name).address.hex(), slash.eon, slash.number)
    opening = SlashWork(world.context).open_slash(OpenSlash(order, 1))
    assert opening.readiness == Readiness.READY, opening.reason
    return OfTheOperator(
        "slash", world, opening.intent_id, lambda: statuses(world, name) == ["slashed"]
    )


def a_payment(world: LiveWorld, name: str) -> Phase:
    desk = Desk(ETH.hex(), "ETH", key(name).address.hex())
    opening = DeskWork(world.context).open_confirmation(OpenConfirmation(desk, 1))
    assert opening.readiness == Readiness.READY, opening.reason
    return OfTheOperator(
        "payment", world, opening.intent_id, lambda: statuses(world, name) == ["paid"]
    )


def test_every_depth_in_every_phase(
    world: LiveWorld, bank: LiveBank, challengers: Challengers
) -> None:
    seen: set[tuple[str, int]] = set()
    for name in ("ann", "bob"):
        world.admit(name)
    bank.checkpoint(1)
    seen |= survive_every_depth(a_deposit(world, "ann", 1_000), world)
    bank.must_pay("ann", "bob", 400, 1)

    world.move_to_eon(2, 10)
    seen |= survive_every_depth(a_checkpoint(world, bank, 2), world)
    world.move_to_challenges()
    seen |= survive_every_depth(an_answer(world, challengers, "ann"), world)

    world.move_to_eon(3, 10)
    bank.checkpoint(3)
    seen |= survive_every_depth(a_request(world, "ann", 300), world)
    # Bob promises that nothing is left, and asks for it all the same.
    bank.must_pay("bob", "ann", 400, 1, marker=0)
    OfAUser("", world, "bob", request_of(world, "bob", 400), lambda: True).send()
    world.mine(1 + world.rules.confirmations)
    seen |= survive_every_depth(a_slash(world, "bob"), world)

    for eon in (4, 5):
        world.move_to_eon(eon, 10)
        bank.checkpoint(eon)
    world.move_to(world.rules.clock.first_payable_block(3))
    seen |= survive_every_depth(a_payment(world, "ann"), world)

    assert seen == set(product(PHASES, range(1, world.rules.confirmations + 1)))
    with world.begin() as session:
        raised = set(session.scalars(select(Alarm.subject)))
        roots = session.scalars(select(RootCommitment.status).order_by(RootCommitment.eon)).all()
    assert not raised & {alarms.ACCUMULATOR, alarms.DEEP_REORGANISATION, alarms.NONCE_USURPED}
    assert set(roots) == {"committed"}
