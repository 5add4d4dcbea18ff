"""Tiingo on the network: prices as traded, dividends and splits in one row.

Belongs here: the question, what its statuses and sentences mean, and its rows. Reading JSON exactly is in
`formats.tiingo_json`.
"""

from dataclasses import replace
from urllib.parse import quote

from trading_ops.domain.universe import Instrument
from trading_ops.providers.formats import tiingo_json
from trading_ops.providers.protocol import FIXINGS, Ask, Fetched, Outcome, Provenance, RefusalKind, RefusedData
from trading_ops.providers.vetting import vet
from trading_ops.providers.web import Web
from trading_ops.providers.web_answer import Answer, about, patience, secret_text

NAME = "tiingo"
BASE_URL = "https://api.tiingo.com"
_KEY_REFUSED = frozenset({401, 403})
_UNKNOWN = 404
_QUOTA = 429
_BY_KEY = [("ex_date", "ascending"), ("kind", "ascending")]


class Tiingo:
    """Bars as traded with dividends and splits; `adj_close` repeats the close.

    Its own adjusted closes drift with every dividend, so they are not kept; they are heard as a witness (see
    `tiingo_json.contradiction`).

    Args:
        token: Tiingo's token; it goes in a header, never in a URL.
        base_url: https, or loopback.
        web: The client, or None for one with the usual limits.
    """

    name = NAME
    has_actions = True

    def __init__(self, token: str, base_url: str = BASE_URL, web: Web | None = None) -> None:
        self._token = secret_text("Tiingo's token", token)
        self._base = base_url.rstrip("/")
        self._web = web or Web.of(base_url)

    def spelling(self, instrument: Instrument) -> str:
        """Yahoo's symbol, or ours, with a dash before a share class: `BRK-B`."""
        return (instrument.yahoo_symbol or instrument.symbol).replace(".", "-")

    def fetch(self, ask: Ask) -> Outcome:
        """Bars and corporate actions of one name, or one refusal."""
        answer = None
        try:
            answer = self._ask(ask)
            return _read(answer, ask)
        except RefusedData as error:
            return about(error.refusal, answer)

    def close(self) -> None:
        """Nothing is kept open."""

    def _ask(self, ask: Ask) -> Answer:
        url = f"{self._base}/tiingo/daily/{quote(self.spelling(ask.instrument), safe='')}/prices"
        params = {"startDate": f"{ask.first:%Y-%m-%d}", "endDate": f"{ask.last:%Y-%m-%d}", "format": "json"}
        headers = {"Authorization": f"Token {self._token}", "Accept": "application/json"}
        passed = {*_KEY_REFUSED, _UNKNOWN, _QUOTA}
        return self._web.get(url, params, headers, secrets=(self._token,), passed=passed)


def _read(answer: Answer, ask: Ask) -> Fetched:
    said = answer.body[:2000].decode("utf-8", "replace").lower()
    prose = not said.lstrip().startswith("[")
    if answer.status == _QUOTA or (prose and ("allocation" in said or "run over your" in said)):
        sentence = f"the token's allocation is spent (HTTP {answer.status}{patience(answer)}). Ask again in an hour."
        raise answer.refuse(RefusalKind.QUOTA_SPENT, sentence)
    if answer.status in _KEY_REFUSED:
        sentence = f"the token is not accepted (HTTP {answer.status}). Put Tiingo's token among the secrets."
        raise answer.refuse(RefusalKind.KEY_REFUSED, sentence)
    if answer.status == _UNKNOWN or (prose and "ticker" in said and "not found" in said):
        sentence = f'Tiingo does not have the name: "{answer.excerpt()}". Check its Yahoo symbol in the universe.'
        raise answer.refuse(RefusalKind.UNKNOWN_TO_SOURCE, sentence)
    rows = tiingo_json.open_answer(answer)
    bars = tiingo_json.read_bars(rows, ask.instrument.symbol, NAME)
    actions = tiingo_json.read_actions(rows, ask.instrument.symbol, NAME)
    rounded = rows.rounded
    vet(bars, actions, ask, answer.where, answer.fact, names_itself=False)
    problem = tiingo_json.contradiction(rows)
    if problem is not None:
        raise problem
    fact = replace(answer.fact, format="Tiingo JSON", rows=rows.table.num_rows)
    provenance = Provenance(source=NAME, files=(fact,), rounded=rounded)
    return Fetched(bars.sort_by("session"), actions.sort_by(_BY_KEY), FIXINGS.empty_table(), provenance)
