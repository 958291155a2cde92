"""`nocust-operator prod`: the services of `docker-compose.temporal.yml`, after a look at `.env`."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from key_settings import KEY, PLACES
from setting_types import SettingsError
from settings import ROOT, Settings
from stack.composition import COMPOSE_FILE, ENV_FILE, load_composition, load_env_file

PROJECT: Final = "nocust-operator"
START: Final = ("up", "--build", "--detach", "--wait")
SECRETS: Final = "/run/secrets"
PASSWORDS: Final = ("POSTGRES_PASSWORD", "TEMPORAL_POSTGRES_PASSWORD")
SHORTEST_PASSWORD: Final = 16
NODE: Final = "HUB_ETHEREUM_NODE_URL"
ELSEWHERE: Final = (NODE, "HUB_REMOTE_SIGNER_URL", "NOTIFICATION_HOOK_URL", "TRANSACTION_HOOK_URL")
"""Addresses that are called from within a container."""
HINTS: Final = {
    "HUB_OWNER_ACCOUNT_ADDRESS": "the operator's account, 0x and 40 hex digits",
    KEY: "or another place of the key: docs/keys.md compares them",
    "HUB_LQD_CONTRACT_ADDRESS": "the commit-chain; `./deploy_contract.sh` deploys a new one",
    NODE: "a node of the parent chain, https://...",
    "SLA_TOKEN_ADDRESS": "the token that pays for service level agreements",
    "TOS_URL": "a JSON document with tosHash and privacyHash",
    "POSTGRES_PASSWORD": "a new one: openssl rand -hex 24",
    "TEMPORAL_POSTGRES_PASSWORD": "a new one: openssl rand -hex 24",
}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def prod(arguments: tuple[str, ...]) -> None:
    """Run the operator in production with Docker Compose.

    First says all that is missing or wrong in `.env`. Without ARGUMENTS builds and starts
    everything; otherwise they are handed to `docker compose`: `prod ps`, `prod logs api`,
    `prod down`.
    """
    if problems := lacking(ENV_FILE):
        click.echo(
            f"{ENV_FILE.name} is not ready; docs/running.md explains each variable:", err=True
        )
        for problem in problems:
            click.echo(f"  - {problem}", err=True)
        raise SystemExit(2)
    docker = shutil.which("docker")
    if docker is None:
        raise click.ClickException(
            f"{ENV_FILE.name} is ready, but there is no docker on this machine: install Docker"
            " Engine with its Compose plugin"
        )
    command = [docker, "compose", "--project-name", PROJECT, "--file", str(COMPOSE_FILE)]
    raise SystemExit(
        subprocess.run([*command, *(arguments or START)], cwd=ROOT, check=False).returncode
    )


def lacking(env_file: Path) -> list[str]:
    """Everything that keeps the services from starting, a line for each, values never shown."""
    try:
        given = load_env_file(env_file)
    except FileNotFoundError:
        return [f"there is no {env_file.name}: cp .env.example {env_file.name}, then fill it in"]
    composition = load_composition()
    problems = [f"{name} is not set" for name in composition.demanded(given)]
    problems += _weak_passwords(given)
    stand_in = {name: given.get(name) or "x" for name in PASSWORDS}
    # The process that needs the most: it countersigns, so it has the key.
    environment = composition.environment("api", {**given, **stand_in})
    try:
        Settings.from_env(_as_on_the_host(environment, given))
    except SettingsError as error:
        problems += error.problems
        # What is looked at only when all else is right, so that one look tells everything.
        if not any(given.get(place) for place in PLACES.values()):
            problems.append(f"{KEY} is not set")
        if NODE not in given:
            problems.append(f"{NODE} is not set")
    problems += [
        f"{name} names this machine, which is the container itself there: host.docker.internal or"
        " the name of a service"
        for name in ELSEWHERE
        if urlsplit(given.get(name, "")).hostname in {"localhost", "127.0.0.1", "::1"}
    ]
    return [_with_hint(problem) for problem in dict.fromkeys(problems)]


def _weak_passwords(given: Mapping[str, str]) -> list[str]:
    return [
        f"{name} must be {SHORTEST_PASSWORD} or more letters and digits: it becomes part of a URL"
        for name in PASSWORDS
        if name in given and not re.fullmatch(rf"[A-Za-z0-9]{{{SHORTEST_PASSWORD},}}", given[name])
    ]


def _as_on_the_host(environment: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Files of the mounted folder by the names that they have outside of a container."""
    folder = ROOT / given.get("HUB_SECRETS_FOLDER", "secrets")
    return {
        name: text.replace(SECRETS, str(folder), 1) if text.startswith(f"{SECRETS}/") else text
        for name, text in environment.items()
    }


def _with_hint(problem: str) -> str:
    hint = HINTS.get(problem.split(" ", 1)[0]) if problem.endswith("is not set") else None
    return f"{problem} ({hint})" if hint else problem
