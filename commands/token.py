"""`nocust-operator token add`: bring a token to the commit-chain."""

from __future__ import annotations

import asyncio
from typing import Final

import click
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from commands.database import session_of
from commands.faults import as_click_errors
from duties import names, queues
from duties.calendar import Calendar
from duties.tokens import Registered, RegistrationStart, TokenTerms
from ledger.parameters import find_parameters
from protocol.address import checksum_address, parse_address
from settings import Settings

LONGEST_NAME: Final = 40


@click.group()
def token() -> None:
    """The tokens of the commit-chain."""


@token.command()
@click.argument("address")
@click.argument("name")
@click.argument("short_name")
def add(address: str, name: str, short_name: str) -> None:
    """Register the token at ADDRESS on chain and admit the operator's wallet in it.

    Waits until the registration is confirmed; interrupting it does not stop the registration.
    """
    if not 0 < len(name) <= LONGEST_NAME or not 0 < len(short_name) <= LONGEST_NAME:
        raise click.ClickException(f"names have 1 to {LONGEST_NAME} characters")
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        text = checksum_address(parse_address(address)).removeprefix("0x")
        start = RegistrationStart(TokenTerms(text, name, short_name), _calendar(settings))
        registered = asyncio.run(_register(settings, start))
    click.echo(f"{short_name} is token {registered.trail} of the commit-chain")


async def _register(settings: Settings, start: RegistrationStart) -> Registered:
    client = await Client.connect(**settings.temporal_connect())
    workflow_id = names.token_registration_id(start.token.short_name, start.token.address)
    handle = await client.start_workflow(
        names.TOKEN_REGISTRATION_WORKFLOW,
        start,
        id=workflow_id,
        task_queue=queues.DUTY,
        result_type=Registered,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"Register {start.token.short_name}",
    )
    click.echo(f"{workflow_id} is at work")
    try:
        registered: Registered = await handle.result()
    except WorkflowFailureError as error:
        raise click.ClickException(str(error.cause)) from error
    return registered


def _calendar(settings: Settings) -> Calendar:
    with session_of(settings) as session:
        stored = find_parameters(session)
    if stored is None:
        raise click.ClickException("the operator has not been started on this database yet")
    return Calendar(
        genesis_block=stored.genesis_block,
        blocks_per_eon=stored.blocks_per_eon,
        confirmations=settings.confirmations,
        checkpoint_threshold_blocks=settings.checkpoint_threshold_blocks,
        overclaim_policy=settings.overclaim_policy,
        poll_s=settings.sync_poll.total_seconds(),
        block_time_s=float(settings.block_time_s),
    )
