// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allotments} from "./Allotments.sol";
import {Challenges} from "./Challenges.sol";
import {Clock} from "./Clock.sol";
import {Challenge, Ledger} from "./LedgerTypes.sol";
import {Proofs} from "./Proofs.sol";
import {Signatures} from "./Signatures.sol";
import {Transfers} from "./Transfers.sol";

/// @title Delivery challenges: did the transfer arrive in the recipient's leaf?
/// @dev Deployed on its own and reached by delegate call from the commit-chain.
library Deliveries {
    using Clock for Ledger;

    /// @notice Opens with a state of the sender that the operator signed.
    /// @param sr [sender, recipient]; the caller is one of them
    /// @param nonceAmount [nonce or tag, amount]
    /// @param trails [sender's trail, index in the sender's set, recipient's trail]
    /// @param rsTxSetRoot [r, s, root of the sender's set]
    function challengeActive(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        uint256[2] calldata nonceAmount,
        uint64[3] calldata trails,
        bytes32[] calldata chain,
        uint256[2] calldata deltas,
        bytes32[3] calldata rsTxSetRoot,
        uint8 v
    ) external {
        requireParty(ledger, token, sr);
        bytes32 state = Signatures.activeState(
            token, sr[0], trails[0], ledger.eon() - 1, rsTxSetRoot[2], deltas
        );
        require(
            Signatures.isSignedBy(ledger.operator, state, rsTxSetRoot[0], rsTxSetRoot[1], v), "A"
        );
        bytes32 leaf = Transfers.transferLeaf(sr[1], nonceAmount[1], trails[2], nonceAmount[0]);
        require(Proofs.isMember(trails[1], chain, leaf, rsTxSetRoot[2]), "e");
        open(ledger, token, sr, trails[2], nonceAmount[1], nonceAmount[0]);
    }

    /// @notice Opens with the sender's committed leaf, for the newest transfer of its set.
    /// @param txSetRootChecksum [root of the sender's set, sender's passive root]
    /// @param trails [sender's trail, index in the sender's set, recipient's trail]
    /// @param lrDeltasPassiveMarkDummyAmount the sender's leaf, then [nonce, amount]; with nonce 0 the
    /// leaf's nonce is the greatest number itself instead of a tag
    function challengePassive(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        bytes32[2] calldata txSetRootChecksum,
        uint64[3] calldata trails,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][4] calldata lrDeltasPassiveMarkDummyAmount,
        bytes32[] calldata transferMembershipChain
    ) external {
        requireParty(ledger, token, sr);
        requireNewest(
            sr[1],
            trails,
            transferMembershipChain,
            lrDeltasPassiveMarkDummyAmount[3],
            txSetRootChecksum[0]
        );
        Allotments.check(
            ledger,
            token,
            sr[0],
            [
                Signatures.activeState(
                    token,
                    sr[0],
                    trails[0],
                    ledger.eon() - 1,
                    txSetRootChecksum[0],
                    lrDeltasPassiveMarkDummyAmount[1]
                ),
                txSetRootChecksum[1]
            ],
            trails[0],
            [
                ledger.eon(),
                lrDeltasPassiveMarkDummyAmount[2][0],
                lrDeltasPassiveMarkDummyAmount[2][1]
            ],
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMarkDummyAmount[0]
        );
        uint256 nonce = lrDeltasPassiveMarkDummyAmount[3][0];
        uint256 recorded = Transfers.tag(
            lrDeltasPassiveMarkDummyAmount[2][1], nonce == 0 ? Transfers.LAST_POSITION : nonce
        );
        open(ledger, token, sr, trails[2], lrDeltasPassiveMarkDummyAmount[3][1], recorded);
    }

    /// @notice Answers with the transfer in the set that the recipient's leaf commits to.
    /// @param lrDeltasPassiveMark the recipient's leaf
    /// @param txSetRootChecksum [root of the recipient's set, recipient's passive root]
    function answerActive(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        uint64 transferTrail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[2] calldata txSetRootChecksum,
        bytes32[] calldata txChain
    ) external {
        Challenge storage entry =
            entryInSet(ledger, token, sr, transferTrail, txChain, txSetRootChecksum[0]);
        Allotments.check(
            ledger,
            token,
            sr[1],
            [
                Signatures.activeState(
                    token,
                    sr[1],
                    entry.trail,
                    entry.initialStateEon,
                    txSetRootChecksum[0],
                    lrDeltasPassiveMark[1]
                ),
                txSetRootChecksum[1]
            ],
            entry.trail,
            [
                uint256(entry.initialStateEon) + 1,
                lrDeltasPassiveMark[2][0],
                lrDeltasPassiveMark[2][1]
            ],
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark[0]
        );
        Challenges.close(ledger, token, sr[1], sr[0], entry);
    }

    /// @notice Answers with the transfer in the passive tree that the recipient's leaf commits to.
    /// @param lrPassiveMarkPositionNonce [left, right] and [passive amount, mark] of the recipient's
    /// leaf, then [position, nonce] of the transfer
    /// @param checksums [active state, passive root] of the recipient's leaf
    function answerPassive(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        uint64 transferTrail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrPassiveMarkPositionNonce,
        bytes32[2] calldata checksums,
        bytes32[] calldata txChainValues
    ) external {
        Challenge storage entry = entryTagged(ledger, token, sr, lrPassiveMarkPositionNonce[2]);
        require(
            passiveTotal(
                entry,
                sr[0],
                transferTrail,
                lrPassiveMarkPositionNonce[2],
                checksums[1],
                txChainValues
            ) <= lrPassiveMarkPositionNonce[1][0],
            "amount"
        );
        Allotments.check(
            ledger,
            token,
            sr[1],
            checksums,
            entry.trail,
            [
                uint256(entry.initialStateEon) + 1,
                lrPassiveMarkPositionNonce[1][0],
                lrPassiveMarkPositionNonce[1][1]
            ],
            allotmentChain,
            membershipChain,
            values,
            lrPassiveMarkPositionNonce[0]
        );
        Challenges.close(ledger, token, sr[1], sr[0], entry);
    }

    /// @dev Only the two parties may ask, and they are two: a transfer to oneself would occupy the
    /// wallet's state-update challenge.
    function requireParty(Ledger storage ledger, address token, address[2] calldata sr)
        private
        view
    {
        Challenges.requireOpenable(ledger, token);
        require((msg.sender == sr[0] || msg.sender == sr[1]) && sr[0] != sr[1], "d");
    }

    /// @dev One entry for each opener, so that a sender in league with the operator cannot occupy
    /// the recipient's; and each transfer once per eon, whoever asks.
    function open(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        uint64 trail,
        uint256 amount,
        uint256 nonce
    ) private {
        Challenge storage entry =
            msg.sender == sr[1] ? ownEntry(ledger, token, sr) : sendersEntry(ledger, token, sr);
        require(entry.kind == Challenges.NONE, "open");
        bytes32 subject = keccak256(
            abi.encode(
                token, sr[0], ledger.eon(), Transfers.transferLeaf(sr[1], amount, trail, nonce)
            )
        );
        require(!ledger.challengedTransfers[subject], "used");
        ledger.challengedTransfers[subject] = true;
        Challenge memory challenge;
        challenge.kind = Challenges.DELIVERY;
        challenge.trail = trail;
        challenge.finalStateBalance = amount;
        challenge.nonce = nonce;
        Challenges.open(ledger, token, sr[1], sr[0], entry, challenge);
    }

    /// @dev The entry of challenges that the recipient opens.
    function ownEntry(Ledger storage ledger, address token, address[2] calldata sr)
        private
        view
        returns (Challenge storage)
    {
        return ledger.challenges[token][sr[1]][sr[0]][0];
    }

    /// @dev The entry of challenges that the sender opens.
    function sendersEntry(Ledger storage ledger, address token, address[2] calldata sr)
        private
        view
        returns (Challenge storage)
    {
        return ledger.challenges[token][sr[1]][sr[0]][1];
    }

    /// @dev `e` unless the set holds the transfer as its newest: the sender signed it before its
    /// position was known.
    function requireNewest(
        address recipient,
        uint64[3] calldata trails,
        bytes32[] calldata chain,
        uint256[2] calldata nonceAmount,
        bytes32 root
    ) private pure {
        uint256 written = nonceAmount[0] == 0
            ? Transfers.LAST_POSITION
            : Transfers.tag(Transfers.LAST_POSITION, nonceAmount[0]);
        bytes32 leaf = Transfers.transferLeaf(recipient, nonceAmount[1], trails[2], written);
        require(Proofs.isMember(trails[1], chain, leaf, root), "e");
    }

    /// @dev The open entry whose transfer is in the set, the recipient's first.
    function entryInSet(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        uint64 transferTrail,
        bytes32[] calldata chain,
        bytes32 root
    ) private view returns (Challenge storage entry) {
        entry = ownEntry(ledger, token, sr);
        if (isInSet(entry, sr[0], transferTrail, chain, root)) return entry;
        entry = sendersEntry(ledger, token, sr);
        require(isInSet(entry, sr[0], transferTrail, chain, root), "none");
    }

    /// @dev Whether `entry` is open and its transfer is at `transferTrail` of the recipient's set.
    function isInSet(
        Challenge storage entry,
        address sender,
        uint64 transferTrail,
        bytes32[] calldata chain,
        bytes32 root
    ) private view returns (bool) {
        if (entry.kind != Challenges.DELIVERY) return false;
        bytes32 leaf = Transfers.transferLeaf(
            sender, entry.finalStateBalance, entry.trail, entry.nonce
        );
        return Proofs.isMember(transferTrail, chain, leaf, root);
    }

    /// @dev The open entry that has the tag of [position, nonce], the recipient's first.
    function entryTagged(
        Ledger storage ledger,
        address token,
        address[2] calldata sr,
        uint256[2] calldata positionNonce
    ) private view returns (Challenge storage entry) {
        entry = ownEntry(ledger, token, sr);
        if (isTagged(entry, positionNonce)) return entry;
        entry = sendersEntry(ledger, token, sr);
        require(isTagged(entry, positionNonce), "none");
    }

    /// @dev The newest leaf of a signed state carries the last position, because the sender signs
    /// before the true one is known; the nonce then names the transfer.
    function isTagged(Challenge storage entry, uint256[2] calldata positionNonce)
        private
        view
        returns (bool)
    {
        if (entry.kind != Challenges.DELIVERY) return false;
        uint256 recorded = entry.nonce;
        return recorded == Transfers.tag(positionNonce[0], positionNonce[1])
            || recorded == Transfers.tag(Transfers.LAST_POSITION, positionNonce[1]);
    }

    /// @dev Right edge of the passive tree in which the entry's transfer stands at its position.
    function passiveTotal(
        Challenge storage entry,
        address sender,
        uint64 transferTrail,
        uint256[2] calldata positionNonce,
        bytes32 root,
        bytes32[] calldata chainValues
    ) private view returns (uint256) {
        uint256 amount = entry.finalStateBalance;
        Proofs.Span memory span = Proofs.Span(
            Transfers.transferLeaf(
                sender, amount, entry.trail, Transfers.tag(positionNonce[0], positionNonce[1])
            ),
            positionNonce[0],
            positionNonce[0] + amount
        );
        return Proofs.passiveTotal(span, transferTrail, root, chainValues);
    }
}
