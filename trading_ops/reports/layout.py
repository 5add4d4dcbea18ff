"""Facts laid out for a reader: what comes first, what stands in a table, what is drawn.

Does not belong here: collecting facts (`daily`, `weekly`), Markdown and HTML (`forms`).
"""

from decimal import Decimal

from trading_ops.domain.books import banner
from trading_ops.domain.execution_text import NOT_ANSWERED, TAKEN_BACK, told
from trading_ops.domain.gates import NOTHING_TO_DO
from trading_ops.domain.report_facts import (
    Costs,
    DailyFacts,
    Facts,
    GateState,
    Head,
    Holding,
    Money,
    MonthlyFacts,
    Quality,
    TicketLine,
    TicketPart,
    WeeklyFacts,
)
from trading_ops.domain.values import ONE, exact
from trading_ops.reports import charts, words
from trading_ops.reports.sheet import Block, Chart, Lead, Pairs, Points, Say, Section, Sheet, Side, Table

TONES = {"green": "GREEN", "amber": "AMBER", "red": "RED", "grey": "GREY"}
GATES = {
    "data": "Data", "signals": "Signals", "risk": "Risk", "confirmation": "Confirmation",
    "reconciliation": "Reconciliation", "desk": "Desk",
}  # fmt: skip
LISTED = 12
"""Names that a sentence lists; more are counted."""


def sheet_of(facts: Facts) -> Sheet:
    """The report as its reader sees it."""
    if isinstance(facts, MonthlyFacts):
        return _monthly(facts)
    return _daily(facts) if isinstance(facts, DailyFacts) else _weekly(facts)


def _daily(f: DailyFacts) -> Sheet:
    title = f"{banner(f.head.book)}Daily report, {words.day(f.head.day)}"
    blocks: list[Block] = [
        *_opening(f.head),
        Section("Money"),
        Pairs((*_result(f, "On the day"), *_sources(f.money))),
        *_pictures(f),
        Section("Gates"),
        *_gates(f.gates),
        Section("What stands behind the desk"),
        Pairs(_safety(f)),
        *([Points(tuple(_incident(i.kind, i.title, blocking=i.blocking) for i in f.incidents))] if f.incidents else []),
        *_rollout(f),
        Section("Prices of the day"),
        Pairs(_quality(f.quality)),
        Section("What trading cost so far"),
        _costs(f.costs),
        Section("Exposures"),
        *_exposures(f),
    ]
    return Sheet(title, blocks, _foot(f.head))


def _weekly(f: WeeklyFacts) -> Sheet:
    title = f"{banner(f.head.book)}Weekly report, {f.head.week}, through {words.day(f.head.through)}"
    blocks: list[Block] = [
        *_opening(f.head),
        Section("Asked against done"),
        *_ticket(f),
        Section("How the book did"),
        _performance(f, "this week"),
        Pairs((*_result(f, "In the week"), *_sources(f.money))),
        *_pictures(f),
        Section("What trading cost so far"),
        _costs(f.costs),
        Section("Exposures"),
        *_exposures(f),
        *_rollout(f),
        Section("Next"),
        Pairs(_next(f)),
    ]
    return Sheet(title, blocks, _foot(f.head))


def _monthly(f: MonthlyFacts) -> Sheet:
    blocks: list[Block] = [
        *_opening(f.head),
        Section("How the book did"),
        _performance(f, "this month"),
        Pairs((*_result(f, "In the month"), *_sources(f.money))),
        *_pictures(f),
        Section("The month's tickets"),
        _month_tickets(f),
        Section("What went wrong"),
        *_went_wrong(f),
        Section("What trading cost so far"),
        _costs(f.costs),
        _measured(f),
        Section("Exposures"),
        *_exposures(f),
        *_rollout(f),
        Section("To be decided by a person"),
        Points(_to_decide(f)),
    ]
    return Sheet(f"{banner(f.head.book)}Monthly review, {f.month}", blocks, _foot(f.head))


def _opening(head: Head) -> list[Block]:
    return [Lead(head.tone, f"{TONES[head.tone]}. {head.headline}"), Points(head.summary)]


def _result(f: Facts, when: str) -> tuple[tuple[str, str], ...]:
    m, r = f.money, f.returns
    beside = f"; {r.benchmark} {words.percent(r.period_benchmark, 2, sign=True)}"
    moved = f"{words.pounds(r.period_gbp, sign=True)}, {words.percent(r.period, 2, sign=True)}"
    held = "" if m.complete else ", not every price is of that day"
    low = f"; deepest {words.percent(r.deepest)} on {words.day(r.deepest_on)}" if r.deepest_on else ""
    least = f"at least {words.percent(f.cash_floor)}"
    if Decimal(f.cash_share) < Decimal(f.cash_floor):
        least = f"below the {words.percent(f.cash_floor)} that a plan keeps free, so the next one buys less"
    return (
        ("Equity", f"{words.pounds(m.equity_gbp)}{held}"),
        (when, f"{moved}{beside if r.period_benchmark else ''}"),
        ("Drawdown", f"{words.percent(r.drawdown)} of at most {words.percent(r.drawdown_allowed, 0)}{low}"),
        ("Cash buffer", f"{words.pounds(m.cash_gbp)}, {words.percent(f.cash_share)} of equity; {least}"),
    )


