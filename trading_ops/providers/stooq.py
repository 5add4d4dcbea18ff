"""Stooq on the network: bars as traded, and GBPUSD.

Belongs here: the question, whose answer it is, and proving the basis. What the bodies are is in `formats.stooq_answer`.
"""

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa

from trading_ops.domain.universe import Instrument
from trading_ops.domain.values import ZERO, exact, fixed, plain
from trading_ops.providers.columns import Sheet, constant
from trading_ops.providers.fixings import fixings_table, vet_fixings
from trading_ops.providers.formats.stooq_answer import open_answer
from trading_ops.providers.formats.stooq_text import ENGLISH, FLAGS, POLISH, read_bars
from trading_ops.providers.protocol import (
    ACTIONS,
    BARS,
    FIXINGS,
    PRICE,
    Ask,
    Fetched,
    Outcome,
    Provenance,
    Refusal,
    RefusalKind,
    RefusedData,
)
from trading_ops.providers.vetting import vet
from trading_ops.providers.web import Web
from trading_ops.providers.web_answer import Answer, about, secret_text, shown

NAME = "stooq"
BASE_URL = "https://stooq.com"
AS_TRADED = "1111111"
"""Skip every adjustment: splits, dividends, three kinds of rights, denominations, other."""
AGREED = Decimal("0.001")
"""Share by which a close as traded may differ from the one on record and still be the same price."""
_GBPUSD = "gbpusd"


class Stooq:
    """Bars as traded, without corporate actions; `adj_close` repeats the close.

    **When the basis counts as confirmed.** Stooq adjusts unless asked not to, and nothing in an answer says whether it
    listened: a fractional volume proves adjusted prices, a whole one proves nothing. An adjustment changes every
    session before its ex-date and none from it on, so an adjusted series agrees with the prices as traded from some
    session on and differs before it. Hence a close as traded on record (`Ask.known`) that agrees within 0.1 % on the
    **first session** of the answer confirms all of it, to that 0.1 %; agreement on a later session confirms nothing
    before. So ask from a session whose close is on record. Otherwise a person's statement is needed
    (`basis_confirmed_by`), and it never outweighs a close on record: where the first session that both have differs,
    the answer is refused as adjusted.

    Args:
        api_key: Stooq's key, or empty when there is none.
        base_url: https, or loopback.
        web: The client, or None for one with the usual limits.
        basis_confirmed_by: Who found, and when, that answers to this question are as traded; empty when nobody has.
    """

    name = NAME
    has_actions = False

    def __init__(
        self, api_key: str, base_url: str = BASE_URL, web: Web | None = None, basis_confirmed_by: str = ""
    ) -> None:
        self._site = _Site(api_key, base_url, web)
        self._confirmed_by = basis_confirmed_by.strip()

    def spelling(self, instrument: Instrument) -> str:
        """The universe's own column for Stooq."""
        return instrument.stooq_symbol

    def fetch(self, ask: Ask) -> Outcome:
        """Bars as traded, all of them proven to be, or one refusal."""
        ticker = self.spelling(ask.instrument)
        if not ticker:
            sentence = "the universe has no Stooq symbol for this name. Complete it, or let another source answer."
            return Refusal(RefusalKind.UNKNOWN_TO_SOURCE, f"{NAME}, {ask.instrument.symbol}", sentence)
        answer = None
        try:
            answer = self._site.ask(ticker, ask.first, ask.last)
            return self._read(answer, ask)
        except RefusedData as error:
            return about(error.refusal, answer)

    def close(self) -> None:
        """Nothing is kept open."""

    def _read(self, answer: Answer, ask: Ask) -> Fetched:
        sheet = open_answer(answer, with_volume=True)
        bars = read_bars(sheet, constant(ask.instrument.symbol, sheet.table.num_rows), NAME, FLAGS)
        vet(bars, ACTIONS.empty_table(), ask, answer.where, answer.fact)
        bars = bars.sort_by("session")
        note = _confirm_basis(bars, ask, answer, self._confirmed_by)
        return Fetched(bars, ACTIONS.empty_table(), FIXINGS.empty_table(), _provenance(answer, sheet, "CSV", note))


