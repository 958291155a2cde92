// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface Deposits {
    function deposit(address token, address beneficiary, uint256 amount) external payable;
}

/// @title A token that tries to deposit ether while it is being deposited
contract ReenteringToken {
    mapping(address => uint256) public balanceOf;
    bool public tried;
    bool public reentered;

    receive() external payable {}

    function transferFrom(address, address to, uint256 value) external returns (bool) {
        (reentered,) = to.call{value: address(this).balance}(
            abi.encodeCall(Deposits.deposit, (to, address(this), 0))
        );
        tried = true;
        balanceOf[to] += value;
        return true;
    }
}
