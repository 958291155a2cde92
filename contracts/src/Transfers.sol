// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Signatures} from "./Signatures.sol";

/// @title Leaves of transfer sets: transfers and orders
library Transfers {
    /// @notice Stands for the position of a passive transfer while it is the newest of its set.
    uint256 internal constant LAST_POSITION = type(uint256).max;

    /// @notice What takes the place of a passive transfer's nonce in its leaf.
    function tag(uint256 position, uint256 nonce) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(position, nonce)));
    }

    /// @notice Leaf of a transfer.
    /// @param counterparty the recipient in the sender's set, the sender in the recipient's
    /// @param trail the recipient's, in both
    function transferLeaf(address counterparty, uint256 amount, uint64 trail, uint256 nonce)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(Signatures.hashed(counterparty), amount, trail, nonce)
        );
    }

    /// @notice Leaf of an order in the set of one of its two wallets.
    /// @param tokens [sold, bought]
    /// @param trail of the wallet that buys
    /// @param start the balance from which the set's wallet counts, or the mark of a closed order
    function orderLeaf(
        address[2] memory tokens,
        uint64 trail,
        uint256 sell,
        uint256 buy,
        uint256 start,
        uint256 nonce
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                Signatures.hashed(tokens[0]),
                Signatures.hashed(tokens[1]),
                trail,
                sell,
                buy,
                start,
                nonce
            )
        );
    }

    /// @notice The pseudo token under which challenges about orders of a pair are filed.
    function conduit(address[2] memory tokens) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(tokens[0], tokens[1])))));
    }
}
