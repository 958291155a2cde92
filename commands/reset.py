"""`nocust-operator reset`: forget everything that the embedded stack has stored."""

import click

from setting_types import SettingsError
from settings import Settings
from stack.data_folder import DataFolder
from stack.errors import StackError
from stack.postgres import EmbeddedPostgres


@click.command()
def reset() -> None:
    """Delete the embedded PostgreSQL, Temporal and chain; refused while a stack runs on them."""
    try:
        settings = Settings.from_env(signs=False)
        folder = DataFolder(settings.data_dir)
        if not folder.root.exists():
            click.echo(f"{folder.root} does not exist; nothing to clear")
            return
        with folder.locked():
            EmbeddedPostgres(folder.part("postgres"), settings.postgres_port).remove()
            folder.clear()
    except (SettingsError, StackError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{folder.root} is empty")
