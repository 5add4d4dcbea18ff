"""What mails say, to whom, when reminders are due, and how long a message is tried."""

import datetime as dt
import inspect
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.comms import alert_letters, backoff, mime, outcomes, ticket_letters
from trading_ops.comms.letter import Letter, html_body, plain_body, rows_of_markdown
from trading_ops.comms.setup import mailbox
from trading_ops.domain import messages, reminders
from trading_ops.domain.calendar import LONDON, close_utc, plan_times
from trading_ops.domain.confirmation import LineAnswer
from trading_ops.domain.errors import ConfigError
from trading_ops.domain.her_words import HER_WORDS, in_her_words
from trading_ops.domain.reasons import RULES
from trading_ops.domain.reminders import AccountCheckFacts, Reminder, TicketFacts, due_reminders
from trading_ops.domain.ticket import to_markdown, to_text
from trading_ops.domain.ticket_layout import Row, markdown, text
from trading_ops.reports import writing
from trading_ops.store import tickets
from trading_ops.store.outbox_rows import Message, Recipient
from trading_ops_tests.unit.market_factory import committed_policy
from trading_ops_tests.unit.ticket_factory import all_passed, make_content, make_envelope, rule_failed, usual_orders

SATURDAY = dt.datetime(2018, 2, 3, 8, 5, tzinfo=dt.UTC)
TO = Recipient("mail", "mum@home.test", "executor", "Mum")


def issued(role: str = "executor", now: dt.datetime = SATURDAY, **changes: object) -> Letter:
    content = make_content(**changes)  # type: ignore[arg-type]
    return ticket_letters.issued(content, to_markdown(content, make_envelope(content)), role, "Mum", now)  # type: ignore[arg-type]


def test_the_ticket_mail_says_what_there_is_to_do_and_holds_the_whole_ticket() -> None:
    content = make_content()
    letter = issued()
    assert letter.subject_line == "4 things to do on eToro, about 10 minutes · Mon 5 Feb"
    body = plain_body(letter)
    assert to_text(content, make_envelope(content)) in body
    assert "Open the ticket: http://desk.lan:8501/confirm/2018-W05" in body
    assert "it signs nobody in and confirms nothing" in body
    assert "Monday 5 February 2018 between 14:45 and 16:45 (London)" in body


def test_one_thing_is_one_thing() -> None:
    assert issued(orders=usual_orders()[2:3]).subject.startswith("1 thing to do on eToro, about 4 minutes")


@pytest.mark.parametrize(
    ("book", "first"), [("paper", "PAPER - DO NOT EXECUTE"), ("sim", "SIMULATED - DO NOT EXECUTE")]
)
def test_a_book_that_is_not_real_says_so_first(book: str, first: str) -> None:
    for letter in (issued(book=book), issued(book=book, orders=(), evidence=None)):
        assert letter.subject.startswith(first)
        assert letter.sentence.startswith(first)
        assert plain_body(letter).startswith(first)


def test_the_operators_copy_says_that_another_does_it() -> None:
    letter = issued("operator")
    assert letter.subject.startswith("Copy: 4 things")
    assert "Mum does it; do nothing on eToro" in plain_body(letter)


def test_after_the_window_nobody_is_asked_to_trade() -> None:
    closed = make_content().window.close_utc
    assert "things to do" in issued(now=closed - dt.timedelta(seconds=1)).subject
    letter = issued(now=closed)
    assert letter.subject.startswith("Too late to trade")
    assert "things to do" not in letter.subject + letter.sentence
    assert "Trade nothing now" in letter.rows[0].words


def no_trade(*codes: str) -> dict[str, object]:
    failed = [rule_failed(code, "seen", "allowed", f"{code} went wrong.") for code in codes]
    return {"orders": (), "evidence": all_passed(but=failed), "sized": False}


def test_no_trade_is_said_in_her_words_and_without_codes() -> None:
    letter = issued(**no_trade("CONFIRMATION_MISSING", "SNAPSHOT_STALE", "UNITS_DRIFT"))
    body = plain_body(letter)
    assert letter.subject_line == "Nothing to do this week · 2018-W05"
    assert "Please answer them on the page" in body
    assert "Please type in cash and holdings" in body
    assert "do not agree yet" in body
    assert "Next plan: Saturday 10 February 2018, 08:00 (London)" in body
    assert not [code for code in RULES if code in body]
    copy = plain_body(issued("operator", **no_trade("UNITS_DRIFT")))
    assert "UNITS_DRIFT" in copy
    assert "To clear it:" in copy


