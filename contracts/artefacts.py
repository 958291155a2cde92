"""The committed results of `contracts/build.mjs`: interfaces, bytecode, links."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

ARTEFACTS: Final = Path(__file__).parent / "artefacts"
PUBLISHED_ARTEFACTS: Final = Path(__file__).parent / "published" / "artefacts"
"""The test edition, with the original contract's weaknesses: nothing that is worth anything may be
put into it."""
COMMIT_CHAIN: Final = "NOCUSTCommitChain"
DEVELOPMENT_TOKEN: Final = "DevelopmentToken"


class UnknownArtefact(LookupError):
    """No contract of that name is among the committed artefacts."""


@cache
def load_artefact(name: str, folder: Path = ARTEFACTS) -> dict[str, Any]:
    """The artefact of the contract `name`; treat it as read-only, callers share it.

    Members: `name`, `compiler`, `abi` (list), `bytecode` (hex with `0x`, placeholders where
    libraries belong), `linkReferences` (library name to byte offsets), `runtimeBytes`.
    Raises UnknownArtefact.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise UnknownArtefact(name)
    artefact: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return artefact


def commit_chain_abi() -> list[dict[str, Any]]:
    """The interface of our commit-chain, for clients of the contract."""
    abi: list[dict[str, Any]] = load_artefact(COMMIT_CHAIN)["abi"]
    return abi
