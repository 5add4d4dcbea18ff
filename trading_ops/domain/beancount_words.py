"""What a transaction of the beancount file says of the fact behind it.

Belongs here: title, day and metadata of each kind of fact. Does not belong here: postings (`beancount_text`).
"""

import datetime as dt

from trading_ops.domain.ledger_book import Fact
from trading_ops.domain.ledger_facts import CashMovement, CorporateEvent, Fill
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import plain


def day_of(fact: Fact) -> dt.date:
    """The day a fact counts for."""
    match fact:
        case Fill():
            return fact.session
        case CorporateAction():
            return fact.ex_date
        case _:
            return fact.day


def title_of(fact: Fact) -> str:
    """A fact in a few words."""
    match fact:
        case Fill():
            return f"{fact.side} {plain(fact.units)} {fact.symbol} at {plain(fact.price_usd)} USD"
        case CashMovement(kind="dividend"):
            return f"Dividend of {fact.symbol}, ex-date {fact.ex_date}"
        case CashMovement():
            return fact.kind.capitalize()
        case CorporateAction():
            return f"Split of {fact.symbol}, {plain(fact.value)} new for 1 old"
        case CorporateEvent():
            to = f", now {fact.new_symbol}" if fact.new_symbol else ""
            return f"{fact.kind.replace('_', ' ').capitalize()} of {fact.symbol}{to}"


def meta_of(fact: Fact) -> dict[str, str]:
    """What stands beside a transaction; the fact's id comes first."""
    match fact:
        case Fill():
            beside = {"ticket": fact.ticket_line, "position": fact.position_id, "price-usd": plain(fact.price_usd)}
            beside |= {"fee-gbp": plain(fact.fee_gbp) if fact.fee_gbp else None}
            beside |= {"estimated": "yes" if fact.estimated else None}
            return {"fill": fact.fill_id} | {key: text for key, text in beside.items() if text is not None}
        case CashMovement():
            return {"movement": fact.movement_id}
        case CorporateEvent():
            return {"event": fact.event_id}
        case CorporateAction():
            return {}
