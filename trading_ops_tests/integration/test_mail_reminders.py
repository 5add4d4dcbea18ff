"""Reminders from the facts to the phone, the push channel, and the commands."""

import datetime as dt
import json
import logging
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from trading_ops.comms.reminding import remind, ticket_facts
from trading_ops.domain.calendar import LONDON, close_utc
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.settings import Settings
from trading_ops.store import broker, configuration, plans, tickets
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.mail_factory import ASOF, EXECUTOR, OPERATOR, SATURDAY, PostDesk, post_desk
from trading_ops_tests.integration.smtp_server import LATER, REFUSED, SENDER, MailServer

MONDAY = dt.date(2018, 2, 5)


def london(clock: str, day: dt.date = MONDAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), tzinfo=LONDON).astimezone(dt.UTC)


@pytest.fixture
def post(fresh_home: Settings) -> Iterator[PostDesk]:
    """A paper desk with an executor and an operator."""
    with opened(fresh_home) as conn:
        made = post_desk(fresh_home, conn)
        made.both()
        yield made


def minutes(post: PostDesk, first: dt.datetime, last: dt.datetime, every: int = 5) -> None:
    """The two sensors' work, again and again."""
    now = first
    while now <= last:
        remind(post.conn, now)
        post.send(now)
        now += dt.timedelta(minutes=every)


