"""`nocust-operator prepare`: bring a real PostgreSQL and a real Temporal to what we need."""

import asyncio

import click
from temporalio.client import Client

from duties import search_attributes
from models import migrate
from setting_types import SettingsError
from settings import Settings
from stack.errors import StackError
from stack.temporal import ensure_namespace


@click.command()
def prepare() -> None:
    """Migrate the data base and register the namespace with its search attributes.

    Safe to repeat; run it before each roll-out. `up` does the same for the parts it starts.
    """
    try:
        settings = Settings.from_env(signs=False)
        migrate.upgrade(settings.require_database_url())
        asyncio.run(_register(settings))
    except (SettingsError, StackError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("the data base and the namespace are ready")


async def _register(settings: Settings) -> None:
    client = await Client.connect(**settings.temporal_connect())
    await ensure_namespace(client, search_attributes.ALL)
