"""The documentation is whole, and says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cli import COMMANDS, main
from commands.reference import reference
from settings import ROOT


def test_the_site_builds_strictly_and_asks_nobody_else_for_anything(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 50
    loaded = r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"(?:https?:)?//[^\"]+\""
    for page in pages:
        found = re.findall(loaded, page.read_text())
        assert [one for one in found if 'rel="canonical"' not in one] == [], page.name
    assert (tmp_path / "assets" / "mermaid.tiny.js").stat().st_size > 1_000_000


def test_every_command_of_the_documents_exists() -> None:
    known = set(COMMANDS)
    own = set(re.findall(r"^    ([a-z-]+)\) shift;", (ROOT / "run.sh").read_text(), re.M))
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        said = set(
            re.findall(r"(?:nocust-operator|\./run\.sh) ([a-z][a-z-]+)", document.read_text())
        )
        assert said - known - own == set(), document.name


def test_the_reference_describes_every_command_and_every_option() -> None:
    page = reference(main)
    assert set(re.findall(r"^## (\S+)$", page, re.M)) == set(COMMANDS)
    assert "### demo trade" in page
    assert "| `--replace` | Although the database holds a ledger: it is lost. |" in page
