"""The judge of bills: lines, demand, shares and totals of a month, and what a closed one lacks."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from math import isfinite, isnan

from oracle.money import month_of
from oracle.worlds import month_edges

CENT = Decimal("0.01")


def judge_bill(notes, house, world, truths, month) -> None:
    """Every utility of a building's month."""
    bill = house.bill(month)
    for utility in dict.fromkeys(head.utility for head in world.heads):
        right = month_of(world, truths, utility, month)
        found = next((one for one in bill.utilities if one.utility == utility), None)
        quantity = None if found is None else found.quantity
        if quantity is not None and right.is_known:
            _judge_utility(notes, f"{month} {utility}", world, found, right)
        elif right.is_known or quantity is not None:
            notes.say("bill", f"{month} {utility}: {quantity} where {right.use if right.is_known else None} is known")
    printed = [one.amount for utility in bill.utilities for one in utility.lines]
    printed += [one.amount for one in bill.adjustments]
    if bill.total is not None and bill.total != sum(printed, Decimal(0)):
        notes.say("bill total", f"{month}: {bill.total} is not the sum of {printed}")


def _judge_utility(notes, what, world, found, right) -> None:
    if not right.is_vague and abs(float(found.quantity) - right.use) > 0.000501 + 1e-9 * right.use:
        notes.say("bill quantity", f"{what}: {found.quantity} must be {right.use!r}")
    if found.residual >= Decimal("0.0005"):
        notes.say("bill residual", f"{what}: registers and intervals differ by {found.residual}")
    for line in found.registers:
        faces = [face for face in (line.opening, line.closing) if face is not None]
        if not all(map(isfinite, faces)) or line.counted < -1e-6:
            notes.say("bill registers", f"{what}: {line}")
    _judge_lines(notes, what, world, found, right)
    _judge_shares(notes, what, found.shares, right)


def _judge_lines(notes, what, world, found, right) -> None:
    energy, seen = Decimal(0), set()
    for line in found.lines:
        key = (line.tariff, line.what)
        seen.add(key)
        if line.what not in {"fixed", "demand"}:
            energy += line.quantity
            if line.amount != (line.quantity * line.price).quantize(CENT, ROUND_HALF_UP):
                notes.say("bill amount", f"{what}: {line}")
            near = float("inf") if right.is_vague else 0.00101 + 1e-9 * right.use
            if abs(float(line.quantity) - right.lines.get(key, 0.0)) > near:
                notes.say("bill line", f"{what}: {key} {line.quantity} must be {right.lines.get(key)!r}")
    if energy != found.quantity:
        notes.say("bill lines", f"{what}: lines of {energy} for {found.quantity}")
    for key, use in right.lines.items():
        if use > 0.001 and key not in seen and not right.is_vague:
            notes.say("bill line", f"{what}: none for {key}, {use!r}")
    prices = {one.name: one for one in world.prices}
    _judge_charge(notes, what, found, "fixed", {name: prices[name].fixed * right.share(name) for name in right.days})
    _judge_demand(notes, what, found, right, prices)


def _judge_charge(notes, what, found, kind, exact) -> None:
    """Each tariff's part of the month to the cent; parts of one charge sum to the whole charge."""
    amounts = {line.tariff: line.amount for line in found.lines if line.what == kind}
    for name, money in exact.items():
        if abs(float(amounts.get(name, 0)) - money) > 0.0101:
            notes.say(f"bill {kind}", f"{what}: {name} {amounts.get(name)} must be {money!r}")
    if abs(float(sum(amounts.values())) - sum(exact.values())) > 0.00501:
        notes.say(f"bill {kind}", f"{what}: {amounts} must sum to {sum(exact.values())!r}")


def _judge_demand(notes, what, found, right, prices) -> None:
    """What was measured, as it is; the money by the days of each tariff."""
    low, high = right.peak
    charged = {name: prices[name].per_kw for name in right.days if prices[name].per_kw}
    lines = [line for line in found.lines if line.what == "demand"]
    if charged and not isnan(low) and {line.tariff for line in lines} != set(charged):
        notes.say("bill demand", f"{what}: lines for {[line.tariff for line in lines]} of {list(charged)}")
    for line in lines:
        if isnan(high) or float(line.quantity) < low - 0.0006 or float(line.quantity) > high + 0.0006:
            notes.say("bill demand", f"{what}: {line.quantity} must be {low!r} … {high!r}")
    if lines and not isnan(low):
        kw = float(lines[0].quantity)
        _judge_charge(
            notes, what, found, "demand", {name: kw * one * right.share(name) for name, one in charged.items()}
        )


def _judge_shares(notes, what, shares, right) -> None:
    """The worst of several heads is named, never a mean."""
    worst = right.worst
    if not worst["measured"] - 1e-5 <= shares.measured_h <= worst["measured"] + worst["open"] + 1e-5:
        notes.say("bill measured hours", f"{what}: {shares.measured_h!r} must be {worst}")
    if abs(shares.missing_h - worst["missing"]) > 1e-5:
        notes.say("bill missing hours", f"{what}: {shares.missing_h!r} must be {worst}")


def _figures(utility):
    return utility.utility, utility.quantity, utility.amount, utility.lines, utility.shares


def judge_closed(notes, house, world, truths, month) -> None:
    """A closed month stays as it was handed in; what it lacks is entered."""
    before, after = house.handed_in[month], house.bill(month)
    if (before.total, *map(_figures, before.utilities)) != (after.total, *map(_figures, after.utilities)):
        notes.say("closed month", f"{month} was handed in with {before.total} and is now {after.total}")
    start, end = month_edges(month, world.zone)
    for truth in truths:
        days = before.days.get(f"{truth.head.name}/{truth.head.point.split('/')[1]}", {})
        known = sum(fields.get("qty", 0.0) for fields in days.values()) + house.adjusted(truth.head, month)
        right = truth.use(start, end) or 0.0
        if not truth.is_vague(start, end) and abs(known - right) > 1e-4 + 1e-9 * right:
            notes.say("closed month", f"{truth.head.name}: with its entries {month} is {known!r}, it must be {right!r}")
