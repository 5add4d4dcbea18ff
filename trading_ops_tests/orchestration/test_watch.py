"""The watch on a real desk: each class of incident provoked once, told once by mail, and closed as the runbook says."""

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path

import pytest

from trading_ops.desk import switching
from trading_ops.domain.answer import Answer
from trading_ops.domain.errors import BadInput
from trading_ops.domain.incidents import CLASSES, ITSELF, WATCH
from trading_ops.domain.incidents import PERSON as BY_A_PERSON
from trading_ops.drill.server import Reply
from trading_ops.planning import direct, issue, steps
from trading_ops.settings import shipped
from trading_ops.store import announced, answers, incidents, name_checks, plans, tickets
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.intake_factory import failing
from trading_ops_tests.integration.smtp_server import MailServer, Received
from trading_ops_tests.orchestration import test_market_jobs as markets
from trading_ops_tests.orchestration.loop_home import ASOF, AT, CASH, PLAN_ID, Loop
from trading_ops_tests.orchestration.watch_factory import (
    NEXT,
    OPERATOR,
    Case,
    account_check,
    an_hour_in,
    another_week,
    evaluate,
    inhabited,
    of_kind,
    send,
    tick,
)


def traded(loop: Loop) -> None:
    """The week's ticket, in time."""
    at = dt.datetime.combine(ASOF + dt.timedelta(days=1), dt.time(9), dt.UTC)
    made = direct.plan_now(loop.conn, loop.home.tickets_dir, loop.home.snapshots_dir, ASOF, at=at)
    assert made.verdict == "TRADE"


def told(server: MailServer, kind: str) -> list[Received]:
    """Mails about incidents of a class."""
    return [mail for mail in server.received if "incident" in mail.subject and f"{kind}:" in mail.subject]


def stale(loop: Loop) -> dt.datetime:
    """The week's bars have not come."""
    account_check(loop, NEXT)
    return an_hour_in(evaluate(loop, NEXT))


def bars_came(loop: Loop) -> dt.datetime:
    another_week(loop)
    return an_hour_in(evaluate(loop, NEXT))


def unanswered(loop: Loop) -> dt.datetime:
    """Last week's ticket has no answers."""
    traded(loop)
    another_week(loop)
    account_check(loop, NEXT)
    return an_hour_in(evaluate(loop, NEXT))


def answered(loop: Loop) -> dt.datetime:
    ticket = tickets.get(loop.conn, PLAN_ID)
    lines = [line.line for line in answers.answers_of(loop.conn, PLAN_ID)]
    with loop.conn.transaction():
        answers.record_answers(
            loop.conn, ticket.plan_id, [Answer(line, "SKIPPED") for line in lines], answered_by="mum",
            rate_of=lambda _: Decimal("1.25"), where="a test",
        )  # fmt: skip
    return an_hour_in(plans.get(loop.conn, NEXT.isoformat()))


def drifted(loop: Loop) -> dt.datetime:
    account_check(loop, ASOF, CASH - 1000)
    return an_hour_in(evaluate(loop, ASOF))


def looked_again(loop: Loop) -> dt.datetime:
    account_check(loop, ASOF)
    return an_hour_in(evaluate(loop, ASOF))


def not_found(loop: Loop) -> dt.datetime:
    with opened(loop.home, "executor_ui") as conn, conn.transaction():
        name_checks.record(conn, uuid.uuid4(), "AAPL", "missing", "", ASOF, "mum")
    return AT


def halted(loop: Loop) -> dt.datetime:
    with loop.conn.transaction():
        switching.set_state(loop.conn, "HALTED", ASOF, "the broker is down", "op")
    return AT


def lifted(loop: Loop) -> dt.datetime:
    with pytest.raises(BadInput, match="reason is missing"), loop.conn.transaction():
        switching.set_state(loop.conn, "ACTIVE", ASOF, " ", "op")
    with loop.conn.transaction():
        switching.set_state(loop.conn, "ACTIVE", ASOF, "the broker is back", "op")
    return AT


def broke_off(loop: Loop) -> dt.datetime:
    plan = loop.registered()
    steps.start(loop.conn, loop.home.snapshots_dir, PLAN_ID, uuid.uuid4(), driver="direct")
    issue.decide_plan(loop.conn, loop.home.tickets_dir, loop.home.snapshots_dir, PLAN_ID, at=plan.decide_by, final=True)
    return plan.decide_by


