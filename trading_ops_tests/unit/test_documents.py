"""The documents say what the code does: commands, policy keys, classes, thresholds, words on the pages, links."""

import ast
import datetime as dt
import importlib
import re
import shlex
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from trading_ops import cli
from trading_ops.broker.sheets import VERSIONS
from trading_ops.desk.reconciling import Light
from trading_ops.domain import incidents, rollout
from trading_ops.domain.diagnosis_classes import CLASSES
from trading_ops.domain.reasons import RULES, rules_of
from trading_ops.settings import shipped

ROOT = shipped("pyproject.toml").parent
DOCS = ROOT / "docs"
DOCUMENTS = (ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "adr").glob("*.md")))
ONE_PAGER, SOP, ETORO, RISKS, RUNBOOK, INCIDENTS, ROLLOUT = (
    DOCS / f"{name}.md"
    for name in (
        "EXECUTION_WORKFLOW_1PAGER", "RECONCILIATION_SOP", "ETORO_CONSTRAINTS", "RISK_POLICY", "RUNBOOK", "INCIDENTS",
        "ROLLOUT",
    )
)  # fmt: skip
WORDS_ON_A_PAGE = 620
"""With four small pictures so many fill one A4 page in type that can be read."""


def name_of(path: Path) -> str:
    return path.stem


def rows(path: Path, first: str = r"[^|]+") -> Iterator[list[str]]:
    """The cells of every table row whose first cell fits."""
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and re.fullmatch(first, cells[0]):
            yield cells


@cache
def said_in_code() -> tuple[re.Pattern[str], ...]:
    """Every text of the pages and of what they speak with; what is put in at run time may be anything."""
    found = []
    for folder in ("streamlit_app", "trading_ops/desk", "trading_ops/comms"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                texts = [p.value if isinstance(p, ast.Constant) and isinstance(p.value, str) else None for p in parts]
                if sum(len(text) for text in texts if text) >= (8 if None in texts else 4):
                    found.append(re.compile("".join(".+?" if t is None else re.escape(t) for t in texts), re.DOTALL))
    return tuple(found)


def is_said(words: str) -> bool:
    """A page says these words, whole or as a part of a longer text."""
    return any(re.escape(words) in p.pattern or (".+?" in p.pattern and p.fullmatch(words)) for p in said_in_code())


@pytest.mark.parametrize("path", [ONE_PAGER, SOP], ids=name_of)
def test_what_is_bold_stands_on_a_page(path: Path) -> None:
    bold = re.findall(r"\*\*(.+?)\*\*", path.read_text().replace("\n", " "))
    plain = [words for words in bold if not words.startswith("Nothing is changed")]
    assert len(plain) > 12
    assert [words for words in plain if not is_said(words)] == []


def test_the_executor_s_sheet_stays_one_sheet() -> None:
    assert len(ONE_PAGER.read_text().split()) <= WORDS_ON_A_PAGE


def commands(text: str) -> Iterator[list[str]]:
    """Every command of the desk that a document prints, as words."""
    quoted = re.findall(r"`(trading-ops [^`]+)`", text.replace("\n", " "))
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]
    for line in (*quoted, *lines):
        found = re.match(r"(?:\.venv/bin/)?trading-ops (.*)", line.strip())
        if found:
            yield shlex.split(found.group(1).replace("…", "x"))


def problem(words: list[str]) -> str:
    """Why the command line would not take these words; empty when it would."""
    command: Any = typer.main.get_command(cli.app)
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest or rest[0] == "--help":
            return ""
        if rest[0] not in command.commands:
            return f"there is no {rest[0]!r} in: {' '.join(words)}"
        command = command.commands[rest.pop(0)]
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    options = [p for p in command.params if p.param_type_name == "option"]
    unknown = given - {"--help"} - {name for p in options for name in (*p.opts, *p.secondary_opts)}
    lacking = [p.opts[0] for p in options if p.required and not given & set(p.opts)] if rest else []  # else a mention
    return f"{' '.join(words)}: unknown {sorted(unknown)}, missing {lacking}" if unknown or lacking else ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_printed_exists(path: Path) -> None:
    assert [found for words in commands(path.read_text()) if (found := problem(words))] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_policy_key_named_exists(path: Path) -> None:
    policy = yaml.safe_load((ROOT / "config" / "policy.yml").read_text())
    named = re.findall(r"`([a-z_]+)\.([a-z_]+)`", path.read_text())
    assert [f"{section}.{key}" for section, key in named if section in policy and key not in policy[section]] == []


def test_the_answers_of_the_account_go_into_keys_that_exist() -> None:
    named = set(re.findall(r"`((?:account|sizing|ledger|risk)\.[a-z_]+)`", ETORO.read_text()))
    wanted = {"account.confirmed_on", "account.fx_fee", "account.commission_usd", "sizing.minimum_order_gbp"}
    assert wanted <= named


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_and_picture_is_there(path: Path) -> None:
    text = path.read_text()
    targets = [*re.findall(r"\]\(([^)#]+)\)", text), *re.findall(r'src="([^"]+)"', text)]
    assert [t for t in targets if "://" not in t and not (path.parent / t).exists()] == []


