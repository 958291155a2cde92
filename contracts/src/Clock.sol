// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoint, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";

/// @title The eon clock and the halt
library Clock {
    /// @notice Eon of the current block; the first is 1.
    function eon(Ledger storage ledger) internal view returns (uint256) {
        return (block.number - ledger.genesis) / ledger.blocksPerEon + 1;
    }

    /// @notice Blocks passed since the current eon began.
    function era(Ledger storage ledger) internal view returns (uint256) {
        return (block.number - ledger.genesis) % ledger.blocksPerEon;
    }

    /// @notice The slack period: a quarter of an eon, in blocks.
    function epoch(Ledger storage ledger) internal view returns (uint256) {
        return uint256(ledger.blocksPerEon) / 4;
    }

    /// @notice The extended slack period: a third of an eon, in blocks.
    function extendedEpoch(Ledger storage ledger) internal view returns (uint256) {
        return uint256(ledger.blocksPerEon) / 3;
    }

    /// @notice Unanswered challenges filed under `atEon`; 0 once its slot was reused.
    function liveChallenges(Ledger storage ledger, uint256 atEon) internal view returns (uint256) {
        Checkpoint storage slot = ledger.checkpoints[atEon % EONS_KEPT_];
        return slot.eon == atEon ? slot.liveChallenges : 0;
    }

    /// @notice Whether a whole eon passed without its checkpoint.
    function missed(Ledger storage ledger) internal view returns (bool) {
        return eon(ledger) - ledger.lastSubmissionEon > 1;
    }

    /// @notice Whether a challenge of the previous eon outlived its time.
    function outstanding(Ledger storage ledger) internal view returns (bool) {
        return liveChallenges(ledger, eon(ledger) - 1) > 0 && era(ledger) > epoch(ledger);
    }

    /// @notice Reverts `p` once the commit-chain is halted.
    function requireRunning(Ledger storage ledger) internal view {
        require(!missed(ledger) && !outstanding(ledger), "p");
    }

    /// @notice Reverts `f` while the commit-chain is not halted.
    function requireHalted(Ledger storage ledger) internal view {
        require(missed(ledger) || outstanding(ledger), "f");
    }
}
