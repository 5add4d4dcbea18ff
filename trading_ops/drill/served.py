"""What the drill's server answers in a scenario: the market's answers, some of them spoilt."""

from collections import Counter

from trading_ops.drill.played import PlayedMarket
from trading_ops.drill.scenario import Scenario, asked_of
from trading_ops.drill.server import Asked, Reply


class Served:
    """The market's answers with a scenario's faults.

    Attributes:
        spoilt: For each fault, by its place, how many answers it spoilt.
    """

    def __init__(self, scenario: Scenario, market: PlayedMarket) -> None:
        self.spoilt: Counter[int] = Counter()
        self._concerned: Counter[int] = Counter()
        self._faults = scenario.faults
        self._market = market

    def __call__(self, asked: Asked) -> Reply:
        good = self._market.answer(asked)
        source, subject = asked_of(asked)
        for place, fault in enumerate(self._faults):
            if not fault.concerns(source, subject):
                continue
            number = self._concerned[place]
            self._concerned[place] += 1
            if number < fault.after or (fault.count is not None and number >= fault.after + fault.count):
                return good
            self.spoilt[place] += 1
            return fault.change(good)
        return good
