"""Which language a statement is written in, as far as its own words tell; only English is read.

Belongs here: the words that give a language away. Does not belong here: the English headers (`sheets`).
"""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+")
_STEMS: dict[str, tuple[str, ...]] = {
    "Polish": (
        "konta", "koncie", "zamkni", "pozycj", "aktywno", "dywidend", "podsumowani", "finansow", "szczeg", "kwota",
        "jednost", "wpłat", "wypłat", "otwarci", "zamykani", "akcja", "kapita", "identyfikator", "waluta", "działani",
    ),
    "German": (
        "konto", "kontos", "kontoakt", "kontoüber", "geschlossen", "dividenden", "finanz", "zusammenfassung", "datum",
        "betrag", "einheit", "kontostand", "aktion", "eigenkapital", "währung", "einzahlung", "auszahlung", "übersicht",
        "zahlung", "bestände",
    ),
    "French": (
        "compte", "clôtur", "fermé", "dividendes", "activité", "résumé", "récapitul", "financier", "montant", "unité",
        "détail", "solde", "devise", "dépôt", "retrait", "ouverture", "réalis", "avoirs",
    ),
    "Spanish": (
        "cuenta", "cerrad", "dividendos", "actividad", "resumen", "financiero", "fecha", "importe", "unidades",
        "detalles", "moneda", "depósito", "acción", "ganancias", "apertura", "cierre", "saldo", "posiciones",
    ),
    "Italian": (
        "conto", "chius", "dividendi", "attività", "riepilogo", "finanziario", "importo", "unità", "dettagli", "valuta",
        "deposito", "azione", "posizion", "apertura", "chiusura", "saldo", "profitto",
    ),
    "Portuguese": (
        "conta", "fechad", "encerrad", "dividendos", "atividade", "resumo", "financeiro", "montante", "unidades",
        "detalhes", "moeda", "posições", "ação", "saldo",
    ),
    "Dutch": (
        "rekening", "gesloten", "dividenden", "activiteit", "samenvatting", "overzicht", "financieel", "bedrag",
        "eenheden", "datum", "posities", "saldo",
    ),
    "Czech": ("účtu", "uzavřen", "pozice", "dividendy", "aktivita", "souhrn", "finanční", "částka", "jednotky"),
    "Romanian": ("contului", "închise", "poziții", "dividende", "activitate", "rezumat", "financiar", "sumă", "unită"),
}  # fmt: skip


def language_of(texts: Iterable[str]) -> str | None:
    """The language that most words speak for, by its English name; None when no or two languages fit best.

    Args:
        texts: Sheet names or headers that are not the known English ones.
    """
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    scores = {
        language: sum(any(word.startswith(stem) for stem in stems) for word in words)
        for language, stems in _STEMS.items()
    }
    best = max(scores.values())
    fitting = [language for language, score in scores.items() if score == best]
    return fitting[0] if best and len(fitting) == 1 else None
