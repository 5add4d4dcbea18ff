"""Answers that hold no chart: statuses, pages, cut bodies, and the errors that Yahoo words itself.

Belongs here: opening a body as JSON, and what it is when that fails. Does not belong here: what a chart says
(`yahoo_chart`).
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading_ops.providers.protocol import RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer, shown, status_refusal

_PERSON_WANTED = ("consent.yahoo", "guce.", "collectconsent", "captcha")


def open_chart(answer: Answer) -> Mapping[str, Any]:
    """The `chart` object of an answer that is one.

    Raises:
        RefusedData: Another status, a page, a body that is cut, or an error that Yahoo names.
    """
    if 300 <= answer.status < 400:
        raise _redirected(answer)
    body, error = _json(answer)
    chart = body.get("chart") if isinstance(body, dict) else None
    said = chart.get("error") if isinstance(chart, dict) else None
    if isinstance(said, dict):
        raise _yahoo_error(answer, str(said.get("code", "")), str(said.get("description", "")))
    if answer.status in (401, 403):
        sentence = f"Yahoo turns this machine away (HTTP {answer.status}): {answer.excerpt()!r}. Ask another source."
        raise answer.refuse(RefusalKind.CHALLENGE, sentence)
    if answer.status != 200:
        raise status_refusal(answer)
    if error is not None:
        raise error
    if not isinstance(chart, dict):
        raise answer.refuse(RefusalKind.NOT_MARKET_DATA, f"this is no chart: {answer.excerpt()!r}. Nothing was kept.")
    return chart


def _json(answer: Answer) -> tuple[Any, RefusedData | None]:
    try:
        text = answer.body.decode("utf-8")
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_once), None
    except _Twice:
        sentence = "it says one thing twice in one place, so that nobody knows which is meant. Nothing was kept."
        return None, answer.refuse(RefusalKind.NOT_MARKET_DATA, sentence)
    except (ValueError, RecursionError) as error:
        return None, _no_json(answer, error)


def _no_json(answer: Answer, error: Exception) -> RefusedData:
    """What a body that is no JSON is: each of these was seen with status 200."""
    text = answer.body.decode("utf-8", "replace").strip()
    small = text[:200_000].lower()
    at_its_end = isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip()) - 1
    if not text:
        kind, sentence = RefusalKind.CUT_OFF, "the answer is empty. Nothing was kept; ask again later."
    elif text[0] == "{" and (at_its_end or text[-1] != "}"):
        kind, sentence = RefusalKind.CUT_OFF, "the answer ends in the middle. Nothing was kept; ask again later."
    elif "too many requests" in small:
        kind, sentence = RefusalKind.RATE_LIMITED, f"it was asked too often (said with HTTP {answer.status})."
    elif "will be right back" in small:
        kind, sentence = RefusalKind.SERVER_ERROR, 'Yahoo is down: "Will be right back". Ask again later.'
    elif any(word in small for word in _PERSON_WANTED):
        kind = RefusalKind.CHALLENGE
        sentence = "Yahoo wants a person to agree or to prove to be one. It was not answered; open Yahoo in a browser."
    else:
        kind = RefusalKind.NOT_MARKET_DATA
        sentence = f"this is {'a page' if text[0] == '<' else 'no JSON'}: {answer.excerpt()!r}. Nothing was kept."
    return answer.refuse(kind, sentence)


class _Twice(Exception):
    """An object with one name twice, of which JSON would keep the last without a word."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _redirected(answer: Answer) -> RefusedData:
    target = shown(answer.headers.get("location", ""), answer.secrets, 80)
    if "consent.yahoo" in target or "guce." in target:
        sentence = f"Yahoo wants a person to agree to something ({target}). It was not answered; open it in a browser."
        return answer.refuse(RefusalKind.CHALLENGE, sentence)
    sentence = f"it sends us on to {target or 'nowhere'}. Charts are where they are asked for, so it was not followed."
    return answer.refuse(RefusalKind.FOREIGN_REDIRECT, sentence)


def _yahoo_error(answer: Answer, code: str, description: str) -> RefusedData:
    """The refusal of an error that Yahoo words itself, whatever its status."""
    said = shown(f"{code}: {description}", answer.secrets, 200)
    small = said.lower()
    if "data doesn't exist for startdate" in small:
        return answer.refuse(RefusalKind.NO_DATA, f'it has nothing on these days ("{said}"). Ask for other days.')
    if answer.status == 429 or "too many requests" in small:
        return (
            status_refusal(answer)
            if answer.status == 429
            else answer.refuse(RefusalKind.RATE_LIMITED, f'it was asked too often ("{said}").')
        )
    if answer.status >= 500:
        return status_refusal(answer)
    if answer.status in (401, 403):
        sentence = f'Yahoo turns this machine away (HTTP {answer.status}, "{said}"). Ask another source.'
        return answer.refuse(RefusalKind.CHALLENGE, sentence)
    if "no data found" in small or code == "Not Found":
        sentence = f'it does not know this symbol ("{said}"). Look it up at Yahoo and correct yahoo_symbol.'
        return answer.refuse(RefusalKind.UNKNOWN_TO_SOURCE, sentence)
    return answer.refuse(RefusalKind.HTTP_ERROR, f'it refuses the question (HTTP {answer.status}, "{said}").')
