"""The administration's list of alarms, and the secret that opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.policy import ApiPolicy
from duties import alarms
from duties.alarm_catalogue import CATALOGUE, UNLISTED
from ledger.alarms import clear_alarm, raise_alarm
from setting_types import Secret
from tests.api.serving import Site, serve
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio
SECRET = "a secret of the administration"
BEARER = {"Authorization": f"Bearer {SECRET}"}
PATH = "/admin/alarms"


@pytest_asyncio.fixture
async def guarded(database_url: str, ledger: World) -> AsyncIterator[Site]:
    """A server with an administration."""
    policy = ApiPolicy(admin_token=Secret(SECRET))
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        yield site


async def test_without_a_secret_there_is_no_administration(site: Site) -> None:
    for headers in ({}, BEARER, {"Authorization": "Bearer "}):
        status, body = await site.get(PATH, headers=headers)
        assert (status, body) == (404, {"detail": "no such resource"})


async def test_only_the_right_secret_opens_the_administration(guarded: Site) -> None:
    wrong = ("", "Bearer", "Bearer ", f"Basic {SECRET}", SECRET, f"Bearer {SECRET}x", "Bearer ä")
    for given in wrong:
        async with guarded.session.get(
            guarded.url + PATH, headers={"Authorization": given}
        ) as response:
            assert response.status == 401, given
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert SECRET not in await response.text()
    assert (await guarded.get(PATH))[0] == 401
    assert (await guarded.get(PATH, headers={"Authorization": f"bearer {SECRET}"}))[0] == 200


async def test_open_alarms_come_with_what_they_mean_and_what_to_do(
    guarded: Site, ledger: World
) -> None:
    with ledger.begin() as session:
        raise_alarm(session, "warning", alarms.FUEL, "0xab", "it has 5 wei")
        raise_alarm(session, "critical", alarms.HALTED, "eon-7", "no root")
        raise_alarm(session, "warning", "of another version", "x", "y")
        clear_alarm(session, alarms.FUEL, "0xab")
    _, open_ones = await guarded.get(PATH, headers=BEARER)
    subjects = {alarm["subject"]: alarm for alarm in open_ones["alarms"]}
    assert set(subjects) == {alarms.HALTED, "of another version"}
    halted, entry = subjects[alarms.HALTED], CATALOGUE[alarms.HALTED]
    assert halted["severity"] == "critical" and halted["about"] == "eon-7"
    assert halted["message"] == "no root" and halted["cleared_at"] is None
    assert halted["meaning"] == entry.meaning and halted["what_to_do"] == entry.advice
    assert halted["runbook"] == "docs/runbooks/halted.md"
    assert subjects["of another version"]["runbook"] == UNLISTED.runbook
    _, everything = await guarded.get(f"{PATH}/?all=true", headers=BEARER)
    fuel = next(one for one in everything["alarms"] if one["subject"] == alarms.FUEL)
    assert fuel["cleared_at"] >= fuel["since"] > 0
