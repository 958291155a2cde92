// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {CommitChainState} from "./CommitChainState.sol";
import {Deliveries} from "./Deliveries.sol";
import {MIN_BOND_GAS_PRICE} from "./LedgerTypes.sol";
import {StateUpdates} from "./StateUpdates.sol";
import {Swaps} from "./Swaps.sol";

/// @title Challenges and their answers
/// @notice Challenges are about the previous eon. They open after the slack period and cost a bond:
/// the gas that opening takes, at the higher of the minimum and the transaction's price. The whole
/// value sent goes to the operator. Answers are free and anybody's.
abstract contract CommitChainDisputes is CommitChainState {
    /// @dev Collects the bond after the body, when it is known what that took.
    modifier bonded() {
        uint256 before = gasleft();
        _;
        Assets.requireBond(before - gasleft(), MIN_BOND_GAS_PRICE);
        Assets.forwardBond(ledger.operator);
    }

    /// @notice Disputes the caller's balance, with its allotment of the previous eon.
    /// @param checksums [active state, passive root] of that leaf
    /// @param lrDeltasPassiveMark [left, right] of that leaf, [spent, gained] of the newest state that
    /// the operator signed in the previous eon, [passive amount, mark] of that leaf
    /// @param rsTxSetRoot [r, s, transfer set] of that state
    function challengeStateUpdateWithProofOfExclusiveBalanceAllotment(
        address token,
        bytes32[2] calldata checksums,
        uint64 trail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata value,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[3] calldata rsTxSetRoot,
        uint8 v
    ) external payable exclusive bonded {
        StateUpdates.challengeAllotment(
            ledger,
            token,
            checksums,
            trail,
            allotmentChain,
            membershipChain,
            value,
            lrDeltasPassiveMark,
            rsTxSetRoot,
            v
        );
    }

    /// @notice Disputes the balance of a caller without an allotment yet, with a state that the
    /// operator signed; the one that admitted the wallet will do.
    function challengeStateUpdateWithProofOfActiveStateUpdateAgreement(
        address token,
        bytes32 txSetRoot,
        uint64 trail,
        uint256[2] calldata deltas,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) external payable exclusive bonded {
        StateUpdates.challengeAgreement(ledger, token, txSetRoot, trail, deltas, [r, s], v);
    }

    /// @notice Shows that the issuer's leaf in the checkpoint after the challenged eon is right.
    /// @param lrDeltasPassiveMark [left, right], [spent, gained], [passive amount, mark] of that leaf
    /// @param rSrStxSetRootChecksum [r, s of the issuer, r, s of the operator, transfer set, passive
    /// root]
    /// @param v of the issuer, of the operator
    function answerStateUpdateChallenge(
        address token,
        address issuer,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[6] calldata rSrStxSetRootChecksum,
        uint8[2] calldata v
    ) external exclusive {
        StateUpdates.answer(
            ledger,
            token,
            issuer,
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark,
            rSrStxSetRootChecksum,
            v
        );
    }

    /// @notice Disputes the delivery of a transfer, with a state of the sender that the operator
    /// signed.
    /// @param SR [sender, recipient]; the caller is one of them
    /// @param nonceAmount [nonce or passive tag, amount]
    /// @param trails [sender's trail, index in the sender's set, recipient's trail]
    /// @param rsTxSetRoot [r, s, root of the sender's set]
    function challengeTransferDeliveryWithProofOfActiveStateUpdateAgreement(
        address token,
        address[2] calldata SR,
        uint256[2] calldata nonceAmount,
        uint64[3] calldata trails,
        bytes32[] calldata chain,
        uint256[2] calldata deltas,
        bytes32[3] calldata rsTxSetRoot,
        uint8 v
    ) external payable exclusive bonded {
        Deliveries.challengeActive(
            ledger, token, SR, nonceAmount, trails, chain, deltas, rsTxSetRoot, v
        );
    }

    /// @notice Shows the transfer in the set that the recipient's leaf commits to.
    /// @param lrDeltasPassiveMark the recipient's leaf
    /// @param txSetRootChecksum [root of the recipient's set, recipient's passive root]
    function answerTransferDeliveryChallengeWithProofOfActiveStateUpdateAgreement(
        address token,
        address[2] calldata SR,
        uint64 transferMembershipTrail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[2] calldata txSetRootChecksum,
        bytes32[] calldata txChain
    ) external exclusive {
        Deliveries.answerActive(
            ledger,
            token,
            SR,
            transferMembershipTrail,
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark,
            txSetRootChecksum,
            txChain
        );
    }

    /// @notice Disputes the delivery of the newest transfer of the sender's set, with the sender's
    /// committed leaf.
    /// @param txSetRootChecksum [root of the sender's set, sender's passive root]
    /// @param senderTransferRecipientTrails [sender's trail, index in the set, recipient's trail]
    /// @param lrDeltasPassiveMarkDummyAmount the sender's leaf, then [nonce, amount]; nonce 0 stands
    /// for a leaf with the greatest number in place of a tag
    function challengeTransferDeliveryWithProofOfPassiveStateUpdate(
        address token,
        address[2] calldata SR,
        bytes32[2] calldata txSetRootChecksum,
        uint64[3] calldata senderTransferRecipientTrails,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][4] calldata lrDeltasPassiveMarkDummyAmount,
        bytes32[] calldata transferMembershipChain
    ) external payable exclusive bonded {
        Deliveries.challengePassive(
            ledger,
            token,
            SR,
            txSetRootChecksum,
            senderTransferRecipientTrails,
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMarkDummyAmount,
            transferMembershipChain
        );
    }

    /// @notice Shows the transfer in the passive tree that the recipient's leaf commits to.
    /// @param lrPassiveMarkPositionNonce [left, right] and [passive amount, mark] of the recipient's
    /// leaf, then [position, nonce] of the transfer
    /// @param checksums [active state, passive root] of the recipient's leaf
    /// @param txChainValues all sibling hashes, then all their outer edges
    function answerTransferDeliveryChallengeWithProofOfPassiveStateUpdate(
        address token,
        address[2] calldata SR,
        uint64 transferMembershipTrail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrPassiveMarkPositionNonce,
        bytes32[2] calldata checksums,
        bytes32[] calldata txChainValues
    ) external exclusive {
        Deliveries.answerPassive(
            ledger,
            token,
            SR,
            transferMembershipTrail,
            allotmentChain,
            membershipChain,
            values,
            lrPassiveMarkPositionNonce,
            checksums,
            txChainValues
        );
    }

    /// @notice Disputes what became of an order, with the caller's leaf of the token sold.
    /// @param tokens [sold, bought]
    /// @param senderTransferRecipientTrails [trail of the token sold, index of the order, trail of the
    /// token bought]
    /// @param lrDeltasPassiveMark the caller's leaf of the token sold in this eon's checkpoint
    /// @param sellBuyBalanceNonce [sell, buy, start balance, nonce] of the order
    /// @param txSetRootChecksumDummy [root of the set, passive root, ignored]
    function challengeSwapEnactmentWithProofOfActiveStateUpdateAgreement(
        address[2] calldata tokens,
        uint64[3] calldata senderTransferRecipientTrails,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        bytes32[] calldata txChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        uint256[4] calldata sellBuyBalanceNonce,
        bytes32[3] calldata txSetRootChecksumDummy
    ) external payable exclusive bonded {
        Swaps.challenge(
            ledger,
            tokens,
            senderTransferRecipientTrails,
            allotmentChain,
            membershipChain,
            txChain,
            values,
            lrDeltasPassiveMark,
            sellBuyBalanceNonce,
            txSetRootChecksumDummy
        );
    }

    /// @notice Shows the order and what it brought in, in the issuer's leaf of the token bought.
    /// @param balance start balance in the order's leaf there; the greatest number for an order that
    /// was finalised or cancelled
    /// @param txSetRootChecksumDummy [root of the set, passive root, ignored]
    function answerSwapChallengeWithProofOfExclusiveBalanceAllotment(
        address[2] calldata tokens,
        address issuer,
        uint64 transferMembershipTrail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        bytes32[] calldata txChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        uint256 balance,
        bytes32[3] calldata txSetRootChecksumDummy
    ) external exclusive {
        Swaps.answer(
            ledger,
            tokens,
            issuer,
            transferMembershipTrail,
            allotmentChain,
            membershipChain,
            txChain,
            values,
            lrDeltasPassiveMark,
            balance,
            txSetRootChecksumDummy
        );
    }
}
