"""The files for deployments agree with what the program reads."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from duties import queues
from key_settings import PLACES
from protocol.keccak import keccak256
from settings import Settings
from stack.composition import load_composition

ROOT = Path(__file__).parents[2]
SDK_NAMES = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
COMPOSE_ONLY = {
    "POSTGRES_PASSWORD",
    "TEMPORAL_POSTGRES_PASSWORD",
    "HUB_SECRETS_FOLDER",
    "HUB_BACKUP_FOLDER",
    "HUB_PUBLISHED_PORT",
}


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
    for name in own_services(compose):
        given = set(compose["services"][name]["environment"])
        assert given, name
        assert given <= Settings.environment_names() | SDK_NAMES | COMPOSE_ONLY, name


def own_services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run our code."""
    return {name: it for name, it in compose["services"].items() if "build" in it}


def test_compose_keeps_to_the_schema_of_compose_files(compose: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "deploy" / "compose-spec" / "compose_spec.json").read_text())
    check = jsonschema_rs.validator_for(schema)
    assert [error.message for error in check.iter_errors(compose)] == []
    wrong = copy.deepcopy(compose)
    wrong["services"]["api"]["command"] = {"not": "a list"}
    wrong["services"]["temporal"]["helthcheck"] = {}
    assert len(list(check.iter_errors(wrong))) >= 2


def test_images_of_others_are_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert "build" in service or re.search(r":v?\d+\.\d+(\.\d+)?$", service["image"]), name
    assert re.search(r"^FROM python:\d+\.\d+\.\d+-slim$", (ROOT / "Dockerfile").read_text(), re.M)


def test_what_serves_or_works_has_a_health_check(compose: dict[str, Any]) -> None:
    # The UI's image has no program to ask with; what ends by itself tells by its exit code.
    without = {"temporal-ui", "temporal-schema", "prepare", "node", "backup"}
    checked = {name for name, it in compose["services"].items() if "healthcheck" in it}
    assert set(compose["services"]) - checked <= without


def test_each_role_of_the_worker_has_a_service_and_each_queue_a_role(
    compose: dict[str, Any],
) -> None:
    commands = [it["command"] for name, it in own_services(compose).items() if "worker" in name]
    served = [queue for _option, role in commands for queue in queues.OF_ROLE[role]]
    assert sorted(served) == sorted(queues.ALL)


def test_only_what_signs_is_given_the_key(compose: dict[str, Any]) -> None:
    given = dict.fromkeys([*PLACES.values(), "SLA_RECIPIENT_KEY"], "of somebody")
    given |= dict.fromkeys(("POSTGRES_PASSWORD", "TEMPORAL_POSTGRES_PASSWORD"), "password")
    for name, service in own_services(compose).items():
        environment = load_composition().environment(name, given)
        signs = name in {"api", "worker-chain", "worker-ledger"}
        assert any(environment[place] for place in PLACES.values()) == signs, name
        mounted = any("/run/secrets" in volume for volume in service.get("volumes", []))
        assert mounted == signs, name
        assert not environment["TEMPORAL_POSTGRES_PASSWORD"], name


def test_compose_is_whole(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"postgres", "temporal", "temporal-schema", "temporal-ui", "prepare"} <= set(services)
    for name, service in services.items():
        assert "image" in service, name
        depends = service.get("depends_on", [])
        assert set(depends) <= set(services), name
        for volume in service.get("volumes", []):
            source = volume.rsplit(":/", 1)[0]
            is_ours = source.startswith("./deploy/") and (ROOT / source).exists()
            assert is_ours or source.startswith("${HUB_") or source in compose["volumes"], name


def test_compose_takes_every_password_from_the_person_who_deploys() -> None:
    text = (ROOT / "docker-compose.temporal.yml").read_text()
    for line in re.findall(r"^.*(?:PASSWORD|PWD|_URL|KEY):.*$", text, re.M):
        assert ":?set it in .env}" in line or line.endswith(': ""'), line


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
    assert Settings.environment_names() | COMPOSE_ONLY <= documented


def test_no_variable_is_documented_that_nothing_reads() -> None:
    text = (ROOT / "docs" / "running.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]{4,})`", row)}
    assert named - {"SIGTERM"} <= Settings.environment_names() | SDK_NAMES | COMPOSE_ONLY


def test_the_development_terms_carry_the_digests_of_their_documents() -> None:
    folder = ROOT / "deploy" / "development-terms"
    terms = json.loads((folder / "terms.json").read_text())
    assert terms == {
        "tosHash": keccak256((folder / "terms-of-service.md").read_bytes()).hex(),
        "privacyHash": keccak256((folder / "privacy-policy.md").read_bytes()).hex(),
    }
    assert Settings.from_env({}).tos_url == (folder / "terms.json").as_uri()
