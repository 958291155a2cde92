"""A wallet challenges a running operator as `demo challenge` tells it: each answer is in time."""

from __future__ import annotations

import asyncio

import pytest

from commands.audit import find_faults
from commands.demo import DutyFinder
from protocol.editions import ContractEdition
from settings import Settings
from simulation.chapters import Chapter
from simulation.contest import Contest
from simulation.pace import MiningPace
from simulation.round import Amounts, Round
from tests.end_to_end.conftest import RunningOperator
from wallet.wallet import Home

AMOUNTS = Amounts(deposit=10**18, payment=3 * 10**17, repayment=10**17, withdrawal=1)


@pytest.mark.only_on(ContractEdition.HARDENED)
async def test_a_balance_and_deliveries_of_both_forms_are_disputed_and_answered_in_time(
    operator: RunningOperator, home: Home
) -> None:
    """Ours only: the published contract takes no dispute of a sender's newest delivery."""
    chapters: list[Chapter] = []
    contest = contest_of(operator, home, chapters)
    await contest.round.register()
    await contest.round.deposit()
    await contest.round.pay_both_ways()
    eon = contest.round.payer.book.eon
    await contest.round.see_commitment(eon + 1)
    answers = await contest.challenge(eon)
    assert len({one.opened.title for one in answers}) == len(answers) == 3
    for answered in answers:
        assert answered.opened.mined.block <= answered.block <= answered.opened.deadline
        assert answered.margin_blocks == answered.opened.deadline - answered.block
        assert answered.duty is not None and answered.duty.startswith("challenge-")
        assert answered.duty in [chapter.duty for chapter in chapters]
    assert len({one.duty for one in answers}) == 3
    assert find_faults(Settings.development(), operator.database_url) == []


def contest_of(operator: RunningOperator, home: Home, chapters: list[Chapter]) -> Contest:
    """The story of the command, on a chain that waits for answers before it goes on."""

    def is_quiet() -> bool:
        chain = home.parent_chain
        return not chain.functions.getLiveChallenges(chain.eon()).call()

    async def has_answered() -> bool:
        return await operator.caught_up() and await asyncio.to_thread(is_quiet)

    story = Round.of(
        home,
        (operator.keys(1), operator.keys(2)),
        operator.contract,
        AMOUNTS,
        MiningPace(operator.mine, has_answered),
        chapters.append,
    )
    return Contest(story, DutyFinder(operator.temporal).challenge)
