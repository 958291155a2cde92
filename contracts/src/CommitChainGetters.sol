// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clock} from "./Clock.sol";
import {CommitChainState} from "./CommitChainState.sol";
import {
    Account,
    Aggregate,
    Challenge,
    Checkpoint,
    DEPOSITS_KEPT_,
    EONS_KEPT_,
    Ledger,
    MIN_BOND_GAS_PRICE
} from "./LedgerTypes.sol";
import {Totals} from "./Totals.sol";

/// @title What anybody may read
/// @dev No getter reverts because of a halt; a slot out of range does.
abstract contract CommitChainGetters is CommitChainState {
    using Clock for Ledger;
    using Totals for *;

    /// @notice Eons whose checkpoints, accumulators and totals are kept.
    uint8 public constant EONS_KEPT = EONS_KEPT_;

    /// @notice Eons whose deposits are kept for one wallet.
    uint8 public constant DEPOSITS_KEPT = DEPOSITS_KEPT_;

    /// @notice Lowest price of one unit of gas in a bond, in wei.
    uint256 public constant MIN_CHALLENGE_GAS_COST = MIN_BOND_GAS_PRICE;

    /// @notice Which contract this is; the published one has no such getter.
    function EDITION() external pure returns (string memory) {
        return "nocust-hardened-1";
    }

    /// @notice Blocks of one eon.
    function BLOCKS_PER_EON() external view returns (uint256) {
        return ledger.blocksPerEon;
    }

    /// @notice Blocks of the slack period, a quarter of an eon.
    function BLOCKS_PER_EPOCH() external view returns (uint256) {
        return ledger.epoch();
    }

    /// @notice Blocks of the extended slack period, a third of an eon.
    function EXTENDED_BLOCKS_PER_EPOCH() external view returns (uint256) {
        return ledger.extendedEpoch();
    }

    /// @notice Block of the deployment.
    function genesis() external view returns (uint256) {
        return ledger.genesis;
    }

    /// @notice The operator, set once.
    function operator() external view returns (address) {
        return ledger.operator;
    }

    /// @notice Eon of the current block; the first is 1.
    function currentEon() external view returns (uint256) {
        return ledger.eon();
    }

    /// @notice Blocks passed since the current eon began.
    function currentEra() external view returns (uint256) {
        return ledger.era();
    }

    /// @notice Eon of the newest checkpoint; 0 before the first.
    function lastSubmissionEon() external view returns (uint256) {
        return ledger.lastSubmissionEon;
    }

    /// @notice Whether a whole eon passed without its checkpoint: halted for good.
    function hasMissedCheckpointSubmission() external view returns (bool) {
        return ledger.missed();
    }

    /// @notice Whether a challenge of the previous eon outlived its time: halted for good.
    function hasOutstandingChallenges() external view returns (bool) {
        return ledger.outstanding();
    }

    /// @notice Unanswered challenges filed under `eon`; 0 if its slot holds another eon.
    function getLiveChallenges(uint256 eon) external view returns (uint256) {
        return ledger.liveChallenges(eon);
    }

    /// @notice (eon, root, unanswered challenges) of one slot, as stored.
    function getCheckpointAtSlot(uint8 slot) external view returns (uint256, bytes32, uint256) {
        Checkpoint storage kept = ledger.checkpoints[slot];
        return (kept.eon, kept.merkleRoot, kept.liveChallenges);
    }

    /// @notice Accumulator of one slot, as stored.
    function getParentChainAccumulatorAtSlot(uint8 slot) external view returns (bytes32) {
        return ledger.accumulators[slot];
    }

    /// @notice The challenge between two parties; the recipient's own, while open, comes first.
    /// @dev Sender before recipient here; events and storage have them the other way round.
    /// @return kind, opening block, initial eon, initial balance, spendings or sell amount, gains or
    /// buy amount, transfer amount or final balance, nonce, trail
    function getChallenge(address token, address sender, address recipient)
        external
        view
        returns (uint8, uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint64)
    {
        Challenge[2] storage entries = ledger.challenges[token][recipient][sender];
        // Once none is open, the entry that was used last says in which eon that was.
        bool sendersUsedLast = entries[1].initialStateEon > entries[0].initialStateEon;
        bool showSenders = entries[0].kind == 0 && (entries[1].kind != 0 || sendersUsedLast);
        Challenge memory entry = entries[showSenders ? 1 : 0];
        return (
            entry.kind,
            entry.openedAt,
            entry.initialStateEon,
            entry.initialStateBalance,
            entry.spendings,
            entry.gains,
            entry.finalStateBalance,
            entry.nonce,
            entry.trail
        );
    }

    /// @notice Trail of a token; 0 for the native asset and for unknown tokens.
    function getTokenTrail(address token) external view returns (uint64) {
        return ledger.trails[token];
    }

    /// @notice Token at a trail; reverts out of range.
    function getTokenAtTrail(uint64 trail) external view returns (address) {
        return ledger.tokens[trail];
    }

    /// @notice Whether the holder already recovered its allotment.
    function getIsWalletRecovered(address token, address holder) external view returns (bool) {
        return ledger.accounts[token][holder].recovered;
    }

    /// @notice Deposits of a wallet in `eon`; 0 once its ring no longer holds it.
    function getDepositsAtEon(address token, address addr, uint256 eon)
        external
        view
        returns (uint256)
    {
        return ledger.accounts[token][addr].depositedIn(eon);
    }

    /// @notice (eon, amount) of one slot of a wallet's deposits, as stored.
    function getWalletDepositAggregateAtSlot(address token, address addr, uint8 slot)
        external
        view
        returns (uint256, uint256)
    {
        return unpack(ledger.accounts[token][addr].deposits[slot]);
    }

    /// @notice (eon, amount) of one slot of a token's deposits, as stored.
    function getDepositsAtSlot(address token, uint8 slot) external view returns (uint256, uint256) {
        return unpack(ledger.deposits[token][slot]);
    }

    /// @notice (eon, running total) of one slot of a token's unpaid requests, as stored.
    function getPendingWithdrawalsAtSlot(address token, uint8 slot)
        external
        view
        returns (uint256, uint256)
    {
        return unpack(ledger.pending[token][slot]);
    }

    /// @notice Running total of a token's unpaid requests at the end of `eon`.
    function getPendingWithdrawalsAtEon(address token, uint256 eon)
        external
        view
        returns (uint256)
    {
        return ledger.pending[token].running(eon);
    }

    /// @notice (eon, amount) of one slot of a token's paid requests, as stored.
    function getConfirmedWithdrawalsAtSlot(address token, uint8 slot)
        external
        view
        returns (uint256, uint256)
    {
        return unpack(ledger.confirmed[token][slot]);
    }

    /// @notice Unpaid requests of a wallet made in `eon`.
    function getWalletPendingWithdrawalAmountAtEon(address token, address holder, uint256 eon)
        external
        view
        returns (uint256)
    {
        return ledger.accounts[token][holder].requestedBetween(eon, eon);
    }

    /// @notice Deposits and unpaid requests in the eon of the holder's state-update challenge, the
    /// name notwithstanding.
    function getCurrentEonDepositsWithdrawals(address token, address holder)
        external
        view
        returns (uint256 currentEonDeposits, uint256 currentEonWithdrawals)
    {
        uint256 eon = ledger.challenges[token][holder][holder][0].initialStateEon;
        Account storage account = ledger.accounts[token][holder];
        return (account.depositedIn(eon), account.requestedBetween(eon, eon));
    }

    /// @dev (eon, amount) of a stored aggregate.
    function unpack(Aggregate storage slot) private view returns (uint256, uint256) {
        return (slot.eon, slot.amount);
    }
}