def test_every_rule_has_her_words_and_none_says_a_code() -> None:
    assert set(HER_WORDS) == set(RULES)
    assert not [word for sentence in HER_WORDS.values() for word in sentence.split() if "_" in word]
    assert in_her_words(["UNITS_DRIFT", "SNAPSHOT_STALE", "CASH_DRIFT"])[0].endswith("as eToro shows them.")
    assert len(in_her_words(["UNITS_DRIFT", "CASH_DRIFT"])) == 1


def test_a_withdrawal_begins_with_do_nothing_more() -> None:
    for book in ("live", "paper", "sim"):
        letter = ticket_letters.withdrawn(make_content(book=book), "the price source was wrong")
        for words in (letter.subject, plain_body(letter), letter.sentence):
            assert words.startswith("DO NOTHING MORE")
        assert "the price source was wrong" in plain_body(letter)
        assert (book == "live") is ("DO NOT EXECUTE" not in letter.subject)


MISSING = (LineAnswer("2018-02-02", 2, "MSFT", "SELL", None), LineAnswer("2018-02-02", 3, "NVDA", "BUY", None))


@pytest.mark.parametrize(
    ("kind", "clock", "subject", "said"),
    [
        (messages.WINDOW_OPEN, "14:45", "It is time: 2 lines on eToro until 16:45", "At 16:45 stop"),
        (messages.REMINDER, "20:00", "Please answer 2 lines by 21:00", "trade nothing now"),
        (messages.DEADLINE, "21:00", "Answers were due at 21:00: 2 lines open", "which was due today at 21:00"),
        (messages.ESCALATION, "21:30", "No answer to 2 lines of 2018-W05, due today at 21:00", "Ask Mum"),
    ],
)
def test_reminders_name_the_open_lines_and_the_hour(kind: str, clock: str, subject: str, said: str) -> None:
    content = make_content()
    now = dt.datetime.combine(dt.date(2018, 2, 5), dt.time.fromisoformat(clock), tzinfo=LONDON)
    letter = ticket_letters.missing_answers(kind, content, MISSING, "Mum", now)
    assert letter.subject_line == subject
    assert said in plain_body(letter)
    assert "2 · SELL MSFT" in plain_body(letter)
    assert letter.answers == "ticket:2018-02-02"


def test_the_morning_after_says_yesterday() -> None:
    content = make_content()
    now = dt.datetime(2018, 2, 6, 8, tzinfo=LONDON)
    letter = ticket_letters.missing_answers(messages.ESCALATION, content, MISSING[:1], "", now)
    assert letter.subject == "No answer to 1 line of 2018-W05, due yesterday at 21:00"
    assert "1 line of ticket 2018-W05 has no answer" in letter.sentence


# ---------------------------------------------------------------- nothing that is text becomes more than text

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
ROWS = st.lists(st.builds(Row, st.sampled_from(["title", "section", "strong", "text", "item"]), WORDS), max_size=8)


class Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags(letter: Letter) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html_body(letter))
    return parser.seen


@given(ROWS, WORDS, WORDS)
def test_no_text_becomes_a_tag_an_attribute_or_a_header(rows: list[Row], subject: str, link: str) -> None:
    letter = Letter(subject, (Row("strong", "x"), *rows), "s", f"http://desk/{link}")
    allowed = {"html", "head", "meta", "title", "body", "h1", "h2", "p", "strong", "ul", "li", "a"}
    assert {tag for tag, _ in tags(letter)} <= allowed
    assert {name for _, attrs in tags(letter) for name in attrs} <= {"lang", "charset", "style", "href"}
    mail = mime.build(letter, mailbox("Desk", "desk@home.test"), mailbox(subject, "a@b.test"), "<1@x>", SATURDAY)
    raw = mail.as_bytes()
    head = raw.split(b"\r\n\r\n")[0]
    names = {line.split(b":")[0] for line in head.split(b"\r\n") if line and not line.startswith((b" ", b"\t"))}
    assert names == {
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version", b"Content-Type",
    }  # fmt: skip


def test_markup_in_a_name_is_shown_and_not_obeyed() -> None:
    evil = "<script>alert(1)</script>\r\nBcc: all@evil.test\r\n\r\n<img src=x onerror=y>"
    letter = alert_letters.alert([Message(1, "source.down", None, {"sentence": evil}, SATURDAY)], "live")
    page = html_body(letter)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "\n" not in letter.subject_line
    raw = mime.build(letter, mailbox("D", "d@home.test"), mailbox(evil, "a@b.test"), "<1@x>", SATURDAY).as_string()
    assert not [line for line in raw.splitlines() if line.lower().startswith("bcc")]


