"""The tables of the ledger page: positions, lots, what was realised, and the fills; each also as a CSV."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from streamlit_app.components import words
from streamlit_app.components.sheet import Column, Line, table
from trading_ops.desk.books_now import Values
from trading_ops.desk.csv_text import as_csv
from trading_ops.desk.entries import FillEntry
from trading_ops.domain.lots import RealisedLot
from trading_ops.domain.values import ZERO, exact, fixed, plain


def download(name: str, label: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A button that hands the rows over as a CSV whose cells no spreadsheet runs."""
    st.download_button(label, as_csv(columns, rows), f"{name}.csv", "text/csv", key=f"csv:{name}", on_click="ignore")


def positions(held: Values) -> None:
    """What is held, what it cost and what it is worth."""
    columns = [
        Column("Name"), Column("Units", "num"), Column("Cost £", "num"), Column("Close $", "num"),
        Column("Value $", "num"), Column("Value £", "num"), Column("Profit £", "num"), Column("Weight", "num"),
    ]  # fmt: skip
    lines: list[Line] = []
    plain_rows: list[list[str]] = []
    whole_cost = whole_value = ZERO
    with exact():
        for symbol, position in held.ledger.positions.items():
            close, value = held.closes.get(symbol), held.values_gbp.get(symbol)
            dollars = value * held.usd_per_gbp if value is not None and held.usd_per_gbp else None
            profit = value - position.cost_gbp if value is not None else None
            weight = value / held.equity_gbp if value is not None and held.equity_gbp > ZERO else None
            whole_cost += position.cost_gbp
            whole_value += value or ZERO
            lines.append(Line([
                symbol, words.units(position.units), words.gbp(position.cost_gbp), words.usd(close),
                words.usd(dollars), words.gbp(value), words.gbp(profit), words.percent(weight),
            ]))  # fmt: skip
            plain_rows.append([
                symbol, plain(position.units), _pence(position.cost_gbp), _number(close), _pence(dollars),
                _pence(value), _pence(profit), fixed(weight, 6) if weight is not None else "",
            ])  # fmt: skip
        lines.append(Line([
            "All names", "", words.gbp(whole_cost), "", "", words.gbp(whole_value),
            words.gbp(whole_value - whole_cost), words.percent(_share(whole_value, held.equity_gbp)),
        ], total=True))  # fmt: skip
    if not plain_rows:
        st.markdown("Nothing was held.")
        return
    table(f"Positions at the close of {words.day(held.asof)}", columns, lines)
    titles = ("symbol", "units", "cost_gbp", "close_usd", "value_usd", "value_gbp", "unrealised_gbp", "weight")
    download(f"positions-{held.asof}", "Positions as CSV", titles, plain_rows)


def lots(held: Values) -> None:
    """Every open lot."""
    every = [lot for position in held.ledger.positions.values() for lot in position.lots]
    if not every:
        st.markdown("No lot was open.")
        return
    columns = [
        Column("Name"), Column("Opened"), Column("Units", "num"), Column("Price $", "num"), Column("Cost £", "num"),
        Column("Position ID"),
    ]  # fmt: skip
    table(
        f"Open lots at the close of {words.day(held.asof)}, oldest first within a name",
        columns,
        [
            [
                lot.symbol, words.day(lot.opened_on), words.units(lot.units), words.usd(lot.price_usd, 4),
                words.gbp(lot.cost_gbp), lot.position_id or words.NONE,
            ]
            for lot in every
        ],
    )  # fmt: skip
    titles = ("symbol", "opened_on", "units", "price_usd", "cost_gbp", "position_id", "lot_id")
    rows = [
        [
            lot.symbol, lot.opened_on.isoformat(), plain(lot.units), fixed(lot.price_usd, 6), _pence(lot.cost_gbp),
            lot.position_id or "", lot.lot_id,
        ]
        for lot in every
    ]  # fmt: skip
    download(f"lots-{held.asof}", "Lots as CSV", titles, rows)


