"""The published edition's committed artefacts, too, are what the sources compile to."""

from pathlib import Path

from contracts.artefacts import PUBLISHED_ARTEFACTS

from ..test_artefacts import require_fresh


def test_the_artefacts_of_the_published_edition_equal_a_fresh_build(tmp_path: Path) -> None:
    require_fresh(PUBLISHED_ARTEFACTS, tmp_path, "--published")
