"""How patiently a source is asked: a pause between requests, ever longer waits while it stutters, and its budgets."""

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from trading_ops.domain.policy import Fetch
from trading_ops.providers.protocol import RETRIED, Outcome, Refusal, RefusalKind

LIMITED_WAIT = 60.0
"""Seconds before a source that said "too many requests" is asked again; it doubles each time."""
STUTTER_WAIT = 2.0
"""Seconds before a source that stuttered is asked again; it doubles each time."""
LONGEST_WAIT = 300.0
JITTER = 0.5
"""Share of a wait that is added at random, so that nothing beats in time with anything else."""


def utc_now() -> dt.datetime:
    """The wall clock, UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Clock:
    """Time as the intake sees it; tests and the drill bring their own, in which nobody waits."""

    now: Callable[[], dt.datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = field(default_factory=random.Random)


@dataclass
class Pace:
    """Asks one source, one request at a time.

    Attributes:
        fetch: The policy's numbers.
        clock: Time.
        seconds: The pause between two requests; the policy's, or longer where a source wants that.
    """

    fetch: Fetch
    clock: Clock
    seconds: float
    _asked_before: bool = False

    def ask(self, question: Callable[[], Outcome]) -> tuple[Outcome, int]:
        """The answer, and how many requests it took. An answer that may be different a moment later is asked for again.

        Returns:
            The last answer; a refusal of RETRIED is one that was repeated `fetch.tries` times.
        """
        requests = 0

        def once() -> Outcome:
            nonlocal requests
            requests += 1
            return question()

        self._pause()
        retrying = Retrying(
            retry=retry_if_result(_may_change),
            stop=stop_after_attempt(self.fetch.tries),
            wait=self._wait,
            sleep=self.clock.sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        return retrying(once), requests

    def _pause(self) -> None:
        if self._asked_before and self.seconds > 0:
            self.clock.sleep(self._jittered(self.seconds))
        self._asked_before = True

    def _wait(self, state: RetryCallState) -> float:
        answer = state.outcome.result() if state.outcome else None
        limited = isinstance(answer, Refusal) and answer.kind is RefusalKind.RATE_LIMITED
        first = LIMITED_WAIT if limited else STUTTER_WAIT
        return min(self._jittered(first * 2.0 ** (state.attempt_number - 1)), LONGEST_WAIT)

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + JITTER * self.clock.chance.random())


def _may_change(answer: Outcome) -> bool:
    return isinstance(answer, Refusal) and answer.kind in RETRIED


@dataclass(frozen=True)
class Budget:
    """How many requests a source may get; None is no limit of that kind.

    Attributes:
        an_hour: In the last 60 minutes.
        a_day: Since midnight UTC.
    """

    an_hour: int | None = None
    a_day: int | None = None

    def spent(self, requests: Callable[[dt.datetime], int], now: dt.datetime) -> str:
        """A sentence when it is spent, else "".

        Args:
            requests: Requests to the source since a moment.
            now: The moment of asking.
        """
        if self.an_hour is not None and requests(now - dt.timedelta(hours=1)) >= self.an_hour:
            return f"its budget of {self.an_hour} requests an hour is spent; the next round goes on where this one ends"
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.a_day is not None and requests(midnight) >= self.a_day:
            return f"its budget of {self.a_day} requests a day is spent; the first round of tomorrow goes on"
        return ""
