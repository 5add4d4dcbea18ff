"""The post against a real mail server and a real PostgreSQL: once each, never lost, never shown what is secret."""

import datetime as dt
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from trading_ops.comms import sending, setup, smtp
from trading_ops.comms.sending import drain
from trading_ops.domain.errors import ConfigError, Refused
from trading_ops.settings import Settings, shipped
from trading_ops.store import outbox, source_keys, tickets
from trading_ops.store.errors import SecretsTooOpen
from trading_ops.store.secrets_env import FILE
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.mail_factory import EXECUTOR, HASTY, OPERATOR, SATURDAY, PostDesk, post_desk, renamed
from trading_ops_tests.integration.smtp_server import (
    HANG_UP,
    LATER,
    REFUSED,
    Certificate,
    MailServer,
    MuteServer,
    closed_port,
    make_certificate,
)
from trading_ops_tests.unit.ticket_factory import rule_failed

MINUTE = dt.timedelta(minutes=1)
SECRET = "s3ntinel-passw0rd/never+shown"
WINDOW_CLOSE = dt.datetime(2018, 2, 5, 16, 45, tzinfo=dt.UTC)


@pytest.fixture
def post(fresh_home: Settings) -> Iterator[PostDesk]:
    """A paper desk with an executor and an operator."""
    with opened(fresh_home) as conn:
        made = post_desk(fresh_home, conn)
        made.both()
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def test_a_ticket_is_one_mail_to_each(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        assert post.send().sentence == "2 sent."
        assert post.send().sentence == "Nothing to send."
    (hers,), (copy,) = server.to(EXECUTOR), server.to(OPERATOR)
    assert hers.subject == "PAPER - DO NOT EXECUTE · 4 things to do on eToro, about 10 minutes · Mon 5 Feb"
    assert copy.subject.startswith("PAPER - DO NOT EXECUTE · Copy: 4 things")
    assert hers.links == [f"http://desk.lan:8501/confirm/{ticket.ticket_id}"]
    assert "Close the whole position opened 2 Jan 2018: 3.104512 units" in hers.text
    assert 'href="http://desk.lan:8501/confirm/2018-W05"' in hers.html
    assert hers.mail["Auto-Submitted"] == "auto-generated"
    assert hers.mail["Date"].datetime == SATURDAY
    assert hers.mail["To"] == "Mum <mum@home.test>"
    assert [t[:3] for t in post.tries()] == [(EXECUTOR, "sent", 1), (OPERATOR, "sent", 1)]


def test_no_trade_goes_out_too(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        post.issue(failed=[rule_failed("SNAPSHOT_STALE", "12 days", "8 days", "Too old.")])
        post.send()
    assert server.to(EXECUTOR)[0].subject == "PAPER - DO NOT EXECUTE · Nothing to do this week · 2018-W05"
    assert "SNAPSHOT_STALE" not in server.to(EXECUTOR)[0].text
    assert "SNAPSHOT_STALE" in server.to(OPERATOR)[0].text


def test_a_greylisting_server_gets_the_same_mail_again_later(post: PostDesk) -> None:
    with MailServer(then=(LATER,)) as server:
        post.write(server.settings())
        number = post.tell()
        tally = post.send()
        assert tally.counts == Counter(deferred=1)
        assert "451" in tally.sentence
        (first,) = outbox.waiting(post.conn, SATURDAY)
        assert first.next_at is not None
        assert 45 <= (first.next_at - SATURDAY).total_seconds() <= 75
        assert post.send(SATURDAY + 30 * MINUTE / 60).sentence == "Nothing to send; 1 wait for later."
        assert post.send(SATURDAY + 2 * MINUTE).counts == Counter(sent=1)
    tries = outbox.deliveries(post.conn, number)
    assert [t.outcome for t in tries] == ["deferred", "sent"]
    assert tries[0].message_id == tries[1].message_id == server.received[0].identity
    assert "Greylisting" in tries[0].detail


def test_a_refused_address_is_dead_with_the_servers_words_and_holds_up_nobody(post: PostDesk) -> None:
    with MailServer(refuse={EXECUTOR: REFUSED}) as server:
        post.write(server.settings())
        post.issue()
        tally = post.send()
        assert tally.counts == Counter(sent=1, dead=1)
        assert len(server.to(OPERATOR)) == 1
        (given,) = outbox.dead(post.conn)
        assert (given.address, given.detail) == (EXECUTOR, "550 5.1.1 No such user here")
        assert post.send(SATURDAY + 60 * MINUTE).sentence == "Nothing to send."
        server.refuse.clear()
        with post.conn.transaction():
            assert outbox.requeue(post.conn, given.outbox_id, "op", SATURDAY) == (given,)
        assert outbox.dead(post.conn) == ()
        assert post.send().counts == Counter(sent=1)
        with pytest.raises(Refused, match="not given up"), post.conn.transaction():
            outbox.requeue(post.conn, given.outbox_id, "op", SATURDAY)
    assert [t[:3] for t in post.tries() if t[0] == EXECUTOR] == [
        (EXECUTOR, "dead", 1), (EXECUTOR, "requeued", 2), (EXECUTOR, "sent", 3),
    ]  # fmt: skip


def test_a_mail_refused_after_its_text_is_dead_too(post: PostDesk) -> None:
    with MailServer(then=("554 5.7.1 looks like spam",)) as server:
        post.write(server.settings())
        post.tell()
        assert post.send().counts == Counter(dead=1)
    assert outbox.dead(post.conn)[0].detail == "554 5.7.1 looks like spam"


def test_a_connection_cut_after_the_text_repeats_the_same_message_id(post: PostDesk) -> None:
    with MailServer(then=(HANG_UP,)) as server:
        post.write(server.settings())
        post.tell()
        assert post.send().counts == Counter(deferred=1)
        assert post.send(SATURDAY + 2 * MINUTE).counts == Counter(sent=1)
    assert server.cut[0].identity == server.received[0].identity


def test_a_crash_between_the_server_and_the_books_repeats_the_same_message_id(
    post: PostDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crashed(BaseException):
        pass

    def crash(*_: Any) -> None:
        raise Crashed

    with MailServer() as server:
        post.write(server.settings())
        post.issue()
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "record", crash)
            with pytest.raises(Crashed):
                post.send()
        assert post.tries() == []
        assert post.send(SATURDAY + MINUTE).counts == Counter(sent=2)
    identities = [mail.identity for mail in server.to(EXECUTOR)]
    assert len(identities) == 2
    assert len(set(identities)) == 1


def test_six_senders_send_each_of_twenty_once(post: PostDesk) -> None:
    numbers = [post.tell(f"kind.{n}") for n in range(20)]
    with MailServer() as server:
        post.write(server.settings())
        together, failures = threading.Barrier(6), []

        def work() -> None:
            try:
                with opened(post.home) as conn:
                    together.wait(60)
                    for _ in range(3):
                        # A busy machine may take longer for an answer than the tests of a dead server wait for one.
                        drain(replace(post.sender(conn=conn), limits=smtp.USUAL))
            except BaseException as exc:
                failures.append(exc)
                raise

        workers = [threading.Thread(target=work) for _ in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(300)
        assert not any(worker.is_alive() for worker in workers), "a sender is still at work"
    assert not failures
    assert server.offered == 20
    assert len({mail.identity for mail in server.received}) == 20
    assert sorted(n for n in numbers if [t[1] for t in post.tries(n)] == ["sent"]) == numbers


def test_mails_leave_in_the_order_they_were_written(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        for n in range(5):
            post.tell(f"kind.{n}")
        post.send()
    assert [f"kind, {n}" in mail.subject for n, mail in enumerate(server.received)] == [True] * 5


def test_thirty_failed_rules_are_one_mail_and_thirty_deliveries(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        for n in range(30):
            post.tell("check.failed", rule=f"RULE_{n}")
        assert post.send().counts == Counter(sent=30)
    (mail,) = server.received
    assert "30 messages, the first: RULE_0" in mail.subject
    assert all(f"RULE_{n}:" in mail.text for n in range(30))
    assert {t[1] for t in post.tries()} == {"sent"}


# ---------------------------------------------------------------- who is there


def test_without_an_address_a_message_waits_and_is_not_lost(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn, MailServer() as server:
        post = post_desk(fresh_home, conn)
        post.write(server.settings())
        post.issue()
        assert post.send().sentence == "Nothing to send."
        assert outbox.status(conn, SATURDAY).without_address == {"executor": 1, "operator": 1}
        post.person("op", "operator", OPERATOR)
        assert post.send().counts == Counter(sent=1)
        assert outbox.status(conn, SATURDAY).without_address == {"executor": 1}
        post.person("mum", "executor", EXECUTOR)
        assert post.send().counts == Counter(sent=1)
        assert outbox.status(conn, SATURDAY).without_address == {}


def test_a_newcomer_is_not_told_what_others_were_told_long_ago(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        post.tell()
        post.send()
        post.person("second", "operator", "second@home.test")
        today = dt.datetime.now(dt.UTC)
        assert post.send(today + dt.timedelta(days=5)).counts == Counter()
        assert post.send(today + dt.timedelta(days=1)).counts == Counter(sent=1)


def test_one_address_for_both_roles_gets_one_ticket(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn, MailServer() as server:
        post = post_desk(fresh_home, conn)
        post.person("mum", "executor", EXECUTOR)
        post.person("boss", "operator", EXECUTOR)
        post.write(server.settings())
        post.issue()
        assert post.send().counts == Counter(sent=1)
    assert "Copy:" not in server.received[0].subject


def test_markup_and_headers_in_a_name_stay_text(post: PostDesk) -> None:
    evil = "<script>x</script>\r\nBcc: all@evil.test\r\n\r\nhello"
    with MailServer() as server:
        post.write(server.settings())
        post.issue(change=renamed(evil))
        post.tell(sentence=evil, reason=evil)
        post.send()
    assert {mail.to for mail in server.received} == {EXECUTOR, OPERATOR}
    for mail in server.received:
        assert mail.mail["Bcc"] is None
        assert "<script" not in mail.html
        assert "&lt;script&gt;" in mail.html
        assert "Bcc: all@evil.test" in mail.text  # as words of a line


# ---------------------------------------------------------------- what is not true any more


def test_a_withdrawn_ticket_is_not_sent_and_its_withdrawal_is(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        with post.conn.transaction():
            tickets.withdraw(post.conn, ticket.ticket_id, "wrong prices\r\nBcc: x@y.test", "op")
        assert post.send().counts == Counter(superseded=2, sent=2)
        assert {m.subject.split(" · ")[0] for m in server.received} == {"DO NOTHING MORE"}
        assert server.received[0].text.startswith("DO NOTHING MORE.")
        assert outbox.dead(post.conn) == ()
        gone = outbox.dead(post.conn, superseded=True)
        assert {g.detail for g in gone} == {"superseded: ticket 2018-W05 was withdrawn"}
        with pytest.raises(Refused, match="no longer true"), post.conn.transaction():
            outbox.requeue(post.conn, gone[0].outbox_id, "op", SATURDAY)


def test_a_withdrawal_belongs_to_the_mail_of_its_ticket(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        post.send()
        with post.conn.transaction():
            tickets.withdraw(post.conn, ticket.ticket_id, "wrong prices", "op")
        post.send(SATURDAY + MINUTE)
    for address in (EXECUTOR, OPERATOR):
        issued, withdrawn = server.to(address)
        assert withdrawn.mail["In-Reply-To"] == issued.identity
        assert withdrawn.mail["References"] == issued.identity


@pytest.mark.parametrize(("late", "counts"), [(23, Counter(sent=2)), (25, Counter(superseded=2))])
def test_a_ticket_is_not_sent_a_day_after_its_window(post: PostDesk, late: int, counts: Counter[str]) -> None:
    with MailServer() as server:
        post.write(server.settings())
        post.issue()
        assert post.send(WINDOW_CLOSE + dt.timedelta(hours=late)).counts == counts
    assert all("Too late to trade" in mail.subject for mail in server.received)


def test_an_alert_that_nobody_could_be_told_of_for_weeks_is_listed_and_not_sent(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        post.tell()
        assert post.send(dt.datetime.now(dt.UTC) + dt.timedelta(days=15)).counts == Counter(superseded=1)
    assert server.received == []


def test_a_withdrawal_of_weeks_ago_is_listed_and_not_sent(post: PostDesk) -> None:
    with MailServer() as server:
        post.write(server.settings())
        ticket = post.issue()
        with post.conn.transaction():
            tickets.withdraw(post.conn, ticket.ticket_id, "wrong prices", "op")
        assert post.send(dt.datetime.now(dt.UTC) + dt.timedelta(days=15)).counts == Counter(superseded=4)
    assert server.received == []


# ---------------------------------------------------------------- a simulated book


def test_a_simulated_book_tells_nobody_unless_asked(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn, MailServer() as server:
        post = post_desk(fresh_home, conn, "sim")
        post.both()
        post.write(server.settings())
        post.issue()
        years_later = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
        assert "simulated" in post.send(years_later).sentence
        assert server.received == []
        assert post.send(years_later, even_simulated=True).counts == Counter(sent=2)
        post.issue(asof=dt.date(2018, 2, 9))
        post.write(server.settings(MAIL_SIMULATED="yes"))
        assert post.send(years_later).counts == Counter(sent=2)
    assert {mail.subject[:28] for mail in server.received} == {"SIMULATED - DO NOT EXECUTE ·"}


# ---------------------------------------------------------------- the way out: locks, keys and silence


def test_starttls_and_login(post: PostDesk, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate.trusting["SSL_CERT_FILE"])
    with MailServer(security="starttls", certificate=certificate, login=("desk", SECRET)) as server:
        post.write(server.settings())
        post.tell()
        assert post.send().counts == Counter(sent=1)
    assert server.received[0].user == "desk"
    assert server.received[0].encrypted


def test_tls_from_the_first_byte(post: PostDesk, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate.trusting["SSL_CERT_FILE"])
    with MailServer(security="tls", certificate=certificate) as server:
        post.write(server.settings())
        post.tell()
        assert post.send().counts == Counter(sent=1)
    assert server.received[0].encrypted


def test_a_certificate_that_nobody_vouches_for_gets_no_mail(post: PostDesk, certificate: Certificate) -> None:
    with MailServer(security="starttls", certificate=certificate, login=("desk", SECRET)) as server:
        post.write(server.settings())
        post.tell()
        tally = post.send()
        assert tally.counts == Counter(deferred=1)
        assert "certificate" in tally.sentence
    assert server.offered == 0


def test_a_server_without_starttls_gets_neither_password_nor_mail(post: PostDesk) -> None:
    with MailServer(login=("desk", SECRET)) as server:
        post.write(server.settings(SMTP_SECURITY="starttls"))
        post.tell()
        assert post.send().counts == Counter(deferred=1)
    assert "STARTTLS" in post.tries()[0][3]
    assert server.offered == 0


def test_a_wrong_password_is_no_messages_end_and_is_shown_nowhere(
    post: PostDesk,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SSL_CERT_FILE", certificate.trusting["SSL_CERT_FILE"])
    with MailServer(security="starttls", certificate=certificate, login=("desk", "right")) as server:
        post.write(server.settings(SMTP_PASSWORD=SECRET))
        post.issue()
        tally = post.send()
        assert tally.counts == Counter(deferred=1)  # the other was not even tried at a server that lets nobody in
        assert "refuses the login" in tally.sentence
        shown = [tally.sentence, str(post.tries()), repr(setup.read(post.home)), repr(post.sender())]
        post.write(server.settings(SMTP_PASSWORD="right"))
        assert post.send(SATURDAY + 2 * MINUTE).counts == Counter(sent=2)
    captured = capfd.readouterr()
    for words in (*shown, caplog.text, captured.out, captured.err):
        assert SECRET not in words


def test_a_server_that_repeats_the_password_is_not_repeated(post: PostDesk) -> None:
    with MailServer(refuse={OPERATOR: f"550 you said {SECRET}"}, login=("desk", SECRET)) as server:
        post.write(server.settings())
        post.tell()
        post.send()
    assert post.tries()[0][3] == "550 you said [secret]"


@pytest.mark.parametrize("drip", [None, 0.1])
def test_a_server_that_says_nothing_or_never_ends_is_given_up(post: PostDesk, drip: float | None) -> None:
    with MuteServer(drip) as mute:
        post.write(f"SMTP_HOST=127.0.0.1\nSMTP_PORT={mute.port}\nSMTP_SECURITY=none\nMAIL_FROM=desk@home.test\n")
        post.issue()
        began = dt.datetime.now(dt.UTC)
        tally = post.send()
        assert (dt.datetime.now(dt.UTC) - began).total_seconds() < 5
        assert tally.counts == Counter(deferred=1)
        assert tally.waiting == 2


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_knock_is_answered_and_shows_no_password(
    post: PostDesk, security: str, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate.trusting["SSL_CERT_FILE"])
    with MailServer(security=security, certificate=certificate, login=("desk", "another")) as server:
        post.write(server.settings(SMTP_PASSWORD=SECRET))
        assert knock(post) is None  # a login would be refused
    assert knock(post) == "Connection refused"


@pytest.mark.parametrize("drip", [None, 0.1])
def test_a_knock_at_a_server_that_says_nothing_or_never_ends_is_given_up(post: PostDesk, drip: float | None) -> None:
    with MuteServer(drip) as mute:
        post.write(f"SMTP_HOST=127.0.0.1\nSMTP_PORT={mute.port}\nSMTP_SECURITY=none\nMAIL_FROM=desk@home.test\n")
        began = dt.datetime.now(dt.UTC)
        assert knock(post)
        assert (dt.datetime.now(dt.UTC) - began).total_seconds() < 5


def knock(post: PostDesk) -> str | None:
    server = setup.read(post.home).smtp
    assert server is not None
    return smtp.knock(server, HASTY)


def test_a_server_that_is_down_delays_and_after_three_days_ends(post: PostDesk) -> None:
    post.write(f"SMTP_HOST=localhost\nSMTP_PORT={closed_port()}\nSMTP_SECURITY=none\nMAIL_FROM=desk@home.test\n")
    number = post.tell()
    now, passes = dt.datetime.now(dt.UTC), 0
    began = now
    while outbox.dead(post.conn) == ():
        (wait,) = outbox.waiting(post.conn, now)
        now = wait.next_at or now
        post.send(now)
        passes += 1
        assert passes < 50
    assert passes == 20
    assert dt.timedelta(days=2) < now - began < dt.timedelta(days=3.5)
    assert outbox.dead(post.conn)[0].detail.startswith("given up after 20 tries: localhost:")
    with post.conn.transaction():
        outbox.requeue(post.conn, number, "op", now)
    assert post.send(now).counts == Counter(deferred=1)  # the count begins anew
    with MailServer() as server:
        post.write(server.settings())
        assert post.send(now + 2 * MINUTE).counts == Counter(sent=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SMTP_HOST=mail.home.test\nSMTP_SECURITY=none\nMAIL_FROM=a@b.test\n", "this machine only"),
        ("SMTP_HOST=mail.home.test\nSMTP_SECURITY=ssl\nMAIL_FROM=a@b.test\n", "SMTP_SECURITY"),
        ("SMTP_HOST=localhost\nSMTP_PORT=99999\nMAIL_FROM=a@b.test\n", "SMTP_PORT"),
        ("SMTP_HOST=localhost\n", "MAIL_FROM is missing"),
        ("SMTP_HOST=localhost\nMAIL_FROM=nobody\n", "no mail address"),
        (f"SMTP_HOST=localhost\nMAIL_FROM=a@b.test\nSMTP_PASSWORD={SECRET}\n", "belong together"),
        ("SMTP_HOST=example.com\nMAIL_FROM=a@b.test\n", "placeholder"),
        ("MAIL_SIMULATED=maybe\n", "MAIL_SIMULATED"),
        (f"SMTP_PASSWORT={SECRET}\n", "SMTP_PASSWORT is unknown"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_without_showing_them(
    fresh_home: Settings, text: str, words: str
) -> None:
    post = PostDesk(fresh_home, None, "paper")  # type: ignore[arg-type]
    post.write(text)
    with pytest.raises(ConfigError, match=words) as refused:
        setup.read(fresh_home)
    assert FILE in str(refused.value)
    assert SECRET not in str(refused.value)


def test_settings_that_others_can_read_are_refused(post: PostDesk) -> None:
    post.write("SMTP_HOST=localhost\nMAIL_FROM=a@b.test\n")
    (post.home.secrets_dir / FILE).chmod(0o640)
    with pytest.raises(SecretsTooOpen, match="chmod 600"):
        post.send()


def test_the_keys_of_the_sources_stand_beside_the_mail(post: PostDesk) -> None:
    post.write(
        "TIINGO_TOKEN=abc\nSMTP_HOST=localhost\nSMTP_USER=u\nSMTP_PASSWORD=app pass word\nMAIL_FROM=D <a@b.test>\n"
    )
    assert source_keys.read(post.home) == {"TIINGO_TOKEN": "abc"}
    smtp = setup.read(post.home).smtp
    assert smtp is not None
    assert (smtp.port, smtp.security, smtp.password, smtp.sender.display_name) == (
        587,
        "starttls",
        "app pass word",
        "D",
    )


def test_without_settings_mail_is_off_in_one_sentence(post: PostDesk) -> None:
    post.issue()
    assert post.send().sentence == setup.OFF
    assert post.tries() == []


def test_the_shipped_example_can_be_read(post: PostDesk) -> None:
    post.write(shipped("config", "secrets.env.example").read_text())
    assert setup.read(post.home).off


def test_a_sender_behind_the_times_sees_what_others_did(post: PostDesk) -> None:
    """The list it works on is old; what counts is read again behind the lock."""
    with MailServer() as server:
        post.write(server.settings())
        post.tell()
        stale = sending.batches(outbox.waiting(post.conn, SATURDAY))
        post.send()
        with post.conn.transaction():
            assert sending._deliver(post.sender(), stale[0], "paper") == (None, 0)
    assert len(server.received) == 1


def test_another_senders_message_is_left_to_it(post: PostDesk) -> None:
    with MailServer() as server, opened(post.home) as other:
        post.write(server.settings())
        number = post.tell()
        with other.transaction():
            assert outbox.lock(other, number)
            assert post.send().counts == Counter()
        assert post.send().counts == Counter(sent=1)


def test_the_pages_roles_can_read_the_post(post: PostDesk) -> None:
    post.tell()
    for role in ("operator_ui", "executor_ui"):
        with opened(post.home, role) as conn:
            assert outbox.status(conn).waiting == 1
            assert outbox.dead(conn) == ()
    with opened(post.home, "executor_ui") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("INSERT INTO ops.outbox_deliveries SELECT * FROM ops.outbox_deliveries")
