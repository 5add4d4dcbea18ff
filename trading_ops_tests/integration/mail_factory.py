"""A desk with people, tickets and a mail server's address, for tests of the post."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.comms import setup, smtp
from trading_ops.comms.sending import Sender, Tally, drain
from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.gates import Decision, decide
from trading_ops.domain.orders import Order
from trading_ops.domain.results import CheckResult
from trading_ops.domain.ticket import TicketContent
from trading_ops.settings import Settings
from trading_ops.store import audit, configuration, desk, people, plans, tickets
from trading_ops.store.provenance import CodeState
from trading_ops.store.secret_files import write_secret
from trading_ops.store.secrets_env import FILE
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration.home_factory import opened, set_up
from trading_ops_tests.unit.ticket_factory import ASOF, all_passed, make_content, usual_orders

CODE = CodeState("0" * 40, False)
HASTY = smtp.Limits(step=0.4, whole=1.2)
SATURDAY = dt.datetime(2018, 2, 3, 8, 5, tzinfo=dt.UTC)
EXECUTOR, OPERATOR = "mum@home.test", "op@home.test"
NAMES = ("ABBV", "AMZN", "BRK.B", "COST", "MSFT", "NVDA", "T")
UNIVERSE = (
    "internal_symbol,stooq_symbol,yahoo_symbol,etoro_search_name,currency,instrument_type,tradable_underlying,"
    "enabled,listed_from,verified_on,notes\n"
    + "".join(f"{n},{n.lower()}.us,{n.replace('.', '-')},{n},USD,stock,true,true,,,{n} Inc\n" for n in NAMES)
    + "SPY,spy.us,SPY,SPY,USD,etf,false,true,,,benchmark only\n"
)
_numbers = itertools.count(1)


@dataclass
class PostDesk:
    """A home whose outbox is looked at."""

    home: Settings
    conn: psycopg.Connection[Any]
    book: str

    def person(self, username: str, role: str, email: str, name: str = "") -> None:
        """Somebody who may sign in."""
        with opened(self.home, "sign_in") as conn, conn.transaction():
            people.add(conn, username, role, name or username.title(), email, "no password")

    def both(self) -> None:
        """One executor and one operator."""
        self.person("mum", "executor", EXECUTOR)
        self.person("op", "operator", OPERATOR)

    def write(self, text: str) -> None:
        """The home's `secrets.env`."""
        write_secret(self.home.secrets_dir / FILE, text)

    def issue(
        self,
        *,
        asof: dt.date = ASOF,
        orders: Iterable[Order] | None = None,
        failed: Iterable[CheckResult] = (),
        change: Callable[[TicketContent], TicketContent] | None = None,
        test: bool = False,
    ) -> Ticket:
        """A ticket, TRADE with the usual orders unless a rule failed; or that of a test."""
        evidence = all_passed(self.book, but=failed)  # type: ignore[arg-type]
        lines = () if tuple(failed) else tuple(usual_orders() if orders is None else orders)
        content = make_content(
            orders=lines, book=self.book, evidence=evidence, asof=asof, next_plan=asof + dt.timedelta(days=7)
        )  # type: ignore[arg-type]
        content = change(content) if change else content
        decision: Decision = decide(evidence, bool(lines), self.book)  # type: ignore[arg-type]
        with self.conn.transaction():
            register = plans.register_test if test else plans.register
            plan = register(self.conn, asof, configuration.policy_in_force(self.conn).policy)
            if test:
                content = content.model_copy(update={"plan_id": plan.plan_id, "ticket_id": plan.plan_id})
            run = plans.start_run(
                self.conn, plan, uuid.uuid4(), code=CODE, signal_source="stub", model_version="1", driver="direct"
            )  # fmt: skip
            decided = tickets.record_decision(self.conn, plan.plan_id, run.run_id, decision, lines)
            return tickets.issue(
                self.conn, content, run_id=run.run_id, decision_id=decided, code=CODE, issued_at=SATURDAY,
                decided_as_of=SATURDAY, evidence=[],
            )  # fmt: skip

    def answer(self, plan_id: str, *lines: int) -> None:
        """Mark lines SKIPPED, behind the forms' back."""
        shown = self.conn.execute("SELECT content_sha256 FROM ops.tickets WHERE plan_id = %s", (plan_id,)).fetchone()
        assert shown is not None
        with self.conn.transaction():
            for line in lines:
                seq = audit.append(self.conn, "answers.confirmation", f"{plan_id}/{line}/1", {"line": line})
                self.conn.execute(
                    "INSERT INTO ops.confirmations (confirmation_id, plan_id, line, revision, status, overfilled, "
                    "content_sha256, ticket_sha256, answered_by, audit_seq) "
                    "VALUES (%s, %s, %s, 1, 'SKIPPED', false, %s, %s, 'mum', %s)",
                    (uuid.uuid4(), plan_id, line, sha256_hex(str(line).encode()), shown["content_sha256"], seq),
                )

    def tell(self, kind: str = "source.down", plan_id: str | None = None, key: str = "", **payload: object) -> int:
        """An alert in the outbox; its number."""
        name = key or f"test:{next(_numbers)}"
        with self.conn.transaction():
            desk.enqueue(self.conn, name, kind, plan_id, {"sentence": "It answers nothing.", **payload})
        row = self.conn.execute("SELECT outbox_id FROM ops.outbox WHERE dedupe_key = %s", (name,)).fetchone()
        assert row is not None
        return int(row["outbox_id"])

    def sender(self, now: dt.datetime = SATURDAY, conn: psycopg.Connection[Any] | None = None) -> Sender:
        """A sender at a moment, with the home's settings."""
        return Sender(conn or self.conn, setup.read(self.home), lambda: now, HASTY)

    def send(self, now: dt.datetime = SATURDAY, **words: Any) -> Tally:
        """One pass."""
        return drain(self.sender(now), **words)

    def tries(self, outbox_id: int | None = None) -> list[tuple[str, str, int, str]]:
        """Deliveries as (address, outcome, attempt, detail), in the order they were made."""
        rows = self.conn.execute(
            "SELECT address, outcome, attempt, detail FROM ops.outbox_deliveries "
            "WHERE %(id)s::bigint IS NULL OR outbox_id = %(id)s ORDER BY created_at, outbox_id, address, attempt",
            {"id": outbox_id},
        )
        return [(r["address"], r["outcome"], r["attempt"], r["detail"]) for r in rows]


def post_desk(home: Settings, conn: psycopg.Connection[Any], book: str = "paper") -> PostDesk:
    """A desk with a book, a policy and the names of the tickets."""
    set_up(conn, book, UNIVERSE)
    return PostDesk(home, conn, book)


def renamed(name: str) -> Callable[[TicketContent], TicketContent]:
    """A change that gives the first line another name."""

    def change(content: TicketContent) -> TicketContent:
        first = content.lines[0].model_copy(update={"name": name})
        return content.model_copy(update={"lines": (first, *content.lines[1:])})

    return change
