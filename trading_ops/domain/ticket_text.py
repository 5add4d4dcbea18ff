"""What a ticket says to the person who executes it, row by row, in the order of her hands.

Every skip is one comparison with a number on the screen, and nothing needs arithmetic. The rest of the sheet is in
`ticket_record`; how rows become Markdown or plain text is in `ticket_layout`.
"""

from trading_ops.domain.results import Verdict
from trading_ops.domain.ticket_layout import Row
from trading_ops.domain.ticket_model import Envelope, LinePart, LotPart, TicketContent
from trading_ops.domain.ticket_record import banner_of, failures, record
from trading_ops.domain.ticket_words import (
    about_pounds,
    about_units,
    clock,
    close_day,
    count,
    london_day,
    long_day,
    pounds,
    short_day,
    typed_pounds,
    typed_units,
)


def rows_of(content: TicketContent, envelope: Envelope) -> tuple[Row, ...]:
    """The whole ticket. In a paper or simulated book every row of the head and every line's head says so first."""
    if content.verdict is Verdict.NO_TRADE:
        return (*_no_trade_head(content), *failures(content), *record(content, envelope))
    lines = [row for line in content.lines for row in line_rows(content, line)]
    return (*_trade_head(content), *before_you_start(content), *lines, *record(content, envelope))


def _trade_head(content: TicketContent) -> list[Row]:
    said, window = banner_of(content), content.window
    day = long_day(window.session).upper()
    hours = f"between {clock(window.open_utc)} and {clock(window.close_utc)} (London)"
    answers_due = f"by {clock(window.confirm_by_utc)} the same day: {content.page_url}"
    clocks = [Row("item", f"{said}Mind the clock. {window.clock_note}")] if window.clock_note else []
    title = Row("title", f"{said}TICKET {content.ticket_id} · TRADE · {_instructions(content)}")
    if said:
        return [
            title,
            Row("strong", f"{said}If it were real: {day} {hours}."),
            Row("item", f"{said}Place no order on eToro."),
            Row("item", f"{said}Answer every line as if you had, {answers_due}"),
            *clocks,
        ]
    test = [Row("strong", "A TEST: one small real order, to try the whole path once.")] if is_test(content) else []
    return [
        title,
        *test,
        Row("strong", f"Do this on {day} {hours}."),
        Row("item", f"Confirm every line {answers_due}"),
        Row("item", "Not possible that day? Do nothing, mark all lines SKIPPED. That is safe."),
        Row("item", "The page or a later mail says WITHDRAWN? Do nothing more."),
        *clocks,
    ]


def is_test(content: TicketContent) -> bool:
    """A test ticket: one small order that tries the whole path."""
    return content.ticket_id.startswith("test-")


def _no_trade_head(content: TicketContent) -> list[Row]:
    said = banner_of(content)
    opens = content.next_plan_opens_utc
    return [
        Row("title", f"{said}TICKET {content.ticket_id} · NO-TRADE"),
        Row("strong", f"{said}Do nothing this week."),
        Row("item", f"{said}No order on eToro, nothing to confirm."),
        Row("item", f"{said}Next plan: {long_day(london_day(opens))}, {clock(opens)} (London)."),
    ]


def before_you_start(content: TicketContent) -> list[Row]:
    """What holds for every line."""
    end = clock(content.window.close_utc)
    account = "" if banner_of(content) else "eToro, the real portfolio, account in GBP. "
    rows = [
        Row("section", "Before you start"),
        Row("item", f"{account}Work from line 1 downwards, each line once."),
        Row("item", 'Every order: Leverage x1, no Stop Loss, no Take Profit. The screen says "Stocks", never "CFD".'),
    ]
    if any(line.side == "SELL" for line in content.lines):
        closes = "A SELL closes a position in your portfolio. Never open a new order with Sell: that is a CFD."
        rows.append(Row("item", closes))
    return [
        *rows,
        Row("item", "Two prices on the screen? For SELL look at Sell, for BUY at Buy."),
        Row("item", "SKIP: place nothing, mark the line SKIPPED, go on. Price exactly at the limit: do the line."),
        Row("item", "Mark DONE once eToro shows it as filled; PARTIAL if only part was. Never place a line twice."),
        Row("item", f"At {end} stop. Cancel what is not filled yet, mark it FAILED; what was not begun: SKIPPED."),
    ]


def line_rows(content: TicketContent, line: LinePart) -> list[Row]:
    """One instruction: its heading, then what to do in the order of her hands."""
    reference = f"(reference ${line.reference_price_usd}, close of {close_day(line.reference_session)})"
    not_these = ", ".join(line.reject)
    heading = f"{banner_of(content)}{line.line} of {len(content.lines)} · {line.side} {line.symbol}"
    name = "" if line.name in (line.symbol, line.etoro_search) else f" · {line.name}"
    if line.side == "BUY":
        typed, available = typed_pounds(line.amount_gbp), pounds(line.min_available_gbp or line.amount_gbp)
        return [
            Row("section", f"{heading}{name} · type {typed}"),
            Row("item", f"Search eToro for exactly: {line.etoro_search} (not {not_these})"),
            Row("item", f"SKIP if the price is above ${line.limit_price_usd} {reference}"),
            Row("item", f'SKIP if "available" is below {available}. {_if_missing(content, line)}'),
            Row("item", f"Market order by amount: type {typed}. Expect {about_units(line.units)} units."),
            _write_down(line, ""),
        ]
    return [
        Row("section", f"{heading}{name} · {_what_to_close(line)}, {about_pounds(line.amount_gbp)}"),
        Row("item", f"Search your eToro portfolio for exactly: {line.etoro_search} (not {not_these})"),
        Row("item", f"SKIP if the price is below ${line.limit_price_usd} {reference}"),
        *_closing(line),
        Row("item", _if_missing(content, line)),
        *(_write_down(line, part) for part in _parts(line)),
    ]


def _what_to_close(line: LinePart) -> str:
    if not line.close_whole:
        return f"close {typed_units(line.units)} units"
    return "close the whole position" if len(line.lots) < 2 else f"close all {len(line.lots)} positions"


def _closing(line: LinePart) -> list[Row]:
    return [Row("item", f"Close{part} {_lot(lot)}") for part, lot in zip(_parts(line), line.lots, strict=True)]


def _lot(lot: LotPart) -> str:
    where = f"position opened {short_day(lot.opened_on)}"
    known = "" if lot.position_id is None else f", Position ID {lot.position_id}"
    if lot.whole:
        return f"the whole {where}: {typed_units(lot.units)} units{known}"
    return f"only {typed_units(lot.units)} units of the {where}{known}; keep the rest"


def _parts(line: LinePart) -> list[str]:
    """` (1 of 2)` and so on when a line closes several positions: each is written down, nobody adds them up."""
    number = len(line.lots)
    return [f" ({place} of {number})" for place in range(1, number + 1)] if number > 1 else [""]


def _if_missing(content: TicketContent, line: LinePart) -> str:
    last = line.line == len(content.lines)
    then = "this was the last line" if last else f"go on with line {line.line + 1}"
    return f"Not found, or only as CFD: mark FAILED, {then}."


def _write_down(line: LinePart, part: str) -> Row:
    return Row("item", f"Write down{part}: " + " · ".join(f"{what} ……" for what in line.write_down))


def _instructions(content: TicketContent) -> str:
    return count(len(content.lines), "instruction", "instructions")
