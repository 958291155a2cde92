// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface Deposits {
    function deposit(address token, address beneficiary, uint256 amount) external payable;
}

/// @title A token that deposits once more while it is being deposited
contract ReenteringToken {
    mapping(address => uint256) public balanceOf;

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        Deposits(to).deposit(address(this), from, value);
        balanceOf[to] += value;
        return true;
    }
}
