"""Reading a compose file as an engine does: what each service runs, and in which environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from dotenv import dotenv_values

from settings import ROOT
from stack.errors import StackError

COMPOSE_FILE: Final = ROOT / "docker-compose.temporal.yml"
ENV_FILE: Final = ROOT / ".env"
_VARIABLE: Final = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\})")


class MissingVariables(StackError):
    """Variables that the file demands are not set; `names` holds them."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"not set: {', '.join(names)}")


@dataclass(frozen=True)
class Composition:
    """A parsed compose file, its variables not yet replaced."""

    document: dict[str, Any]

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services by name."""
        services: dict[str, dict[str, Any]] = self.document["services"]
        return services

    def environment(self, service: str, given: Mapping[str, str]) -> dict[str, str]:
        """What a service finds in its environment; `given` is what the `.env` file holds.

        Raises `MissingVariables` with all names that are demanded and not given.
        """
        stated = self.services[service]
        missing: list[str] = []
        own = {
            name: replace_variables(str(text), given, missing)
            for name, text in stated.get("environment", {}).items()
        }
        if missing:
            raise MissingVariables(missing)
        return {**(given if "env_file" in stated else {}), **own}

    def demanded(self, given: Mapping[str, str]) -> list[str]:
        """The variables without which an engine refuses the file."""
        missing: list[str] = []
        for service in self.services.values():
            for text in service.get("environment", {}).values():
                replace_variables(str(text), given, missing)
        return list(dict.fromkeys(missing))


def load_composition(path: Path = COMPOSE_FILE) -> Composition:
    """Read a compose file of our own."""
    return Composition(yaml.safe_load(path.read_text()))


def load_env_file(path: Path = ENV_FILE) -> dict[str, str]:
    """The variables of an `.env` file, those without text left out. Raises `FileNotFoundError`."""
    with path.open() as lines:
        return {name: text for name, text in dotenv_values(stream=lines).items() if text}


def replace_variables(text: str, given: Mapping[str, str], missing: list[str]) -> str:
    """Put variables into `text`; names that are demanded and not given are added to `missing`."""

    def value(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return "$"
        if not given.get(name) and match["how"] == ":?":
            missing.append(name)
        return given.get(name) or (match["word"] if match["how"] == ":-" else "") or ""

    return _VARIABLE.sub(value, text)