def _sources(m: Money) -> tuple[tuple[str, str], ...]:
    return (
        ("Paid in", words.pounds(m.paid_in_gbp)),
        ("Realised P&L", words.pounds(m.realised_gbp, sign=True)),
        ("Unrealised P&L", words.pounds(m.unrealised_gbp, sign=True)),
        ("Dividends", words.pounds(m.dividends_gbp, sign=True)),
        ("Other cash", words.pounds(m.other_gbp, sign=True)),
    )


def _pictures(f: Facts) -> list[Block]:
    r = f.returns
    since = f"since {words.day(f.points[0].session)}" if f.points else ""
    beside = f", {r.benchmark} in pounds {words.percent(r.benchmark_twr, sign=True)}" if r.benchmark_twr else ""
    return [
        Side(
            (
                Chart(
                    "Equity against benchmark",
                    f"Growth {since}; since the start {words.percent(r.twr, sign=True)}{beside}.",
                    charts.growth(f.points, r.benchmark),
                ),
                Chart(
                    "Drawdown",
                    f"{words.percent(r.drawdown)} below the last maximum; trading stops beyond "
                    f"{words.percent(r.drawdown_allowed, 0)}.",
                    charts.drawdown(f.points, r.drawdown_allowed),
                ),
            )
        )
    ]


def _performance(f: Facts, when: str) -> Table:
    r = f.returns
    rows = [
        (f"Time-weighted, {when}", words.percent(r.period, 2, sign=True),
         words.percent(r.period_benchmark, 2, sign=True)),
        ("Time-weighted, since the start", words.percent(r.twr, 2, sign=True),
         words.percent(r.benchmark_twr, 2, sign=True)),
        ("Money-weighted, since the start", words.percent(r.mwr, 2, sign=True),
         words.percent(r.benchmark_mwr, 2, sign=True)),
    ]  # fmt: skip
    if r.mwr_a_year is not None:
        rows.append(
            ("Money-weighted, a year", words.percent(r.mwr_a_year, 2, sign=True),
             words.percent(r.benchmark_mwr_a_year, 2, sign=True))
        )  # fmt: skip
    rows.append(("Worth of what was paid in", words.pounds(f.money.equity_gbp), words.pounds(r.benchmark_value_gbp)))
    caption = f"The desk beside the same money in {r.benchmark}, both in pounds, dividends included"
    return Table(caption, ("", "Desk", r.benchmark), tuple(rows), frozenset({1, 2}))


def _month_tickets(f: MonthlyFacts) -> Block:
    if not f.tickets:
        return Say("No ticket was carried out in this month.")
    rows = tuple(
        (t.ticket_id, t.verdict, t.became or ", ".join(t.reasons), words.percent(t.turnover),
         words.pounds(t.costs.total_gbp), words.bps(t.costs.bps).removesuffix(" bps"))
        for t in f.tickets
    )  # fmt: skip
    columns = ("Ticket", "Verdict", "What became of it", "Turnover", "Cost", "bps")
    return Table("Tickets whose window lay in the month", columns, rows, frozenset({3, 4, 5}))


def _went_wrong(f: MonthlyFacts) -> list[Block]:
    faults = [c for c in f.failed if c.what != NOTHING_TO_DO]
    failed = [f"{c.what} refused {words.counted(c.count, 'week', 'weeks')}" for c in faults]
    opened = [f"{words.counted(c.count, 'incident', 'incidents')} of {c.what}" for c in f.incidents]
    listed = (*failed, *opened, *(_incident(i.kind, i.title, blocking=i.blocking) for i in f.still_open))
    counted = (
        ("Answers corrected, entries taken back", str(f.corrections)),
        ("Account checks", str(f.account_checks)),
        ("Backups proven", str(f.proven_backups)),
        ("Policies put in force", str(f.policies)),
    )
    return [Points(listed) if listed else Say("No rule refused a week, and no incident was opened."), Pairs(counted)]


def _measured(f: MonthlyFacts) -> Table:
    rows = tuple((m.key, m.in_force, m.measured or words.NONE, str(m.fills)) for m in f.measured)
    columns = ("Number of the policy", "In force", "Measured", "Fills")
    return Table("The policy's costs against the fills, since the start", columns, rows, frozenset({1, 2, 3}))


