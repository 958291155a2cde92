"""The `nocust-operator` command: wiring only, each command lives in a module of its own."""

from importlib import import_module
from typing import NoReturn

import click

from commands.ending import ending_at_once

# A command's module is imported when it is called: most need libraries that take seconds to load.
COMMANDS = {
    "alarms": "commands.alarms",
    "audit": "commands.audit",
    "audit-log": "commands.audit_log",
    "api": "commands.api",
    "backup": "commands.backup",
    "bench": "commands.bench",
    "blacklist": "commands.blacklist",
    "cover": "commands.cover",
    "challenge": "commands.challenge",
    "chaos": "commands.chaos",
    "check-vectors": "commands.check_vectors",
    "check-worker": "commands.check_worker",
    "demo": "commands.demo",
    "doctor": "commands.doctor",
    "duties": "commands.duties",
    "describe": "commands.describe",
    "deploy-contract": "commands.deploy_contract",
    "export-recovery": "commands.export_recovery",
    "intervene": "commands.intervene",
    "keystore": "commands.keystore",
    "lane": "commands.lane",
    "pair": "commands.pair",
    "pause": "commands.switches",
    "prepare": "commands.prepare",
    "prod": "commands.prod",
    "recover": "commands.recover",
    "request": "commands.request",
    "reset": "commands.reset",
    "restore": "commands.backup",
    "resume": "commands.switches",
    "schedule": "commands.schedule",
    "simulate": "commands.simulate",
    "status": "commands.status",
    "token": "commands.token",
    "unclaimed": "commands.unclaimed",
    "up": "commands.up",
}


class Commands(click.Group):
    """Finds the command `some-name` as the function `some_name` of its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the alphabet."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(cls=Commands)
def main() -> None:
    """Operate a NOCUST commit-chain."""


def run() -> NoReturn:
    """The program `nocust-operator`."""
    ending_at_once(main)


if __name__ == "__main__":
    run()
