"""`nocust-operator check-vectors` says what it checked and fails on anything it could not."""

import json
import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from cli import main

FOLDER = Path(__file__).parent.parent / "vectors"


def run(folder: Path) -> Result:
    return CliRunner().invoke(main, ["check-vectors", str(folder)])


def test_the_public_vectors_pass_and_each_file_is_counted() -> None:
    result = run(FOLDER)
    assert result.exit_code == 0, result.output
    for path in FOLDER.glob("*.json"):
        assert f"{path.name}: " in result.output
    assert "encodings.json: 73 cases\n" in result.output
    assert "passive_tree_original.json: set aside" in result.output


def test_the_first_difference_fails_with_file_case_and_field(tmp_path: Path) -> None:
    document = json.loads((FOLDER / "conduit.json").read_text())
    document["cases"][2]["expected"]["conduit"] = "00" * 20
    (tmp_path / "conduit.json").write_text(json.dumps(document))
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "conduit.json: case 2: expected.conduit" in result.output


def test_an_empty_folder_and_one_with_only_the_file_set_aside_fail(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 1
    shutil.copy(FOLDER / "passive_tree_original.json", tmp_path)
    assert run(tmp_path).exit_code == 1


def test_unknown_and_malformed_files_fail(tmp_path: Path) -> None:
    for name, text in (
        ("surprise.json", '{"cases": []}'),
        ("readme.txt", ""),
        ("conduit.json", "{"),
        ("conduit.json", '{"cases": [], "cases": []}'),
        ("conduit.json", "[]"),
    ):
        (tmp_path / name).write_text(text)
        result = run(tmp_path)
        assert result.exit_code == 1 and name in result.output, result.output
        (tmp_path / name).unlink()