def next_one_ran(loop: Loop) -> dt.datetime:
    another_week(loop)
    account_check(loop, NEXT)
    return an_hour_in(evaluate(loop, NEXT))


def never_came(loop: Loop) -> dt.datetime:
    return loop.registered().opens_at + dt.timedelta(hours=3)


def came(loop: Loop) -> dt.datetime:
    direct.run_plan(loop.conn, loop.home.snapshots_dir, PLAN_ID)
    return never_came(loop)


def source_died(loop: Loop) -> dt.datetime:
    secrets = (loop.home.secrets_dir / "secrets.env").read_text()
    with markets.played(loop) as (desk_, server, market):
        server.answer = failing(market, "tiingo", Reply(b'{"detail": "Invalid token."}', 403))
        assert markets.run(loop, desk_, "fetch_job").success
        _put_back(loop, secrets)
        return desk_.now()


def source_lives(loop: Loop) -> dt.datetime:
    secrets = (loop.home.secrets_dir / "secrets.env").read_text()
    with markets.played(loop) as (desk_, server, market):
        server.answer = market.answer
        later = desk_.now() + dt.timedelta(hours=30)
        another = markets.replace(desk_, now=lambda: later)
        assert markets.run(loop, another, "fetch_job").success
        _put_back(loop, secrets)
        return later


def _put_back(loop: Loop, secrets: str) -> None:
    markets.write_secret(loop.home.secrets_dir / "secrets.env", secrets)


def restated(loop: Loop) -> dt.datetime:
    traded(loop)
    row = loop.conn.execute(
        "SELECT symbol, close FROM ops.market_prices_eod WHERE session = %s ORDER BY symbol LIMIT 1", (ASOF,)
    ).fetchone()
    assert row is not None
    bars = home_factory.bars_table([(row["symbol"], ASOF.isoformat(), str(row["close"] + 1))])
    place = bars.schema.get_field_index("source")
    bars = bars.set_column(place, bars.schema.field(place), [["simulated"]])
    home_factory.load(loop.conn, bars=bars)
    return AT


CASES = (
    Case("DATA_STALE", stale, bars_came),
    Case("CONFIRMATION_MISSING", unanswered, answered),
    Case("RECONCILIATION_DRIFT", drifted, looked_again),
    Case("UNTRADABLE_SYMBOL", not_found, None),
    Case("KILL_SWITCH", halted, lifted),
    Case("RUN_FAILED", broke_off, next_one_ran),
    Case("PLAN_MISSED", never_came, came),
    Case("SOURCE_DEAD", source_died, source_lives),
    Case("RESTATEMENT", restated, None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_a_class_provoked_once_is_one_incident_one_mail_and_closes_as_the_runbook_says(paper: Loop, case: Case) -> None:
    known = CLASSES[case.kind]
    with MailServer() as server:
        inhabited(paper, server)
        now = case.provoke(paper)
        for _ in range(3):
            tick(paper, now)
            send(paper, now)
        (made,) = of_kind(paper, case.kind)
        assert incidents.open_ones(paper.conn) == (made,), "nothing else is told of"
        mine = told(server, case.kind)
        assert len(mine) == 1
        assert all(mail.to == OPERATOR for mail in mine), "incidents are the operator's"
        for words in (made.title, known.means, known.do, known.how, known.page):
            assert " ".join(words.split()) in " ".join(mine[0].text.split())
        document, _, anchor = known.page.partition("#")
        assert f"### {anchor.upper()}\n" in (shipped("docs") / Path(document).name).read_text()
        if case.mend is None:
            assert known.closes == BY_A_PERSON
            tick(paper, now)
            with opened(paper.home, "operator_ui") as conn, conn.transaction():
                conn.execute("SELECT set_config('ops.person', 'op', true)")
                switching.close_incident(conn, made.incident_id, "looked, and it is right so", "op")
        else:
            assert known.closes == ITSELF
            now = case.mend(paper)
            tick(paper, now)
        (closed,) = of_kind(paper, case.kind)
        assert closed.closed_by == (WATCH if case.mend else "op")
        tick(paper, now)
        assert len(of_kind(paper, case.kind)) == 1
        send(paper, now)
        assert len(told(server, case.kind)) == 1
    assert announced.tampered(paper.conn) == []