@pytest.mark.parametrize("link", ["javascript:alert(1)", 'http://x/"onclick="y', "http://x/ y", "ftp://x/"])
def test_only_a_plain_web_address_becomes_a_link(link: str) -> None:
    letter = Letter("s", (Row("strong", "x"),), "s", link)
    assert not [tag for tag, _ in tags(letter) if tag == "a"]


@given(ROWS)
def test_the_stored_sheet_is_read_back_word_for_word(rows: list[Row]) -> None:
    def told(row: Row) -> bool:
        # The layout never begins a paragraph with the mark of a list or a heading, nor an empty one.
        return bool(row.clean.strip()) and not (
            row.kind == "text" and row.clean.lstrip().startswith(("- ", "# ", "## "))
        )

    kept = [Row(row.kind, " ".join(row.clean.split())) for row in rows if told(row)]
    assert text(rows_of_markdown(markdown(kept))) == text(kept)


@pytest.mark.parametrize("address", ["", "x", "a@b@c", "a b@c.test", "a@b.test\r\nBcc: c@d.test", "<a@b.test>", "a@"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        mailbox("x", address)


def test_a_message_id_is_the_same_for_the_same_mail_and_no_other() -> None:
    def of(home: str = "h", ids: tuple[int, ...] = (1,), to: Recipient = TO) -> str:
        return mime.message_id(home, ids, to)

    assert of() == of(to=replace(TO, name="another", role="operator"))
    others = [of("i"), of(ids=(2,)), of(ids=(1, 2)), of(to=replace(TO, address="op@home.test"))]
    assert len({of(), *others}) == 5


def test_alerts_of_a_kind_share_a_letter_and_say_what_to_do() -> None:
    said = {"sentence": "It is wrong.", "what_to_do": "Look."}
    rows = [
        Message(n, "check.failed", "2018-02-02", {"rule": rule, **said}, SATURDAY)
        for n, rule in enumerate(("UNITS_DRIFT", "CASH_DRIFT"))
    ]
    letter = alert_letters.alert(rows, "live")
    assert letter.subject.startswith("Desk: A rule failed (plan 2018-02-02): 2 messages, the first: UNITS_DRIFT")
    assert plain_body(letter).count("What to do: Look.") == 2


@pytest.mark.parametrize("payload", [{}, {"sentences": []}, {"odd": None, "list": [1, {"a": "<b>"}]}, {"sentence": 5}])
def test_an_alert_of_any_shape_is_shown(payload: dict[str, object]) -> None:
    letter = alert_letters.alert([Message(7, "something.odd", None, payload, SATURDAY)], "paper")
    assert letter.subject_line.startswith("PAPER - DO NOT EXECUTE · Desk: something, odd")
    assert plain_body(letter)


def test_secrets_are_taken_out_of_a_servers_words() -> None:
    assert outcomes.repeatable(b"550 no s3cret\r\n\x07here c2I=", ["s3cret"]) == "550 no [secret] here c2I="
    assert "[secret]" in outcomes.repeatable(b"AUTH czNjcmV0", ["s3cret"])
    assert len(outcomes.repeatable("x" * 1000, [])) == 200


# ---------------------------------------------------------------- trying again


def test_a_message_is_tried_for_about_three_days_ever_more_rarely() -> None:
    waits = [backoff.next_wait(n, "<1@x>") for n in range(1, backoff.TRIES + 1)]
    assert waits[-1] is None
    told = [w for w in waits if w is not None]
    assert dt.timedelta(seconds=45) <= told[0] <= dt.timedelta(seconds=75)
    assert max(told) <= dt.timedelta(hours=6)
    assert dt.timedelta(days=2) < sum(told, dt.timedelta()) < dt.timedelta(days=3.5)
    assert told == [backoff.next_wait(n, "<1@x>") for n in range(1, backoff.TRIES)]
    assert len({backoff.next_wait(5, f"<{n}@x>") for n in range(50)}) > 10


# ---------------------------------------------------------------- reminders

POLICY = committed_policy()


def facts(asof: dt.date = dt.date(2018, 2, 2), answered: tuple[int, ...] = (), withdrawn: bool = False) -> TicketFacts:
    times = plan_times(asof, POLICY)
    lines = tuple(
        LineAnswer(str(asof), n, f"S{n}", "BUY", "DONE" if n in answered else None) for n in (1, 2, 3)
    )  # fmt: skip
    opens = times.opens_at + dt.timedelta(days=7)
    return TicketFacts(
        str(asof), times.week, times.window_open, times.window_close, times.confirm_by, opens, withdrawn, lines
    )  # fmt: skip


def london(day: dt.date, clock: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), tzinfo=LONDON)


def due(ticket: TicketFacts, now: dt.datetime) -> set[tuple[str, int]]:
    return {(r.kind.removeprefix("ticket."), r.step) for r in due_reminders([ticket], [], now)}


WEEKS = [
    dt.date(2018, 2, 2),  # both in winter time
    dt.date(2018, 3, 9),  # America changes on Sunday 11 March: 4 hours apart
    dt.date(2018, 3, 23),  # Europe changes on Sunday 25 March
    dt.date(2018, 10, 26),  # Europe changes back on Sunday 28 October
    dt.date(2018, 7, 20),
]


@pytest.mark.parametrize("asof", WEEKS)
def test_reminders_come_at_their_london_hours_also_when_clocks_change(asof: dt.date) -> None:
    ticket = facts(asof)
    monday = asof + dt.timedelta(days=3)
    second = dt.timedelta(seconds=1)
    boundaries = [
        (ticket.window_open, set(), {("window", 1)}),
        (ticket.window_close, {("window", 1)}, set()),
        (london(monday, "20:00"), set(), {("reminder", 1)}),
        (london(monday, "21:00"), {("reminder", 1)}, {("deadline", 1)}),
        (london(monday, "21:30"), {("deadline", 1)}, {("deadline", 1), ("escalation", 1)}),
        (london(monday + dt.timedelta(days=1), "08:00"), {("deadline", 1), ("escalation", 1)}, {("escalation", 2)}),
        (ticket.next_plan_opens, {("escalation", 2)}, set()),
    ]
    for moment, before, after in boundaries:
        assert due(ticket, moment - second) == before, moment
        assert due(ticket, moment) == after, moment


def test_the_window_of_the_week_between_the_clock_changes_opens_an_hour_earlier_in_london() -> None:
    assert facts(dt.date(2018, 3, 9)).window_open.astimezone(LONDON).hour == 13
    assert facts(dt.date(2018, 3, 23)).window_open.astimezone(LONDON).hour == 14


def test_answered_and_withdrawn_tickets_remind_nobody() -> None:
    hours = [facts().window_open + dt.timedelta(minutes=10 * n) for n in range(1000)]
    for ticket in (facts(answered=(1, 2, 3)), facts(withdrawn=True), facts(answered=(1,), withdrawn=True)):
        assert not [r for now in hours for r in due_reminders([ticket], [], now)]
    assert [r for now in hours for r in due_reminders([facts(answered=(1, 2))], [], now)]


def test_however_often_it_is_looked_a_ticket_has_five_keys() -> None:
    hours = [facts().window_open + dt.timedelta(minutes=n) for n in range(0, 8000, 7)]
    keys = {r.dedupe_key for now in hours for r in due_reminders([facts()], [], now)}
    assert len(keys) == 5


@pytest.mark.parametrize("asof", [*WEEKS, dt.date(2018, 3, 29)])  # the last one is the Thursday before Good Friday
def test_the_account_check_is_asked_for_after_the_close_and_on_saturday(
    asof: dt.date,
) -> None:
    times = plan_times(asof, POLICY)
    check = AccountCheckFacts(str(asof), close_utc(asof), times.decide_by, "The newest snapshot is 12 days old.")

    def asked(now: dt.datetime) -> list[Reminder]:
        return list(due_reminders([], [check], now))

    evening = close_utc(asof) + dt.timedelta(minutes=15)
    saturday = london(times.decide_by.astimezone(LONDON).date() - dt.timedelta(days=1), "10:00")
    second = dt.timedelta(seconds=1)
    assert asked(evening - second) == []
    assert [r.step for r in asked(evening)] == [1]
    assert [r.step for r in asked(saturday)] == [2]
    assert [r.step for r in asked(times.decide_by - second)] == [2]
    assert asked(times.decide_by) == []
    assert due_reminders([], [replace(check, lacking="")], evening) == ()


def test_every_kind_of_message_with_its_own_readers_is_written_by_something() -> None:
    written = " ".join(inspect.getsource(module) for module in (reminders, tickets, writing))
    names = {value: name for name, value in vars(messages).items() if isinstance(value, str)}
    names |= dict.fromkeys(messages.REPORT_OF.values(), "REPORT_OF")
    assert [kind for kind in messages.AUDIENCES if f'"{kind}"' not in written and names[kind] not in written] == []


def test_who_is_told() -> None:
    assert messages.audience("ticket.issued") == ("executor", "operator")
    assert messages.audience("ticket.escalation") == ("operator",)
    assert messages.audience("ticket.deadline") == ("executor",)
    assert messages.audience("anything.else") == ("operator",)
