"""The European Central Bank's reference rates of 14:15: GBPUSD as the quotient of two rates against the euro.

Belongs here: the question and the CSV of the bank's data service. What a fixing must survive is in `fixings`.
"""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain.values import ZERO, exact, half_even, plain
from trading_ops.providers.columns import Sheet, first_true
from trading_ops.providers.fixings import fixings_table, vet_fixings
from trading_ops.providers.formats.sheets import open_sheet
from trading_ops.providers.protocol import ACTIONS, BARS, PRICE, Fetched, Outcome, Provenance, RefusalKind, RefusedData
from trading_ops.providers.web import Web
from trading_ops.providers.web_answer import Answer, about

NAME = "ecb"
BASE_URL = "https://data-api.ecb.europa.eu"
PLACES = 6
"""Decimals of the quotient; the two rates have 4 and 5."""
_SERIES = "/service/data/EXR/D.USD+GBP.EUR.SP00.A"
_FIXED = {"FREQ": "D", "CURRENCY_DENOM": "EUR", "EXR_TYPE": "SP00", "EXR_SUFFIX": "A"}
_NEEDED = ("CURRENCY", *_FIXED, "TIME_PERIOD", "OBS_VALUE")
_NOTHING = 404
_HOLIDAY = frozenset({"", "nan"})


class EcbFixings:
    """US dollars for one pound by day.

    Args:
        base_url: https, or loopback.
        web: The client, or None for one with the usual limits.
    """

    name = NAME

    def __init__(self, base_url: str = BASE_URL, web: Web | None = None) -> None:
        self._base = base_url.rstrip("/")
        self._web = web or Web.of(base_url)

    def fetch_fixings(self, first: dt.date, last: dt.date, at: dt.datetime) -> Outcome:
        """The fixings of the days asked for, or one refusal; days with one of the two rates are named in the notes."""
        answer = None
        try:
            params = {"startPeriod": f"{first:%Y-%m-%d}", "endPeriod": f"{last:%Y-%m-%d}", "format": "csvdata"}
            answer = self._web.get(f"{self._base}{_SERIES}", params, passed={_NOTHING})
            sheet = _open(answer)
            fixings, notes = _crosses(sheet)
            vet_fixings(fixings, first, last, at, answer.where, answer.fact)
            if not fixings:
                sentence = f"no day has both rates ({'; '.join(notes)[:200] or 'holidays only'}). Ask for more days."
                raise answer.refuse(RefusalKind.NO_DATA, sentence)
        except RefusedData as error:
            return about(error.refusal, answer)
        fact = replace(answer.fact, format="ECB reference rates", rows=sheet.table.num_rows)
        provenance = Provenance(source=NAME, files=(fact,), rounded=sheet.rounded, notes=notes)
        return Fetched(BARS.empty_table(), ACTIONS.empty_table(), fixings_table(fixings, NAME), provenance)

    def close(self) -> None:
        """Nothing is kept open."""


def _open(answer: Answer) -> Sheet:
    if answer.status == _NOTHING:
        raise answer.refuse(RefusalKind.NO_DATA, "the bank has no rates on these days. Ask for more days.")
    body = answer.body
    if not body.strip():
        raise answer.refuse(RefusalKind.EMPTY_FILE, "the answer is empty; the bank fixes nothing on holidays.")
    header = answer.text().strip().split("\n", 1)[0].rstrip("\r").split(",")
    missing = [name for name in _NEEDED if name not in header]
    if len(missing) > len(_NEEDED) // 2:
        sentence = f'these are no reference rates: "{answer.excerpt()}". Look at the address in a browser.'
        raise answer.refuse(RefusalKind.NOT_MARKET_DATA, sentence)
    if missing:
        sentence = f"the column {missing[0]} is missing. Nothing was kept."
        raise answer.refuse(RefusalKind.MISSING_COLUMN, sentence)
    # The bank may leave the last line without an end; its value is whole when columns follow it and all are there.
    ended = body.endswith((b"\n", b"\r"))
    cut = answer.refuse(RefusalKind.CUT_OFF, "the last line is not whole: cut off. Nothing was kept.")
    if not ended and header[-1] == "OBS_VALUE":
        raise cut
    if b"\n" not in body.strip():
        raise answer.refuse(RefusalKind.HEADER_ONLY, "there is a header and no row. Ask again later.")
    try:
        return open_sheet(answer.where, body if ended else body + b"\r\n")
    except RefusedData:
        damaged = answer.refuse(RefusalKind.DAMAGED_FILE, "its rows are not as wide as its header. Nothing was kept.")
        raise (damaged if ended else cut) from None


def _crosses(sheet: Sheet) -> tuple[list[tuple[dt.date, Decimal]], tuple[str, ...]]:
    """The quotient of each day that has both rates, and a note for each that does not."""
    for column, value in _FIXED.items():
        row = first_true(pc.not_equal(sheet.text(column), value))
        if row is not None:
            sentence = f"{value} was asked for: another series. Nothing was kept."
            raise sheet.refuse(RefusalKind.NOT_ASKED_FOR, row, column, sentence)
    observed = _observed(sheet)
    place = sheet.table.column_names.index("OBS_VALUE")
    sheet.table = sheet.table.set_column(place, "OBS_VALUE", pc.if_else(observed, sheet.column("OBS_VALUE"), "0"))
    columns = (sheet.text("CURRENCY"), sheet.days("TIME_PERIOD"), sheet.decimals("OBS_VALUE", PRICE), observed)
    rates: dict[str, dict[dt.date, Decimal]] = {"USD": {}, "GBP": {}}
    for row, (currency, day, value, is_there) in enumerate(zip(*(c.to_pylist() for c in columns), strict=True)):
        if currency not in rates:
            raise sheet.refuse(RefusalKind.NOT_ASKED_FOR, row, "CURRENCY", f"{currency} was not asked for.")
        if not is_there:
            continue
        if day in rates[currency]:
            raise sheet.refuse(RefusalKind.DUPLICATE_ROW, row, "TIME_PERIOD", f"{currency} of {day} is there twice.")
        if value <= ZERO:
            raise sheet.refuse(RefusalKind.BAD_FIXING, row, "OBS_VALUE", f"{plain(value)} is no exchange rate.")
        rates[currency][day] = value
    dollars, pounds = rates["USD"], rates["GBP"]
    with exact():
        fixings = [(day, half_even(dollars[day] / pounds[day], PLACES)) for day in sorted(dollars.keys() & pounds)]
    one_sided = sorted(dollars.keys() ^ pounds)
    return fixings, tuple(
        f"{day}: no fixing, only {'USD' if day in dollars else 'GBP'} has a rate" for day in one_sided
    )


def _observed(sheet: Sheet) -> pa.Array:
    """Rows with a value; on holidays the bank writes a row whose value is empty or NaN, and says so in its status."""
    texts = ["" if text is None else text.strip().lower() for text in sheet.column("OBS_VALUE").to_pylist()]
    said = sheet.column("OBS_STATUS").to_pylist() if "OBS_STATUS" in sheet.table.column_names else [""] * len(texts)
    return pa.array([text not in _HOLIDAY or status == "A" for text, status in zip(texts, said, strict=True)])
