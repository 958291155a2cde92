// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A token that moves nothing and says so
contract RefusingToken {
    mapping(address => uint256) public balanceOf;

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }
}
