"""Whether a scenario ended as it should: every way in which it did not, one sentence each."""

from dataclasses import dataclass

from trading_ops.drill.run import Drill, Seen
from trading_ops.drill.scenario import Expected, Scenario


@dataclass(frozen=True)
class Played:
    """A scenario that was played.

    Attributes:
        name: The scenario's.
        seen: What came of it; None when it broke down.
        differences: What is not as expected; empty when all is.
    """

    name: str
    seen: Seen | None
    differences: tuple[str, ...]


def judged(drill: Drill, scenario: Scenario) -> Played:
    """Play a scenario and compare. One that breaks down is a finding, and the others are played all the same."""
    try:
        seen = drill.play(scenario)
    except Exception as error:
        return Played(scenario.name, None, (f"broke down with {type(error).__name__}: {error}",))
    return Played(scenario.name, seen, tuple(differences(scenario, seen)))


def differences(scenario: Scenario, seen: Seen) -> list[str]:
    """What is not as expected; empty when all is."""
    expected = scenario.expected
    found = [
        f"{what}: {_said(got)} instead of {_said(wanted)}"
        for what, wanted, got in _pairs(expected, seen)
        if wanted != got
    ]
    others = {name: sources for name, sources in seen.sources.items() if sources != expected.sources}
    if others:
        found.append(f"bars: {_said(others)} instead of {_said(expected.sources)}")
    bought = tuple(sorted(set(expected.frozen) & set(seen.bought)))
    if bought:
        found.append(f"bought although frozen: {_said(bought)}")
    found += [
        f"{source}: {seen.refusals.get(source, 0)} refusals, a source is given up after one"
        for source in expected.given_up
        if seen.refusals.get(source, 0) != 1
    ]
    return found


def _pairs(expected: Expected, seen: Seen) -> list[tuple[str, object, object]]:
    journal = {source: tuple(str(kind) for kind in kinds) for source, kinds in sorted(expected.journal.items())}
    pairs: list[tuple[str, object, object]] = [
        ("ticket", str(expected.verdict), seen.verdict),
        ("reasons", expected.reasons, seen.reasons),
        ("journal", journal, seen.journal),
        ("given up", expected.given_up, seen.given_up),
        ("frozen", expected.frozen, seen.frozen),
        ("day of the fixing", expected.fx_day, seen.fx_day),
    ]
    if expected.verdict == "TRADE":
        pairs.append(("cross-checked", expected.cross_checked, seen.cross_checked))
    return pairs


def _said(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_said(item)}" for key, item in value.items()) or "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "nothing"
    return str(value)
