"""What `prod` says before it calls Docker."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from commands import prod
from commands.prod import lacking
from settings import ROOT
from stack.composition import MissingVariables, load_composition, replace_variables

FILLED = {
    "HUB_OWNER_ACCOUNT_ADDRESS": "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
    "HUB_OWNER_ACCOUNT_KEY": "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
    "HUB_LQD_CONTRACT_ADDRESS": "0x9561C133DD8580860B6b7E504bC5Aa500f0f06a7",
    "HUB_ETHEREUM_NODE_URL": "https://node.example",
    "SLA_TOKEN_ADDRESS": "0xe982E462b094850F12AF94d21D470e21bE9D0E9C",
    "TOS_URL": "https://terms.example/terms.json",
    "POSTGRES_PASSWORD": "l0ngEnoughForEverybody",
    "TEMPORAL_POSTGRES_PASSWORD": "an0therLongEnoughOne",
}


def env_file(folder: Path, **changed: str) -> Path:
    """The example, filled in, with `changed` over it."""
    path = folder / ".env"
    added = "".join(f"{name}={text}\n" for name, text in {**FILLED, **changed}.items())
    path.write_text((ROOT / ".env.example").read_text() + added)
    return path


def test_the_unfilled_example_lacks_everything_that_is_required_in_one_list(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text((ROOT / ".env.example").read_text())
    assert {line.split(" ")[0] for line in lacking(path)} == set(FILLED)


def test_the_filled_example_lacks_nothing(tmp_path: Path) -> None:
    assert lacking(env_file(tmp_path)) == []


@pytest.mark.parametrize("name", sorted(FILLED))
def test_each_required_variable_is_missed_by_name(name: str, tmp_path: Path) -> None:
    (problem,) = lacking(env_file(tmp_path, **{name: ""}))
    assert problem.startswith(f"{name} is not set (")


def test_wrong_values_are_named_and_never_shown(tmp_path: Path) -> None:
    wrong = {
        "HUB_OWNER_ACCOUNT_KEY": "c0ffee",
        "POSTGRES_PASSWORD": "pass@word/of:a-url",
        "HUB_ETHEREUM_NODE_URL": "http://localhost:8545",
        "HUB_API_PORT": "many",
    }
    path = env_file(tmp_path, **wrong)
    problems = lacking(path)
    # The port within the container is the file's own.
    assert {line.split(" ")[0] for line in problems} == set(wrong) - {"HUB_API_PORT"}
    assert not any(text in line for line in problems for text in wrong.values())


def test_a_key_file_is_looked_for_where_the_host_has_it(tmp_path: Path) -> None:
    secrets = tmp_path / "secret files"
    secrets.mkdir()
    (secrets / "owner-key").write_text(FILLED["HUB_OWNER_ACCOUNT_KEY"])
    named = {
        "HUB_OWNER_ACCOUNT_KEY": "",
        "HUB_OWNER_ACCOUNT_KEY_FILE": "/run/secrets/owner-key",
        "HUB_SECRETS_FOLDER": f"'{secrets}'",
    }
    assert lacking(env_file(tmp_path, **named)) == []
    (secrets / "owner-key").unlink()
    (problem,) = lacking(env_file(tmp_path, **named))
    assert problem.startswith("HUB_OWNER_ACCOUNT_KEY_FILE must name a readable file")


def test_without_an_env_file_it_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prod, "ENV_FILE", tmp_path / ".env")
    result = CliRunner().invoke(main, ["prod"])
    assert result.exit_code == 2
    assert "cp .env.example .env" in result.output


def test_without_docker_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prod, "ENV_FILE", env_file(tmp_path))
    result = CliRunner().invoke(main, ["prod", "ps"], env={"PATH": str(tmp_path)})
    assert result.exit_code == 1
    assert "there is no docker on this machine" in result.output


def test_docker_is_called_with_the_file_and_what_the_person_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" >> {said}\nexit 7\n')
    docker.chmod(0o755)
    monkeypatch.setattr(prod, "ENV_FILE", env_file(tmp_path))
    for arguments in (["prod"], ["prod", "logs", "--follow", "api"]):
        assert CliRunner().invoke(main, arguments, env={"PATH": str(tmp_path)}).exit_code == 7
    start, logs = said.read_text().splitlines()
    file = f"compose --project-name nocust-operator --file {ROOT}/docker-compose.temporal.yml"
    assert start == f"{file} up --build --detach --wait"
    assert logs == f"{file} logs --follow api"


def test_variables_are_replaced_as_an_engine_does() -> None:
    missing: list[str] = []
    text = replace_variables("${A:?no}/${B:-x}/${C}/$${D}", {"A": "a"}, missing)
    assert (text, missing) == ("a/x//${D}", [])
    replace_variables("${A:?no} ${E:?no}", {"A": ""}, missing)
    assert missing == ["A", "E"]
    with pytest.raises(MissingVariables, match="POSTGRES_PASSWORD"):
        load_composition().environment("api", {})