def _to_decide(f: MonthlyFacts) -> tuple[str, ...]:
    """The questions of the review; each stands on figures above."""
    return (
        "Do the policy's costs still fit what the fills say? If not, change the policy with a reason.",
        f"Is the drawdown of {words.percent(f.returns.drawdown)} within what this household wants to bear?",
        "Was every refused week refused for a good reason, and has what caused it been mended?",
        "Is every corrected answer explained?",
        "Was a backup restored on another machine this month?",
        "Go on, or lead the roll-out back?",
    )


def _gates(gates: tuple[GateState, ...]) -> list[Block]:
    rows = tuple(
        (GATES[g.gate], "passes" if not g.others else _gate_words(g), f"{g.passed} of {g.of}", g.asked) for g in gates
    )
    blocks: list[Block] = [Table("", ("Gate", "State", "Rules passed", "Asked"), rows, frozenset({2}))]
    why = tuple(f"{o.code}: {o.sentence} {o.remedy}".strip() for g in gates for o in g.others if o.outcome == "FAIL")
    return [*blocks, Points(why)] if why else blocks


def _gate_words(g: GateState) -> str:
    failed = [o.code for o in g.others if o.outcome == "FAIL"]
    silent = len(g.others) - len(failed)
    said = [f"FAILS: {', '.join(failed)}"] if failed else []
    return "; ".join([*said, *([f"{silent} not evaluated"] if silent else [])])


def _safety(f: DailyFacts) -> tuple[tuple[str, str], ...]:
    s = f.safety
    switch = f"{s.kill_switch}: {s.kill_switch_why}" if s.kill_switch_why else s.kill_switch
    if s.backup_proven_utc:
        backup = f"{words.age(s.backup_proven_utc, f.head.morning_utc)} old, {words.when(s.backup_proven_utc)} London"
    else:
        backup = "none yet"
    backup = backup if s.backup_ok else f"{backup}; {s.backup_allowed}, so nothing is traded"
    checked = f"{words.when(s.checked_utc)} London" if s.checked_utc else "never"
    return (
        *_next(f),
        ("Newest ticket", f.ticket),
        ("Kill switch", switch),
        ("Open incidents", str(len(f.incidents)) if f.incidents else "none"),
        ("Last proven backup", backup),
        ("Last account check", checked),
        ("Audit head", f"#{f.head.audit_seq} {f.head.audit_hash[:16]}"),
    )


def _rollout(f: Facts) -> list[Block]:
    if f.rollout is None:
        return []
    return [Section("Roll-out"), Say(f.rollout.sentence), *([Points(f.rollout.missing)] if f.rollout.missing else [])]


def _next(f: Facts) -> tuple[tuple[str, str], ...]:
    n = f.next
    hours = f"{words.when(n.window_open_utc)} to {words.hour(n.window_close_utc)} London"
    pairs = [
        ("Next rebalance", f"{n.week}: plan opens {words.when(n.opens_utc)}, decided by {words.when(n.decide_by_utc)}"),
        ("Its window", hours),
    ]
    return (*pairs, ("Clock note", n.clock_note)) if n.clock_note else tuple(pairs)


def _incident(kind: str, title: str, *, blocking: bool) -> str:
    return f"{'BLOCKS TRADING' if blocking else 'Open'}: {title} ({kind})"


def _quality(q: Quality) -> tuple[tuple[str, str], ...]:
    rate = f"{q.usd_per_gbp} dollars, fixing of {words.day(q.fixing_day)}" if q.fixing_day else "no fixing"
    return (
        ("Names with a price", f"{q.priced} of {q.expected}"),
        ("Without one", _some(q.missing)),
        ("Held without one", _some(q.held_without)),
        ("Frozen names", "; ".join(q.frozen) or "none"),
        ("One pound", rate),
    )


