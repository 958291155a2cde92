"""Making, keeping and opening encrypted keys from the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from settings import Settings

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
PASSWORD = "a pass word of many letters"


def run(*arguments: str | Path, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["keystore", *map(str, arguments)], input=typed)


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


def test_an_imported_key_is_encrypted_opened_and_taken_by_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "owner.json"
    result = run("import", file, typed=f"0x{KEY}\n{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0 and ADDRESS in result.output, result.output
    assert KEY not in result.output and PASSWORD not in result.output
    assert KEY not in file.read_text()
    assert json.loads(file.read_text())["version"] == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("show-address", file, typed=f"{PASSWORD}\n").output.endswith(f"{ADDRESS}\n")
    settings = Settings.from_env(
        {
            "HUB_OWNER_ACCOUNT_ADDRESS": ADDRESS,
            "HUB_OWNER_KEYSTORE_FILE": str(file),
            "HUB_OWNER_KEYSTORE_PASSWORD": PASSWORD,
        }
    )
    assert settings.require_owner_key().hex() == KEY


def test_a_new_key_is_nobody_elses_and_no_file_is_written_over(
    tmp_path: Path, password_file: Path
) -> None:
    file = tmp_path / "new.json"
    made = run("new", file, "--password-file", password_file)
    assert made.exit_code == 0, made.output
    address = made.output.split()[-1]
    shown = run("show-address", file, "--password-file", password_file)
    assert shown.output.strip() == address
    before = file.read_text()
    again = run("new", file, "--password-file", password_file)
    assert again.exit_code == 1 and "File exists" in again.output
    assert file.read_text() == before


def test_wrong_passwords_keys_and_files_are_refused_without_being_repeated(tmp_path: Path) -> None:
    file, key_file = tmp_path / "owner.json", tmp_path / "key"
    key_file.write_text(KEY[:-2])
    short = run("import", file, "--key-file", key_file, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert short.exit_code == 1 and KEY[:-2] not in short.output
    key_file.write_text(KEY)
    weak = run("import", file, "--key-file", key_file, typed="too short\ntoo short\n")
    assert weak.exit_code == 1 and "at least 12" in weak.output
    assert not file.exists()
    file.write_text("{}")
    wrong = run("show-address", file, typed=f"{PASSWORD}\n")
    assert wrong.exit_code == 1 and "no keystore that this password opens" in wrong.output
    assert PASSWORD not in wrong.output
    assert run("show-address", tmp_path / "absent", typed=f"{PASSWORD}\n").exit_code == 1
