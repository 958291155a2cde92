// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Digests that wallets and the operator sign, and who signed them
library Signatures {
    /// @notice Signer of the 32-byte `message`, or the zero address for an invalid signature.
    function recover(bytes32 message, bytes32 r, bytes32 s, uint8 v)
        internal
        pure
        returns (address)
    {
        bytes32 authorization =
            keccak256(abi.encodePacked("\x19Liquidity.Network Authorization:\n32", message));
        return ecrecover(
            keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", authorization)), v, r, s
        );
    }

    /// @notice Whether `attester` signed `message`. Nobody is the zero address, which is what a
    /// failed recovery yields.
    function isSignedBy(address attester, bytes32 message, bytes32 r, bytes32 s, uint8 v)
        internal
        pure
        returns (bool)
    {
        return attester != address(0) && recover(message, r, s, v) == attester;
    }

    /// @notice Hash of an address, the form in which addresses enter digests and leaves.
    function hashed(address account) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(account));
    }

    /// @notice Digest of an active state: the transfer set, spent and gained of one eon.
    function activeState(
        address token,
        address holder,
        uint64 trail,
        uint256 eon,
        bytes32 txSetRoot,
        uint256[2] memory deltas
    ) internal view returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                hashed(address(this)),
                hashed(token),
                hashed(holder),
                trail,
                eon,
                txSetRoot,
                deltas[0],
                deltas[1]
            )
        );
    }

    /// @notice Digest with two numbers: of a minimum-available-balance marker (eon, amount) and of a
    /// withdrawal authorisation (last valid block, cumulative amount).
    function twoNumbers(address token, address holder, uint256 first, uint256 second)
        internal
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(hashed(address(this)), hashed(token), hashed(holder), first, second)
        );
    }
}