def _some(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _costs(costs: tuple[Costs, ...]) -> Table:
    columns = ("", "Fills", "Value", "In all", "bps", "Exchange", "Slippage", "Fees")
    rows = tuple(
        (
            c.label, str(c.fills), words.pounds(c.value_gbp), words.pounds(c.total_gbp),
            words.bps(c.bps).removesuffix(" bps"), words.pounds(c.fx_gbp), words.pounds(c.slippage_gbp),
            words.pounds(c.fees_gbp),
        )
        for c in costs
    )  # fmt: skip
    return Table("Pounds lost; below 0 is gained", columns, rows, frozenset(range(1, len(columns))))


def _exposures(f: Facts) -> list[Block]:
    bars = [(h.symbol, h.share, charts.BOOK) for h in f.holdings] + [("cash", f.cash_share, charts.CASH)]
    invested = words.percent(_rest(f.cash_share))
    pictures = [
        Chart(
            "By name",
            f"Shares of equity, at most {words.percent(f.max_weight, 0)} a name; by currency: US dollar {invested}, "
            f"pound {words.percent(f.cash_share)}.",
            charts.shares(bars, f.max_weight),
        )
    ]
    if f.trades:
        words_of = f"The newest {words.counted(len(f.trades), 'trade', 'trades')}, in hundredths of a percent of value."
        pictures.append(Chart("Cost per trade", words_of, charts.cost_per_trade(f.trades)))
    currencies = Table(
        "By currency", ("Currency", "Value", "Share"),
        (("US dollar (shares)", words.pounds(f.money.holdings_gbp), invested),
         ("Pound (cash)", words.pounds(f.money.cash_gbp), words.percent(f.cash_share))),
        frozenset({1, 2}),
    )  # fmt: skip
    older = any(h.priced_on != f.head.through for h in f.holdings)
    names = Table(
        "By name", ("Name", "Units", "Value", "Share", "Unrealised", *(["Price of"] if older else [])),
        tuple(
            (h.symbol, h.units.rstrip("0").rstrip("."), words.pounds(h.value_gbp), words.percent(h.share),
             words.pounds(h.unrealised_gbp, sign=True), *([_priced(h)] if older else []))
            for h in f.holdings
        ),
        frozenset({1, 2, 3, 4}),
    )  # fmt: skip
    return [Side(tuple(pictures)), currencies, *([names] if f.holdings else [])]


def _priced(h: Holding) -> str:
    return words.day(h.priced_on) if h.priced_on else "its purchase"


def _rest(share: str) -> str:
    with exact():
        return str(ONE - Decimal(share))


def _ticket(f: WeeklyFacts) -> list[Block]:
    t = f.ticket
    if t is None:
        return [Say(f"No ticket was issued for week {f.head.week}, so nothing was to be traded.")]
    pairs = [("Ticket", f"{t.ticket_id} {t.verdict}")]
    if t.withdrawn:
        pairs.append(("Withdrawn", t.withdrawn))
    if not t.lines:
        blocks: list[Block] = [Pairs(tuple(pairs)), Say("Nothing was to be traded. Why:")]
        return [*blocks, Points(t.why)]
    pairs += [
        _told(f, t),
        ("Bought", f"{words.pounds(t.done_buys_gbp)} of {words.pounds(t.asked_buys_gbp)}"),
        ("Sold", f"{words.pounds(t.done_sells_gbp)} of {words.pounds(t.asked_sells_gbp)}"),
        ("Turnover", f"{words.percent(t.turnover)} of equity; asked {words.percent(t.turnover_asked)}"),
        ("Cost", f"{words.pounds(t.costs.total_gbp)}, {words.bps(t.costs.bps)}: exchange "
                 f"{words.pounds(t.costs.fx_gbp)}, slippage {words.pounds(t.costs.slippage_gbp)}, fees "
                 f"{words.pounds(t.costs.fees_gbp)}"),
    ]  # fmt: skip
    columns = ("Line", "Asked", "Done", "Status", "Slippage", "Cost", "Price", "Reference", "Remark")
    rows = tuple(
        (
            f"{line.line} {line.side} {line.symbol}",
            words.pounds(line.asked_gbp),
            words.pounds(line.done_gbp) if line.price_usd else "nothing",
            line.status,
            words.percent(line.slippage, 2, sign=True),
            words.pounds(line.cost_gbp),
            f"${line.price_usd}" if line.price_usd else words.NONE,
            f"${line.reference_usd}",
            line.remark or ("" if line.as_told else _amiss(f, line)),
        )
        for line in t.lines
    )
    return [Pairs(tuple(pairs)), Table("Line by line", columns, rows, frozenset({1, 2, 4, 5, 6, 7}))]


def _told(f: WeeklyFacts, t: TicketPart) -> tuple[str, str]:
    if f.schema_version == 1:  # written before: it comes out as it was told then
        return "As told", f"{t.as_told} of {len(t.lines)} lines, {words.percent(t.compliance, 0)}"
    return "Lines", told(t.lines)


def _amiss(f: WeeklyFacts, line: TicketLine) -> str:
    """Why a line without a remark counts as not done as asked."""
    if f.schema_version == 1:
        return "not as told"
    return NOT_ANSWERED if line.status == "OPEN" else TAKEN_BACK


def _foot(head: Head) -> tuple[str, ...]:
    said = [
        f"Figures at the close of {words.day(head.through)}. Due {words.when(head.morning_utc)}, written "
        f"{words.when(head.written_utc)} (London); knows every fact up to audit row #{head.audit_seq} "
        f"{head.audit_hash[:16]}.",
    ]
    if head.replaces:
        said.append(f"Revision {head.revision}: it replaces the report with facts {head.replaces[:16]}.")
    return tuple(said)
