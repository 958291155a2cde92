"""The withdrawal desk: pays when the calendar allows, once, and only what is owed."""

from duties import alarms
from duties.eons import Opening, Readiness
from duties.withdrawals import DeskBook
from tests.workflows import scenarios
from tests.workflows.scripted import Script


async def test_a_desk_pays_when_the_calendar_allows(script: Script) -> None:
    heads: list[int] = []

    async def check(order: object) -> Opening:
        heads.append(await script.head())
        return Opening(Readiness.READY, "withdrawal-LQD-5-r1", 1)

    script.answers["open_confirmation"] = check
    await scenarios.desk_paid(script)
    assert heads and heads[0] >= 2_000
    assert script.count("broadcast") == 1


async def test_a_notice_that_comes_twice_pays_once(script: Script) -> None:
    script.answers["read_desk"] = scenarios.until_paid(script, DeskBook(1, 1_001, 5, "700"))
    handle = await scenarios.start_desk(script)
    await handle.signal("wake")
    await handle.signal("wake")
    await handle.result()
    assert script.count("broadcast") == 1


async def test_a_blocked_desk_calls_a_person_and_tries_again_daily(script: Script) -> None:
    await scenarios.desk_blocked(script)
    assert [alarm.subject for alarm in script.alarms] == [alarms.WITHDRAWAL_BLOCKED] * 2
    assert script.count("open_confirmation") == 3
    assert script.count("broadcast") == 1
    assert alarms.WITHDRAWAL_BLOCKED in [key.subject for key in script.cleared]


async def test_a_desk_sends_nothing_when_the_holder_confirmed_himself(script: Script) -> None:
    await scenarios.desk_settled_by_the_holder(script)
    assert script.count("broadcast") == 0
    assert not script.alarms
