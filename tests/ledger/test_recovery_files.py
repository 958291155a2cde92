"""A file for everybody who may own something on chain, whether registered or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.export_recovery import export
from ledger.recovery import START, list_claims, usable_eon
from tests.ledger.world import ETHER, World, key
from wallet.recovery import RecoveryFile, UnusableFile

LONGEST = 10


def test_recovery_goes_by_the_checkpoint_before_the_newest() -> None:
    assert [usable_eon(eon) for eon in (0, 1, 2, 9)] == [0, 0, 1, 8]


def test_everybody_gets_a_file_that_the_wallet_client_reads(ledger: World, tmp_path: Path) -> None:
    ledger.admit("alice")
    ledger.deposit("alice", ETHER)
    ledger.deposit("a stranger", 2 * ETHER)
    with ledger.begin() as session:
        written, eon, halted = export(session, tmp_path)
    files = [RecoveryFile.read(path) for path in sorted(tmp_path.iterdir())]
    assert (written, eon, halted) == (len(files), 0, False)
    holders = {(file.token, file.holder) for file in files}
    rules = ledger.rules
    assert {(rules.contract, key(name).address) for name in ("alice", "a stranger")} <= holders
    assert {token for token, _ in holders} == {rules.contract, rules.sla_token}
    for file in files:
        assert (file.chain_id, file.contract, file.proof) == (1337, rules.contract, None)


def test_pages_miss_nobody(ledger: World) -> None:
    for number in range(LONGEST):
        ledger.admit(f"holder {number}")
    place, seen = START, []
    with ledger.begin() as session:
        while claims := list_claims(session, 0, after=place, limit=3):
            seen += [claim.place for claim in claims]
            place = claims[-1].place
    # The operator has a wallet in both tokens.
    assert len(seen) == len(set(seen)) == LONGEST + 2


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"format": "nocust-recovery-2"}', "\x00"])
def test_what_is_no_recovery_file_is_refused_by_name(tmp_path: Path, body: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(body)
    with pytest.raises(UnusableFile):
        RecoveryFile.read(path)
    path.write_text(json.dumps({"format": "nocust-recovery-1", "chain_id": "x"}))
    with pytest.raises(UnusableFile):
        RecoveryFile.read(path)