def test_every_class_of_difference_has_its_row_and_no_other() -> None:
    table = {cells[0]: cells for cells in rows(SOP, r"[A-Z_]+") if len(cells) == 4}
    assert list(table) == list(CLASSES)
    assert {code: cells[1] for code, cells in table.items()} == {c.code: c.sentence for c in CLASSES.values()}
    assert all(all(cells) for cells in table.values())


def entries(path: Path) -> dict[str, str]:
    """What stands below each heading of a class of incident, on one line."""
    parts = re.split(r"^### (.+)$", path.read_text(), flags=re.MULTILINE)
    found = {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    return {name: text for name, text in found.items() if re.fullmatch(r"[A-Z_]+", name)}


def test_every_class_of_incident_has_its_entry_in_the_runbook_with_the_words_of_page_and_mail() -> None:
    found = entries(RUNBOOK)
    assert list(found) == list(incidents.CLASSES)
    for code, known in incidents.CLASSES.items():
        assert [words for words in (known.means, known.do, known.how, known.why) if words not in found[code]] == []
        assert (RUNBOOK.parent.parent / known.page.partition("#")[0]).samefile(RUNBOOK)


def test_every_phase_and_criterion_of_the_roll_out_has_its_row() -> None:
    phases = {cells[0]: cells[1:] for cells in rows(ROLLOUT, "|".join(rollout.PHASES)) if len(cells) == 5}
    assert list(phases) == list(rollout.PHASES)
    for name, phase in rollout.PHASES.items():
        title, books, _, means = phases[name]
        assert (title, books, means) == (phase.title, ", ".join(phase.books), phase.means)
    criteria = {cells[0]: cells[1:] for cells in rows(ROLLOUT, r"[A-Z_]+") if len(cells) == 4}
    assert list(criteria) == list(rollout.CRITERIA)
    for code, known in rollout.CRITERIA.items():
        asked = [
            f"{p.title} ({', '.join(book for book in p.books if code in p.exits[book])})"
            for p in rollout.PHASES.values() if any(code in p.exits[book] for book in p.books)
        ]  # fmt: skip
        assert criteria[code] == ["; ".join(asked), known.sentence, known.remedy]
    text = " ".join(ROLLOUT.read_text().split())
    for classes in (rollout.CRITICAL, rollout.OF_THE_WORLD):
        assert f"{', '.join(sorted(classes))}." in text
    assert f"counts for {rollout.CERTIFICATE_DAYS} days" in text


def test_every_class_of_incident_has_its_row_and_its_template() -> None:
    table = {cells[0]: cells[1:] for cells in rows(INCIDENTS, r"[A-Z_]+") if len(cells) == 5}
    by = {incidents.ITSELF: "by itself", incidents.PERSON: "by a person"}
    assert table == {
        code: [c.title, "yes" if c.blocking else "no", by[c.closes], str(c.escalate)]
        for code, c in incidents.CLASSES.items()
    }
    templates = entries(INCIDENTS)
    assert list(templates) == list(incidents.CLASSES)
    assert [code for code, c in incidents.CLASSES.items() if c.note not in templates[code]] == []
    told = {cells[0]: cells[1].split(", ") for cells in rows(INCIDENTS, r"[A-Z_]+") if len(cells) == 2}
    assert {rule: code for code, of in told.items() for rule in of} == dict(incidents.CLASS_OF_RULE)


def test_the_light_has_a_row_for_each_colour() -> None:
    colours = [cells[0] for cells in rows(SOP, r"[A-Z]+") if len(cells) == 3 and cells[0] in Light.__members__]
    assert sorted(colours) == sorted(Light.__members__)


def test_the_gate_s_rules_are_all_there() -> None:
    named = {cells[0] for cells in rows(SOP, r"[A-Z_]+") if len(cells) == 2}
    assert named == {rule.code for rule in rules_of("reconciliation")}


def test_each_remedy_is_the_one_that_a_ticket_prints() -> None:
    table = [cells for cells in rows(RISKS, r"[A-Z_]+(?: \*)?") if len(cells) == 4]
    remedies = {cells[0].removesuffix(" *"): cells[-1] for cells in table}
    assert {code: remedies[code] for code in RULES} == {code: rule.remedy for code, rule in RULES.items()}


def test_the_thresholds_of_the_diagnosis_are_those_of_the_code() -> None:
    table = [cells for cells in rows(RISKS) if len(cells) == 3 and re.fullmatch(r"`diagnosis_\w+\.[A-Z_]+`", cells[2])]
    assert len(table) > 8
    for _, value, where in table:
        module, name = where.strip("`").split(".")
        number = getattr(importlib.import_module(f"trading_ops.domain.{module}"), name)
        assert Decimal(value) == (number.days if isinstance(number, dt.timedelta) else number), where


def test_the_statement_s_versions_are_those_that_are_read() -> None:
    table = ETORO.read_text().partition("| sheet | versions |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| ([A-Z][\w ]+) \| ([^|]+) \|$", table, re.MULTILINE)
    assert {sheet: set(cell.split(", ")) for sheet, cell in named} == {
        kind.value: {version.name for version in found} for kind, found in VERSIONS.items()
    }


def test_decisions_are_numbered_without_a_gap() -> None:
    decisions = sorted((DOCS / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    assert all(path.read_text().startswith(f"# {int(path.name[:4])}. ") for path in decisions)
