"""The files for deployments agree with what the program reads."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from protocol.keccak import keccak256
from settings import Settings

ROOT = Path(__file__).parents[2]
SDK_NAMES = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "TEMPORAL_POSTGRES_PASSWORD"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.temporal.yml").read_text())
    return document


def example_variables(*, suggested: bool = True) -> dict[str, str]:
    """The example's variables; those that it only suggests stand in comments."""
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(rf"^{'#?' if suggested else ''}([A-Z][A-Z0-9_]+)=(.*)$", text, re.M))


def test_compose_gives_our_processes_only_variables_that_settings_read(
    compose: dict[str, Any],
) -> None:
    for name in ("prepare", "api", "worker"):
        given = set(compose["services"][name]["environment"])
        assert given, name
        assert given <= Settings.environment_names() | SDK_NAMES, name


def test_compose_is_whole(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"postgres", "temporal", "temporal-ui", "prepare", "api", "worker"} <= set(services)
    for name, service in services.items():
        assert "image" in service, name
        depends = service.get("depends_on", [])
        assert set(depends) <= set(services), name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"], name


def test_compose_takes_every_password_from_the_person_who_deploys() -> None:
    text = (ROOT / "docker-compose.temporal.yml").read_text()
    for line in re.findall(r"^.*(?:PASSWORD|PWD|_URL):.*$", text, re.M):
        assert ":?set it in .env}" in line, line


def test_the_example_names_only_variables_that_are_read() -> None:
    assert set(example_variables()) <= Settings.environment_names() | SDK_NAMES | COMPOSE_ONLY


def test_the_example_completed_is_a_valid_production_configuration() -> None:
    completed = {
        **example_variables(suggested=False),
        "HUB_OWNER_ACCOUNT_ADDRESS": "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
        "HUB_OWNER_ACCOUNT_KEY": "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
        "HUB_LQD_CONTRACT_ADDRESS": "0x9561C133DD8580860B6b7E504bC5Aa500f0f06a7",
        "HUB_ETHEREUM_NODE_URL": "https://node.example",
        "HUB_DATABASE_URL": "postgresql://nocust:words@db/nocust",
        "SLA_TOKEN_ADDRESS": "0xe982E462b094850F12AF94d21D470e21bE9D0E9C",
        "TOS_URL": "https://terms.example/terms.json",
    }
    settings = Settings.from_env(completed)
    assert settings.production
    assert settings.confirmations == 20


def test_every_setting_is_documented_with_its_name() -> None:
    text = (ROOT / "docs" / "running.md").read_text()
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]{4,})`", text))
    assert Settings.environment_names() <= documented


def test_the_development_terms_carry_the_digests_of_their_documents() -> None:
    folder = ROOT / "deploy" / "development-terms"
    terms = json.loads((folder / "terms.json").read_text())
    assert terms == {
        "tosHash": keccak256((folder / "terms-of-service.md").read_bytes()).hex(),
        "privacyHash": keccak256((folder / "privacy-policy.md").read_bytes()).hex(),
    }
    assert Settings.from_env({}).tos_url == (folder / "terms.json").as_uri()
