"""What a stack consists of follows from the settings."""

from pathlib import Path

from settings import Settings
from stack.plan import plan


def names(environment: dict[str, str], tmp_path: Path) -> set[str]:
    settings = Settings.from_env({"HUB_DATA_DIR": str(tmp_path), **environment})
    return {unit.name for unit in plan(settings, ()).units}


def test_everything_is_embedded_by_default(tmp_path: Path) -> None:
    own = {"api-1", "api-2", "worker"}
    assert names({}, tmp_path) == {"postgres", "temporal", "node", *own}


def test_a_part_whose_address_is_set_is_awaited_and_not_started(tmp_path: Path) -> None:
    one_api = {"HUB_API_PROCESSES": "1"}
    real = {
        "HUB_DATABASE_URL": "postgresql://u:p@db/hub",
        "TEMPORAL_ADDRESS": "temporal.example:7233",
        "HUB_ETHEREUM_NODE_URL": "http://node.example:8545",
    }
    parts = {"HUB_DATABASE_URL": "postgres", "TEMPORAL_ADDRESS": "temporal"}
    parts["HUB_ETHEREUM_NODE_URL"] = "node"
    for name, part in parts.items():
        started = names({name: real[name], **one_api}, tmp_path)
        assert started == {*parts.values(), "api-1", "worker"} - {part}
    settings = Settings.from_env({"HUB_DATA_DIR": str(tmp_path), **real, **one_api})
    stack = plan(settings, ())
    assert set(parts.values()) <= {step.name for step in stack.steps}
    assert [port for port, _, _ in stack.ports] == [8123]
    assert "contracts" not in {step.name for step in stack.steps}


def test_a_development_chain_trades_and_allows_all_origins_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    def environment(**given: str) -> dict[str, str]:
        return plan(Settings.from_env({"HUB_DATA_DIR": str(tmp_path), **given}), ()).environment

    assert environment()["SWAPS_ENABLED"] == "true"
    assert environment()["CORS_ORIGIN_ALLOW_ALL"] == "true"
    assert environment()["HUB_ETHEREUM_CHAIN_ID"] == "1337"
    assert "SWAPS_ENABLED" not in environment(SWAPS_ENABLED="false")
    assert "SWAPS_ENABLED" not in environment(HUB_ETHEREUM_NODE_URL="http://node.example")


def test_planning_writes_nothing(tmp_path: Path) -> None:
    names({}, tmp_path / "untouched")
    assert not (tmp_path / "untouched").exists()
