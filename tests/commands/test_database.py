"""Commands find the database of the operator beside which they run."""

from pathlib import Path

import pytest

from commands.database import database_url
from setting_types import SettingsError
from settings import Settings
from stack.postgres import EmbeddedPostgres


def test_a_command_finds_the_embedded_database_in_the_data_folder(
    postgres_server: EmbeddedPostgres, parts_folder: Path
) -> None:
    settings = Settings.development(data_dir=parts_folder, postgres_port=postgres_server.port)
    assert database_url(settings) == postgres_server.url()


def test_a_command_without_any_database_says_which_setting_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HUB_DATABASE_URL"):
        database_url(Settings.development(data_dir=tmp_path))
