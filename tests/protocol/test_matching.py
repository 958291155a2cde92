"""Matching conserves both tokens, never violates a limit, and prices as the rules say."""

from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.editions import ContractEdition
from protocol.matching import Fill, Order, Trade, crosses, match, priority, trade

amounts = st.one_of(st.integers(1, 40), st.integers(1, 2**128 - 1))
orders = st.builds(Order, amounts, amounts, st.booleans())
books = st.lists(orders, max_size=12)


def in_priority(book: list[Order]) -> list[Order]:
    return [o for _, o in sorted(enumerate(book), key=lambda entry: priority(entry[1], entry[0]))]


@given(orders, books)
def test_a_walk_conserves_both_tokens_and_keeps_every_limit(
    taker: Order, book: list[Order]
) -> None:
    book = in_priority(book)
    after, fills = match(taker, book)
    assert after.matched_out == sum(fill.trade.paid for fill in fills)
    assert after.matched_in == sum(fill.trade.received for fill in fills)
    assert after.is_within_limit
    for fill in fills:
        assert fill.trade.paid >= 1 and fill.trade.received >= 1
        assert fill.resting.matched_in == fill.trade.paid
        assert fill.resting.matched_out == fill.trade.received
        assert fill.resting.is_within_limit
    assert len({fill.place for fill in fills}) == len(fills)


@given(orders, st.lists(orders, min_size=2, max_size=12))
def test_orders_filled_in_several_eons_stay_within_their_limits(
    resting: Order, takers: list[Order]
) -> None:
    for taker in takers:
        _, fills = match(taker, [resting])
        resting = fills[0].resting if fills else resting
        assert resting.is_within_limit


@given(orders, books)
def test_no_fulfilled_order_trades_and_the_walk_ends_where_prices_part(
    taker: Order, book: list[Order]
) -> None:
    book = in_priority(book)
    _, fills = match(taker, book)
    so_far = taker
    for fill in fills:
        assert not so_far.is_fulfilled and crosses(taker, book[fill.place])
        so_far = so_far.after(paid=fill.trade.paid, received=fill.trade.received)


@given(orders, orders)
def test_what_matching_gives_the_hardened_contract_accepts(taker: Order, resting: Order) -> None:
    terms = trade(taker, resting)
    assume(terms is not None)
    assert terms is not None
    after = taker.after(paid=terms.paid, received=terms.received)
    assert ContractEdition.HARDENED.accepts_price(
        sell=after.amount,
        buy=after.amount_swapped,
        taken=after.matched_out,
        given=after.matched_in,
    )


@given(orders, orders)
def test_held_back_credit_satisfies_the_published_contract(taker: Order, resting: Order) -> None:
    terms = trade(taker, resting)
    assume(terms is not None)
    assert terms is not None
    after = taker.after(paid=terms.paid, received=terms.received)
    held = ContractEdition.PUBLISHED.hold_back(
        sell=after.amount,
        buy=after.amount_swapped,
        matched_out=after.matched_out,
        matched_in=after.matched_in,
    )
    assert 0 <= held <= after.matched_in
    assert ContractEdition.PUBLISHED.accepts_price(
        sell=after.amount,
        buy=after.amount_swapped,
        taken=after.matched_out,
        given=after.matched_in - held,
    )


def test_the_resting_orders_price_counts_and_the_taker_keeps_the_improvement() -> None:
    taker, resting = Order(100, 100), Order(300, 100)
    after, fills = match(taker, [resting])
    assert fills == [Fill(0, Trade(100, 300), resting.after(paid=300, received=100))]
    assert after.matched_in == 300 and after.is_fulfilled


def test_the_best_price_goes_first_and_the_earlier_of_equals() -> None:
    dear, cheap, cheap_later = Order(10, 10), Order(20, 10), Order(40, 20)
    assert in_priority([dear, cheap, cheap_later]) == [cheap, cheap_later, dear]


def test_a_buy_order_gets_exactly_its_wish_and_pays_up_to_a_unit_more() -> None:
    after, fills = match(Order(10, 4, sells=False), [Order(9, 7)])
    assert fills[0].trade == Trade(4, 4)
    assert after.is_fulfilled and after.unbought == 0


def test_a_sell_order_that_got_its_wish_goes_on_selling() -> None:
    order = Order(10, 5, matched_out=4, matched_in=6)
    assert not order.is_fulfilled
    assert Order(10, 5, sells=False, matched_out=4, matched_in=5).is_fulfilled


def test_a_partial_fill_leaves_the_rest_at_the_same_limit() -> None:
    after, fills = match(Order(100, 50), [Order(20, 40)])
    assert fills[0].trade == Trade(40, 20)
    assert (after.unsold, after.unbought) == (60, 30) and fills[0].resting.is_fulfilled


def test_a_fill_that_gives_units_for_nothing_does_not_happen() -> None:
    last_unit = Order(10, 1, matched_out=9, matched_in=1)
    assert crosses(last_unit, Order(1, 10)) and trade(last_unit, Order(1, 10)) is None


def test_prices_that_do_not_meet_end_the_walk() -> None:
    _, fills = match(Order(10, 10), [Order(10, 11)])
    assert not crosses(Order(10, 10), Order(10, 11)) and fills == []
