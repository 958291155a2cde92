// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Clock} from "./Clock.sol";
import {CommitChainDisputes} from "./CommitChainDisputes.sol";
import {CommitChainGetters} from "./CommitChainGetters.sol";
import {CommitChainSummaries} from "./CommitChainSummaries.sol";
import {CommitChainVerification} from "./CommitChainVerification.sol";
import {Checkpoint, DEPOSITS_KEPT_, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";
import {Recovery} from "./Recovery.sol";
import {Totals} from "./Totals.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// @title The commit-chain: holds the money, takes one root per eon, judges, and pays back
contract NOCUSTCommitChain is
    CommitChainGetters,
    CommitChainSummaries,
    CommitChainVerification,
    CommitChainDisputes
{
    using Clock for Ledger;
    using Totals for *;

    /// @dev Shorter eons have no time to answer in, or pay before the halt.
    uint256 private constant SHORTEST_EON = 12;

    /// @notice Starts eon 1 in the block of the deployment.
    /// @param blocksPerEon at least 12, so that payments come after the halt they could cause
    /// @param operator who alone submits checkpoints; can never be changed
    constructor(uint256 blocksPerEon, address operator) {
        require(blocksPerEon >= SHORTEST_EON && blocksPerEon <= type(uint48).max, "eon");
        require(operator != address(0), "zero");
        ledger.operator = operator;
        ledger.genesis = uint48(block.number);
        ledger.blocksPerEon = uint48(blocksPerEon);
        ledger.lock = UNLOCKED;
        ledger.tokens.push(address(this));
    }

    /// @notice Plain ether raises the balance of the pool and nothing else.
    receive() external payable {}

    /// @notice Gives an ERC-20 the next trail.
    /// @param token must have code and be neither known nor the commit-chain itself
    function registerERC20(address token) external exclusive onlyOperator {
        require(token != address(this) && ledger.trails[token] == 0, "known");
        require(token.code.length > 0, "code");
        uint64 trail = uint64(ledger.tokens.length);
        ledger.trails[token] = trail;
        ledger.tokens.push(token);
        emit TokenRegistered(token, trail);
    }

    /// @notice Brings money of the caller in, in favour of `beneficiary`.
    /// @param token the commit-chain's own address for ether, else a registered ERC-20
    /// @param amount of an ERC-20; ignored for ether, where the value sent counts
    function deposit(address token, address beneficiary, uint256 amount)
        external
        payable
        exclusive
    {
        ledger.requireRunning();
        require(beneficiary != address(0), "zero");
        bool ether_ = Assets.isEther(token);
        if (!ether_) {
            require(ledger.trails[token] != 0, "t");
            require(msg.value == 0, "m");
        }
        uint256 value = ether_ ? msg.value : amount;
        uint256 eon = ledger.eon();
        Totals.add(
            ledger.accounts[token][beneficiary].deposits[eon % DEPOSITS_KEPT_], eon, value
        );
        Totals.add(ledger.deposits[token][eon % EONS_KEPT_], eon, value);
        ledger.accumulate(eon, token, beneficiary, Totals.DEPOSIT, value);
        emit Deposit(token, beneficiary, value);
        if (!ether_) Assets.pull(token, value);
    }

    /// @notice Commits the balances as they were at the end of the previous eon. Once per eon.
    /// @param accumulator of the previous eon, as it is now
    function submitCheckpoint(bytes32 accumulator, bytes32 merkleRoot)
        external
        exclusive
        onlyOperator
    {
        ledger.requireRunning();
        uint256 eon = ledger.eon();
        require(accumulator == ledger.accumulators[(eon - 1) % EONS_KEPT_], "b");
        require(ledger.liveChallenges(eon - 1) == 0, "c");
        require(eon > ledger.lastSubmissionEon, "d");
        ledger.lastSubmissionEon = uint64(eon);
        Checkpoint storage slot = ledger.checkpoints[eon % EONS_KEPT_];
        // Challenges may have opened the slot before the root came.
        if (slot.eon != eon) {
            slot.eon = uint128(eon);
            slot.liveChallenges = 0;
        }
        slot.merkleRoot = merkleRoot;
        emit CheckpointSubmission(eon, merkleRoot);
    }

    /// @notice Asks for money on the proof of the caller's allotment in the previous eon's
    /// checkpoint. The value sent is the bond, at least 100,100 gas at the higher of the minimum and
    /// the transaction's price; it goes to the operator.
    /// @param checksums [active state, passive root] of the leaf
    /// @param lrPassiveMark [[left, right], [passive amount, passive mark]] of the leaf
    function requestWithdrawal(
        address token,
        bytes32[2] calldata checksums,
        uint64 trail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][2] calldata lrPassiveMark,
        uint256 withdrawalAmount
    ) external payable exclusive {
        Withdrawals.request(
            ledger,
            token,
            checksums,
            trail,
            allotmentChain,
            membershipChain,
            values,
            lrPassiveMark,
            withdrawalAmount
        );
    }

    /// @notice Asks for money with the operator's consent in place of a proof.
    /// @param expiry last block in which the consent is valid
    function requestAuthorizedWithdrawal(
        address token,
        uint256 withdrawalAmount,
        uint256 expiry,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) external exclusive {
        Withdrawals.requestSigned(
            ledger, token, msg.sender, withdrawalAmount, expiry, ledger.operator, [r, s], v
        );
    }

    /// @notice The operator asks in the name of a holder who signed for it.
    /// @param expiry last block in which the signature is valid
    function requestDelegatedWithdrawal(
        address token,
        address holder,
        uint256 withdrawalAmount,
        uint256 expiry,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) external exclusive onlyOperator {
        Withdrawals.requestSigned(
            ledger, token, holder, withdrawalAmount, expiry, holder, [r, s], v
        );
    }

    /// @notice Pays every matured request of `recipient`; anybody may send it.
    /// @return the amount paid; 0 if nothing is payable, which changes nothing
    function confirmWithdrawal(address token, address recipient)
        external
        exclusive
        returns (uint256)
    {
        return Withdrawals.confirm(ledger, token, recipient);
    }

    /// @notice Cancels requests of `withdrawer` that exceed what it declared to keep.
    /// @param markerEonAvailable [eon, amount] of the marker that the withdrawer signed
    /// @return [amount of the previous eon, amount of the current eon] that was cancelled
    function slashWithdrawalWithProofOfMinimumAvailableBalance(
        address token,
        address withdrawer,
        uint256[2] calldata markerEonAvailable,
        bytes32[2] calldata rs,
        uint8 v
    ) external exclusive returns (uint256[2] memory) {
        return Withdrawals.slash(ledger, token, withdrawer, markerEonAvailable, rs, v);
    }

    /// @notice After the halt: pays the holder what the last usable checkpoint does not contain.
    function recoverOnlyParentChainFunds(address token, address holder)
        external
        exclusive
        returns (uint256 reclaimed)
    {
        return Recovery.recoverParentChain(ledger, token, holder);
    }

    /// @notice After the halt: pays the holder everything, once.
    /// @param LR [left, right] of the holder's leaf in the last checkpoint but one
    /// @param dummyPassiveMark [ignored, passive amount, passive mark] of that leaf
    function recoverAllFunds(
        address token,
        address holder,
        bytes32[2] calldata checksums,
        uint64 trail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] calldata LR,
        uint256[3] calldata dummyPassiveMark
    ) external exclusive returns (uint256 recovered) {
        return Recovery.recoverAll(
            ledger,
            token,
            holder,
            checksums,
            trail,
            allotmentChain,
            membershipChain,
            values,
            LR,
            dummyPassiveMark
        );
    }
}