class StooqFixings:
    """GBPUSD of each weekday: US dollars for one pound at the end of the day.

    Args:
        api_key: Stooq's key, or empty when there is none.
        base_url: https, or loopback.
        web: The client, or None for one with the usual limits.
    """

    name = NAME

    def __init__(self, api_key: str, base_url: str = BASE_URL, web: Web | None = None) -> None:
        self._site = _Site(api_key, base_url, web)

    def fetch_fixings(self, first: dt.date, last: dt.date, at: dt.datetime) -> Outcome:
        """The closes of the days asked for, or one refusal."""
        answer = None
        try:
            answer = self._site.ask(_GBPUSD, first, last)
            sheet = open_answer(answer, with_volume=False)
            names = ENGLISH if ENGLISH[0] in sheet.table.column_names else POLISH
            closes = sheet.decimals(names[4], PRICE).to_pylist()
            fixings = list(zip(sheet.days(names[0]).to_pylist(), closes, strict=True))
            vet_fixings(fixings, first, last, at, answer.where, answer.fact)
        except RefusedData as error:
            return about(error.refusal, answer)
        provenance = _provenance(answer, sheet, "CSV of a currency", "closes of the day, not the ECB's 14:15 fixing")
        return Fetched(BARS.empty_table(), ACTIONS.empty_table(), fixings_table(fixings, NAME), provenance)

    def close(self) -> None:
        """Nothing is kept open."""


class _Site:
    """The one question that Stooq is asked."""

    def __init__(self, api_key: str, base_url: str, web: Web | None) -> None:
        self._key = secret_text("Stooq's key", api_key) if api_key else ""
        self._base = base_url.rstrip("/")
        self._web = web or Web.of(base_url)

    def ask(self, ticker: str, first: dt.date, last: dt.date) -> Answer:
        """Daily rows of one ticker as traded.

        Raises:
            RefusedData: No answer, or one that names another ticker.
        """
        params = {"s": ticker, "d1": f"{first:%Y%m%d}", "d2": f"{last:%Y%m%d}", "i": "d", "o": AS_TRADED}
        if self._key:
            params["apikey"] = self._key
        answer = self._web.get(f"{self._base}/q/d/l/", params, secrets=(self._key,))
        named = re.search(r'filename="?([^";]+)', answer.headers.get("content-disposition", ""))
        expected = f"{ticker.replace('.', '_')}_d.csv"
        if named and named[1].strip().lower() != expected.lower():
            sentence = (
                f"the answer calls itself {shown(named[1], answer.secrets, 60)}, not {expected}. Nothing was kept."
            )
            raise answer.refuse(RefusalKind.WRONG_SYMBOL, sentence)
        return answer


def _confirm_basis(bars: pa.Table, ask: Ask, answer: Answer, confirmed_by: str) -> str:
    """How it is known that these bars are as traded; the rule is in `Stooq`.

    Raises:
        RefusedData: They are adjusted, or nobody knows.
    """
    closes = dict(zip(bars["session"].to_pylist(), bars["close"].to_pylist(), strict=True))
    common = sorted(session for session in closes if ask.known.get(session, ZERO) > ZERO)
    if common:
        session = common[0]
        close, known = closes[session], ask.known[session]
        with exact():
            apart = abs(close - known) / known
        if apart > AGREED:
            sentence = (
                f"close {plain(close)}, as traded on record is {plain(known)}, {fixed(apart * 100, 2)} % apart: "
                "these prices are adjusted although as-traded ones were asked for. Let another source answer."
            )
            raise RefusedData(RefusalKind.ADJUSTED_BASIS, f"{answer.where}, {session}", sentence, answer.fact)
        if session == min(closes):
            return f"basis: as traded, agrees with the close on record of {session}"
    if confirmed_by:
        return f"basis: as traded, confirmed by {confirmed_by}"
    way_out = f"Ask from {common[0]}, which agrees" if common else "Load its close from another source first"
    sentence = (
        f"nothing proves that these prices are as traded: no close on record confirms {min(closes)}, the first session "
        f"of the answer. {way_out}, or state who compared such answers with prices as traded."
    )
    raise answer.refuse(RefusalKind.UNCONFIRMED_BASIS, sentence)


def _provenance(answer: Answer, sheet: Sheet, kind: str, note: str) -> Provenance:
    fact = replace(answer.fact, format=f"Stooq {kind}", rows=sheet.table.num_rows)
    return Provenance(source=NAME, files=(fact,), rounded=sheet.rounded, notes=(note,))