def test_a_day_without_answers_reminds_each_once(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        post.send()
        post.answer(ticket.plan_id, 1)
        minutes(post, london("14:00"), london("12:00", MONDAY + dt.timedelta(days=1)))
    hers = [m.subject.removeprefix("PAPER - DO NOT EXECUTE · ") for m in server.to(EXECUTOR)]
    assert hers == [
        "4 things to do on eToro, about 10 minutes · Mon 5 Feb",
        "It is time: 3 lines on eToro until 16:45",
        "Please answer 3 lines by 21:00",
        "Answers were due at 21:00: 3 lines open",
    ]
    his = [m.subject.removeprefix("PAPER - DO NOT EXECUTE · ") for m in server.to(OPERATOR)]
    assert his[1:] == [
        "No answer to 3 lines of 2018-W05, due today at 21:00",
        "No answer to 3 lines of 2018-W05, due yesterday at 21:00",
    ]
    assert {m.mail["In-Reply-To"] for m in server.to(EXECUTOR)[1:]} == {server.to(EXECUTOR)[0].identity}


def test_answered_between_the_reminder_and_its_mail_is_not_sent(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        post.send()
        assert [r.kind for r in remind(post.conn, london("20:00"))] == ["ticket.reminder"]
        post.answer(ticket.plan_id, 1, 2, 3, 4)
        assert post.send(london("20:01")).counts == Counter(superseded=1)
        assert post.tries()[-1][3] == "superseded: every line has been answered meanwhile"
        minutes(post, london("20:05"), london("22:00"))
    assert len(server.received) == 2


def test_a_reminder_whose_hour_is_over_is_not_sent(post: PostDesk) -> None:
    with MailServer() as server:
        post.issue()
        remind(post.conn, london("20:00"))  # mail is off
        post.write(server.settings())
        remind(post.conn, london("21:10"))
        post.send(london("21:10"))
    assert ["Please answer" in m.subject for m in server.to(EXECUTOR)[1:]] == [False]
    assert "superseded: its time was over" in [t[3] for t in post.tries()]


def test_a_withdrawn_ticket_reminds_nobody(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        post.send()
        remind(post.conn, london("14:45"))
        with post.conn.transaction():
            tickets.withdraw(post.conn, ticket.ticket_id, "wrong prices", "op")
        minutes(post, london("14:50"), london("23:00"))
    assert [m.subject.split(" · ")[0] for m in server.to(EXECUTOR)[1:]] == ["DO NOTHING MORE"]


def test_a_reminder_does_not_overtake_the_mail_of_its_ticket(post: PostDesk) -> None:
    with MailServer(then=(LATER,)) as server:
        post.write(server.settings())
        post.issue()
        late = london("14:44")
        assert post.send(late).counts == Counter(deferred=1, sent=1), "hers was put off, his was taken"
        assert [r.kind for r in remind(post.conn, london("14:45"))] == ["ticket.window"]
        held = post.send(late + dt.timedelta(seconds=30))
        assert (held.counts, held.waiting) == (Counter(), 2)
        assert server.to(EXECUTOR) == []
        assert post.send(late + dt.timedelta(minutes=3)).counts == Counter(sent=2)
    assert [m.subject.partition(" · ")[2][:10] for m in server.to(EXECUTOR)] == ["4 things t", "It is time"]


def test_a_reminder_goes_out_with_its_link_when_the_mail_of_its_ticket_was_given_up(post: PostDesk) -> None:
    with MailServer(refuse={EXECUTOR: REFUSED}) as server:
        post.write(server.settings())
        ticket = post.issue()
        assert post.send().counts == Counter(dead=1, sent=1)
        server.refuse.clear()
        remind(post.conn, london("14:45"))
        assert post.send(london("14:45")).counts == Counter(sent=1)
    (mail,) = server.to(EXECUTOR)
    assert f"/confirm/{ticket.ticket_id}" in mail.text


def test_a_withdrawal_waits_for_nothing(post: PostDesk) -> None:
    with MailServer(then=(LATER,)) as server:
        post.write(server.settings())
        ticket = post.issue()
        post.send()
        with post.conn.transaction():
            tickets.withdraw(post.conn, ticket.ticket_id, "wrong prices", "op")
        post.send(SATURDAY + dt.timedelta(seconds=5))
    assert [m.subject[:15] for m in server.to(EXECUTOR)] == ["DO NOTHING MORE"]


def test_a_test_ticket_ages_as_any_other_and_lists_by_its_session(post: PostDesk) -> None:
    first, last = dt.date(2018, 1, 12), dt.date(2018, 2, 2)
    post.issue(asof=last)
    post.issue(asof=first, test=True)
    assert [t.plan_id for t in tickets.every(post.conn)] == ["test-2018-01-12", "2018-02-02"]

    def reminded(now: dt.datetime) -> list[str]:
        return [facts.plan_id for facts in ticket_facts(post.conn, now)]

    assert reminded(dt.datetime(2018, 2, 1, tzinfo=dt.UTC)) == ["test-2018-01-12", "2018-02-02"]
    assert reminded(london("14:45")) == ["2018-02-02"]
    post.answer("2018-02-02", 1, 2, 3, 4)
    assert reminded(london("14:45")) == [], "nothing can be reminded of any more"


def test_a_simulated_book_reminds_nobody(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn, "sim")
        post.issue()
        assert remind(conn, london("20:00")) == ()


def test_the_account_check_is_asked_for_until_it_is_there(post: PostDesk) -> None:
    with post.conn.transaction():
        plans.register(post.conn, ASOF, configuration.policy_in_force(post.conn).policy)
    evening = close_utc(ASOF) + dt.timedelta(minutes=15)
    assert remind(post.conn, evening - dt.timedelta(minutes=1)) == ()
    with MailServer() as server:
        post.write(server.settings())
        minutes(post, evening, evening + dt.timedelta(hours=14), 60)
        for address in (EXECUTOR, OPERATOR):
            assert [m.subject for m in server.to(address)] == [
                "PAPER - DO NOT EXECUTE · Account check, about 2 minutes · by Sun 4 Feb 18:00"
            ] * 2
        assert server.received[0].links == ["http://desk.lan:8501/snapshot"]
        with post.conn.transaction():
            broker.add_snapshot(
                post.conn, taken_at=evening, session=ASOF, cash_gbp=Decimal(100), holdings={}, origin="a test",
                entered_by="mum",
            )  # fmt: skip
        assert remind(post.conn, london("11:00", dt.date(2018, 2, 4))) == ()


# ---------------------------------------------------------------- push


def test_a_push_says_the_gist_and_its_address_is_shown_nowhere(
    post: PostDesk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[Asked] = []
    status = [500, 200]

    def answer(asked: Asked) -> Reply:
        told.append(asked)
        return Reply(b"{}", status.pop(0))

    with LocalSource(answer) as service:
        host = service.url.removeprefix("http://")
        post.write(f"APPRISE_URLS=json://{host}/t0psecret-topic?method=GET\n")
        post.issue()
        tally = post.send()
        assert tally.counts == Counter(deferred=1)
        assert "the push service did not take it" in tally.sentence
        assert post.send(SATURDAY + dt.timedelta(minutes=2)).counts == Counter(sent=1)
    assert len(told) == 2
    ((address, *_), _) = post.tries()
    assert address.startswith("json-")
    assert "t0psecret" not in str(post.tries()) + tally.sentence + repr(post.sender()) + "".join(
        r.getMessage() for r in caplog.records if r.name.startswith("apprise")
    )


# ---------------------------------------------------------------- commands


def test_status_says_that_mail_is_off(post: PostDesk) -> None:
    post.issue()
    done = run(post.home, "mail", "status")
    assert done.code == 0
    assert done.out.startswith("Mail is off: SMTP_HOST is not set in secrets/secrets.env.\n")
    assert "2 waiting" in done.out
    facts = json.loads(run(post.home, "mail", "status", "--json").out)
    assert (facts["mail"], facts["waiting"], facts["dead"]) == ("off", 2, 0)
    assert run(post.home, "mail", "test", EXECUTOR).code == 1


def test_send_retry_and_status_on_the_command_line(post: PostDesk) -> None:
    with MailServer(refuse={OPERATOR: REFUSED}) as server:
        post.write(server.settings())
        number = post.tell()
        sent = run(post.home, "mail", "send")
        assert sent.code == 1
        assert "1 dead" in sent.out
        status = run(post.home, "mail", "status")
        assert "No such user here" in status.out
        assert run(post.home, "mail", "retry").code == 1
        assert run(post.home, "mail", "retry", "999").code == 1
        server.refuse.clear()
        assert "1 put back" in run(post.home, "mail", "retry", str(number)).out
        assert run(post.home, "mail", "retry", "--dead").out.startswith("0 put back")
        assert run(post.home, "mail", "send").out == "1 sent.\n"
        tried = run(post.home, "mail", "test", "else@home.test")
        assert tried.code == 0
        assert server.to("else@home.test")[0].subject == "Test of the desk's mail"
        assert server.to("else@home.test")[0].mail["From"] == SENDER
        assert run(post.home, "mail", "test", "a@b.test\nBcc: c@d.test").code == 1


def test_status_names_who_has_no_address(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        post_desk(fresh_home, conn).issue()
    assert "No active executor has an address: 1 messages wait for one." in run(fresh_home, "mail", "status").out


def test_a_simulated_book_is_sent_when_asked(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn, MailServer() as server:
        post = post_desk(fresh_home, conn, "sim")
        post.both()
        post.write(server.settings())
        post.issue()
        assert "kept and sent to nobody" in run(fresh_home, "mail", "status").out
        assert "simulated" in run(fresh_home, "mail", "send").out
        assert run(fresh_home, "mail", "send", "--even-simulated").out == "2 sent.\n"
