"""A chain that halted for real: everybody gets everything back with a file, a node and some gas."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from cli import main
from models.engine import open_engine
from simulation.round import Amounts, Chapter, Round
from tests.end_to_end.conftest import BLOCKS_PER_EON, RunningOperator
from wallet.errors import OperatorRefused
from wallet.recovery import RecoveryFile
from wallet.wallet import Home

ETHER = 10**18
AMOUNTS = Amounts(deposit=ETHER, payment=3 * ETHER // 10, repayment=ETHER // 10, withdrawal=1)
GAS_PAYER = 5
PATIENCE_S = 60.0


def run(operator: RunningOperator, *arguments: str) -> str:
    """A command of a person beside the running operator."""
    environment = {"HUB_DATABASE_URL": operator.database_url}
    result = CliRunner().invoke(main, arguments, env=environment)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.timeout(900)
async def test_after_a_halt_everybody_recovers_everything_from_a_file_alone(
    operator: RunningOperator, home: Home, tmp_path: Path
) -> None:
    chapters: list[Chapter] = []
    keys = (operator.keys(1), operator.keys(2))
    tale = Round.of(home, keys, operator.contract, AMOUNTS, operator.pace(), chapters.append)
    await tale.register()
    await tale.deposit()
    await tale.pay_both_ways()
    usable = tale.payer.book.eon + 1
    owned = {wallet.keys.address: wallet.balance for wallet in (tale.payer, tale.payee)}
    # The newest root may be the fraudulent one: recovery goes by the one before it.
    await tale.see_commitment(usable + 1)
    await tale.payee.deposit(2 * ETHER)
    owned[tale.payee.keys.address] += 2 * ETHER
    await asyncio.to_thread(run, operator, "pause", "sending", "--reason", "the worst case")
    await until_halted(operator)
    with pytest.raises(OperatorRefused) as refused:
        await tale.payer.pay(tale.payee.keys.address, 1)
    assert refused.value.status == 503
    assert (await home.api.whois(operator.contract, tale.payer.keys.address)) is not None
    folder = tmp_path / "recovery"
    said = await asyncio.to_thread(run, operator, "export-recovery", str(folder))
    assert f"by the checkpoint of eon {usable}; the chain has halted" in said
    await asyncio.to_thread(recover_everybody, operator, folder, tmp_path / "key", owned)


async def until_halted(operator: RunningOperator) -> None:
    """Mine until an eon has gone by without its checkpoint, as fast as the operator reads."""
    engine = open_engine(operator.database_url, application_name="test")
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    mined = 0
    while True:
        with engine.connect() as connection:
            seen, intake = connection.execute(
                text("SELECT latest_block, intake FROM chain_view")
            ).one()
        if intake == "halted":
            break
        if seen == operator.w3.eth.block_number and mined < 3 * BLOCKS_PER_EON:
            await asyncio.to_thread(operator.mine, 4)
            mined += 4
        assert asyncio.get_running_loop().time() < deadline, "the chain did not halt"
        await asyncio.sleep(0.05)
    engine.dispose()


def recover_everybody(
    operator: RunningOperator, folder: Path, key_file: Path, owned: dict[bytes, int]
) -> None:
    """Use every file; nothing but files and the node is needed, and nothing stays behind."""
    w3 = operator.w3
    balances = {holder: w3.eth.get_balance(w3.to_checksum_address(holder)) for holder in owned}
    key_file.write_text(operator.keys(GAS_PAYER).private_key.hex())
    files = sorted(folder.iterdir())
    again = ""
    for file in files:
        arguments = ["recover", str(file), "--node-url", operator.node_url]
        result = CliRunner().invoke(main, [*arguments, "--key-file", str(key_file)])
        assert result.exit_code == 0, result.output
        if RecoveryFile.read(file).holder in owned:
            again = CliRunner().invoke(main, [*arguments, "--key-file", str(key_file)]).output
    assert "Error" in again
    for holder, amount in owned.items():
        paid = w3.eth.get_balance(w3.to_checksum_address(holder)) - balances[holder]
        assert paid == amount
    assert w3.eth.get_balance(w3.to_checksum_address(operator.contract)) == 0
