"""The checks that run by schedule."""

import pytest

from duties.checks import FuelState
from tests.workflows import scenarios
from tests.workflows.scripted import Script


@pytest.mark.parametrize(
    ("scenario", "activity", "times"),
    [
        (scenarios.fuel_enough, "check_fuel", 1),
        (scenarios.fuel_when_the_node_answers, "check_fuel", 3),
        (scenarios.reconcile_started, "reconcile", 1),
        (scenarios.reconcile_when_the_database_answers, "reconcile", 3),
        (scenarios.sanity_found, "check_sanity", 1),
        (scenarios.sanity_when_the_node_answers, "check_sanity", 3),
        (scenarios.retention_done, "prune", 1),
        (scenarios.retention_when_the_database_answers, "prune", 3),
        (scenarios.terms_renewed, "fetch_terms", 1),
        (scenarios.terms_unreachable_for_a_while, "fetch_terms", 3),
    ],
)
async def test_a_check_asks_for_one_thing_until_it_is_answered(
    script: Script, scenario: scenarios.Scenario, activity: str, times: int
) -> None:
    await scenario(script)
    assert script.names() == [activity] * times


async def test_a_check_ends_with_what_it_found(script: Script) -> None:
    handle = await scenarios.fuel_low(script)
    result = await handle.result()
    assert (result["state"], result["balance"]) == (FuelState.LOW, "4")
