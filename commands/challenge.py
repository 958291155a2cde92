"""`nocust-operator challenge answer`: give a challenge's duty an answer made by hand."""

from __future__ import annotations

import asyncio

import click
from temporalio.client import Client, WorkflowUpdateFailedError

from chain.answers import NotAnAnswer, answer_from_calldata
from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from duties import interventions, names
from duties.interventions import Intervention
from ledger.challenges.supplied import find_open, store_supplied_answer
from ledger.interventions import Person
from settings import Settings


@click.group()
def challenge() -> None:
    """Challenges that wallets opened on chain; `status` lists the open ones."""


@challenge.command()
@click.argument("number", type=int)
@click.option("--calldata", required=True, help="0x and the call data of an answer.")
@acting
def answer(number: int, calldata: str, person: Person) -> None:
    """Store an answer to challenge NUMBER and have it tried before all others.

    It is sent only if the contract would take it; `status` of the duty says why not, if so.
    """
    data = _answer(calldata)
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        with session_of(settings) as session:
            found = find_open(session, number)
            duty = names.challenge_id(number, found.sender.hex(), found.recipient.hex())
            stored = store_supplied_answer(session, number, data, person)
        intervention = Intervention(person.actor, person.reason, stored)
        asyncio.run(_send(settings, duty, intervention))
    click.echo(f"{duty}: answer {stored} is stored and will be tried first")


def _answer(text: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
        # The address does not matter here: only what is called.
        answer_from_calldata(bytes(20), data)
    except NotAnAnswer as error:
        raise click.ClickException(str(error)) from None
    except ValueError:
        raise click.ClickException("call data are hexadecimal digits") from None
    return data


async def _send(settings: Settings, duty: str, intervention: Intervention) -> None:
    client = await Client.connect(**settings.temporal_connect())
    try:
        await client.get_workflow_handle(duty).execute_update(
            interventions.SUPPLY_ANSWER, intervention
        )
    except WorkflowUpdateFailedError as error:
        raise click.ClickException(f"{duty} refuses: {error.cause}") from error
