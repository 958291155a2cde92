"""What profiling shows, to whom, and that it is off unless it is asked for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.policy import ApiPolicy
from setting_types import Secret
from settings import Settings, SettingsError
from tests.api.payments import admit
from tests.api.serving import Site, serve
from tests.ledger.world import World
from tests.stack.test_settings import PRODUCTION

pytestmark = pytest.mark.asyncio
TOKEN = {"Authorization": "Bearer a-secret-of-the-administration"}


async def test_without_being_asked_for_there_is_no_profiling(site: Site) -> None:
    for path in ("/admin/profiling/", "/admin/profiling/cpu"):
        assert (await site.get(path))[0] == 404


async def test_the_last_requests_are_shown_with_their_sql_and_are_bounded(
    database_url: str, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")
    policy = ApiPolicy(profiled_requests=4, profiled_percent=100)
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        assert (await site.post("/transfer/", alice.body(bob, 1)))[0] == 201
        assert (await site.get("/audit/tokens", headers={"X-Request-Id": "mine"}))[0] == 200
        status, shown = await site.get("/admin/profiling")
        assert status == 200
        found: dict[str, Any] = {one["operation"]: one for one in shown}
        tokens = found["listTokens"]
        assert (tokens["request_id"], tokens["status"]) == ("mine", 200)
        assert tokens["sql_count"] >= 1
        assert 0 < tokens["sql_ms"] <= tokens["ms"]
        assert found["sendTransfer"]["status"] == 201
        for _ in range(6):
            await site.get("/audit/")
        _, shown = await site.get("/admin/profiling/")
        assert [one["operation"] for one in shown] == ["operatorStatus"] * 4
        assert len((await site.get("/admin/profiling/?limit=2"))[1]) == 2


async def test_a_profile_of_the_loop_is_made_one_at_a_time_behind_the_secret(
    database_url: str, ledger: World
) -> None:
    secret = Secret(TOKEN["Authorization"].removeprefix("Bearer "))
    policy = ApiPolicy(profiled_requests=4, profiled_percent=0, admin_token=secret)
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        assert (await site.get("/admin/profiling/"))[0] == 401
        assert (await site.get("/admin/profiling/cpu"))[0] == 401
        for seconds in ("0", "61", "x"):
            path = f"/admin/profiling/cpu?seconds={seconds}"
            assert (await site.get(path, headers=TOKEN))[0] == 400
        path = "/admin/profiling/cpu?seconds=1"
        making = asyncio.create_task(site.get(path, headers=TOKEN))
        await asyncio.sleep(0.3)
        assert (await site.get(path, headers=TOKEN))[0] == 409
        await site.get("/audit/")
        status, profile = await making
        assert status == 200
        assert any("routing.py" in one["place"] for one in profile["functions"])
        # Of none in a hundred requests nothing is kept.
        assert await site.get("/admin/profiling/", headers=TOKEN) == (200, [])


async def test_production_profiles_only_behind_the_secret() -> None:
    asked = {**PRODUCTION, "ENABLE_PROFILING": "true", "SILKY_MAX_RECORDED_REQUESTS": "7"}
    with pytest.raises(SettingsError, match="ENABLE_PROFILING needs HUB_ADMIN_TOKEN"):
        Settings.from_env(asked)
    settings = Settings.from_env({**asked, "HUB_ADMIN_TOKEN": "a secret of many letters"})
    assert (settings.profiled_requests, settings.profiled_percent) == (7, 50)
