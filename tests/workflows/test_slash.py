"""A slash: until the requests are gone, whoever cancelled them."""

from duties.eons import Opening, Readiness
from tests.workflows import scenarios
from tests.workflows.scripted import Script


async def test_a_slash_waits_for_its_time_and_ends_with_the_event(script: Script) -> None:
    handle = await scenarios.slash_carried_out(script)
    assert (await handle.result())["status"] == "done"
    assert script.count("open_slash") == 2
    assert script.count("broadcast") == 1


async def test_a_slash_that_reverts_is_sent_anew_while_the_requests_are_listed(
    script: Script,
) -> None:
    await scenarios.slash_chosen_again(script)
    assert [a.revision for n, a in script.asked if n == "open_slash"] == [1, 2]
    assert script.count("broadcast") == 2


async def test_a_slash_that_reverts_is_not_sent_again_once_the_requests_are_gone(
    script: Script,
) -> None:
    await scenarios.slash_done_by_somebody_else(script)
    assert script.count("open_slash") == 2
    assert script.count("broadcast") == 1
    assert not script.alarms


async def test_a_slash_that_can_never_land_ends_when_the_ledger_gave_it_up(script: Script) -> None:
    def give_up(_order: object) -> Opening:
        script.slashed = True
        return Opening(Readiness.BLOCKED, reason="no marker proves it any more")

    script.answers["open_slash"] = give_up
    await scenarios.slash(script)
    assert script.count("broadcast") == 0