def realised_by_year(closed: Sequence[RealisedLot]) -> None:
    """Profit of closed lots by calendar year."""
    years: dict[int, list[RealisedLot]] = {}
    for lot in closed:
        years.setdefault(lot.closed_on.year, []).append(lot)
    columns = [
        Column("Year"), Column("Lots closed", "num"), Column("Cost £", "num"), Column("Proceeds £", "num"),
        Column("Profit £", "num"),
    ]  # fmt: skip
    with exact():
        rows = [
            [
                str(year), str(len(lots_)), words.gbp(sum((r.cost_gbp for r in lots_), ZERO)),
                words.gbp(sum((r.proceeds_gbp for r in lots_), ZERO)),
                words.gbp(sum((r.profit_gbp for r in lots_), ZERO)),
            ]
            for year, lots_ in sorted(years.items(), reverse=True)
        ]  # fmt: skip
    table("Realised profit and loss by year; pounds of the day bought against pounds of the day sold", columns, rows)


def realised_lots(closed: Sequence[RealisedLot], page: int, size: int) -> None:
    """Closed lots, newest first, one page of them."""
    columns = [
        Column("Name"), Column("Opened"), Column("Closed"), Column("Units", "num"), Column("Cost £", "num"),
        Column("Proceeds £", "num"), Column("Profit £", "num"),
    ]  # fmt: skip
    newest = list(reversed(closed))
    table(
        "Closed lots, newest first",
        columns,
        [
            [
                r.symbol, words.day(r.opened_on), words.day(r.closed_on), words.units(r.units), words.gbp(r.cost_gbp),
                words.gbp(r.proceeds_gbp), words.gbp(r.profit_gbp),
            ]
            for r in newest[page * size : (page + 1) * size]
        ],
    )  # fmt: skip


def realised_rows(closed: Sequence[RealisedLot]) -> list[list[str]]:
    """Every closed lot, for the CSV."""
    return [
        [
            r.symbol, r.opened_on.isoformat(), r.closed_on.isoformat(), plain(r.units), _pence(r.cost_gbp),
            _pence(r.proceeds_gbp), _pence(r.profit_gbp), r.lot_id, r.closed_by,
        ]
        for r in closed
    ]  # fmt: skip


REALISED = (
    "symbol", "opened_on", "closed_on", "units", "cost_gbp", "proceeds_gbp", "profit_gbp", "lot_id", "closed_by",
)  # fmt: skip


def fills(listed: Sequence[FillEntry]) -> None:
    """One page of fills; a voided one is crossed out, with who did it and why."""
    columns = [
        Column("Filled, London"), Column("Side"), Column("Name"), Column("Units", "num"), Column("Price $", "num"),
        Column("Value £", "num"), Column("Fee £", "num"), Column("Ticket"), Column("Remarks", "words"),
    ]  # fmt: skip
    table("Fills, newest first", columns, [_fill(f) for f in listed])


def _fill(f: FillEntry) -> Line:
    remarks = [f"void: {f.voided.why} ({f.voided.by}, {words.when(f.voided.at)})"] if f.voided else []
    remarks += [f"Position {f.position_id}"] if f.position_id else []
    remarks += ["units or value worked out"] if f.estimated else []
    remarks += [f.why] if f.why else []
    return Line(
        [
            words.when(f.filled_at), f.side, f.symbol, words.units(f.units), words.usd(f.price_usd, 4),
            words.gbp(f.value_gbp), words.gbp(f.fee_gbp),
            f"{f.ticket_id}, line {f.line}" if f.ticket_id else "off ticket", "; ".join([*remarks, f.recorded_by]),
        ],
        struck=f.voided is not None,
    )  # fmt: skip


FILLS = (
    "filled_at_utc", "session", "side", "symbol", "units", "price_usd", "value_gbp", "fee_gbp", "estimated",
    "position_id", "ticket", "line", "recorded_by", "why", "voided_by", "voided_why", "fill_id",
)  # fmt: skip


def fill_rows(listed: Sequence[FillEntry]) -> list[list[str]]:
    """Fills, for the CSV."""
    return [
        [
            f.filled_at.astimezone(dt.UTC).isoformat(), f.session.isoformat(), f.side, f.symbol, plain(f.units),
            plain(f.price_usd), _pence(f.value_gbp), _pence(f.fee_gbp), "yes" if f.estimated else "no",
            f.position_id or "", f.ticket_id or "", str(f.line or ""), f.recorded_by, f.why,
            f.voided.by if f.voided else "", f.voided.why if f.voided else "", f.fill_id,
        ]
        for f in listed
    ]  # fmt: skip


def _pence(amount: Decimal | None) -> str:
    return "" if amount is None else fixed(amount, 2)


def _number(amount: Decimal | None) -> str:
    return "" if amount is None else plain(amount)


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole if whole > ZERO else None
