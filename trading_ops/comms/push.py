"""The second channel: a title, one sentence and the link, through Apprise. It never says why it failed."""

import logging

from trading_ops.comms.letter import Letter, one_line
from trading_ops.comms.outcomes import NotNow, Result, Sent
from trading_ops.comms.setup import Push

SILENT = logging.CRITICAL + 1


def send(push: Push, letter: Letter) -> Result:
    """Push one letter to one address."""
    import apprise  # half a second of plugins, only where there is something to push

    # Its log would show addresses, and with them tokens.
    logging.getLogger("apprise").setLevel(SILENT)
    service = apprise.Apprise()
    if not service.add(push.url):
        return NotNow(f"{push.name}: this is no address that the push service knows. Correct APPRISE_URLS.")
    body = one_line(letter.sentence) + (f"\n{one_line(letter.link)}" if letter.link else "")
    taken = service.notify(body=body, title=letter.subject_line, body_format=apprise.NotifyFormat.TEXT)
    return Sent(f"taken by {push.name}") if taken else NotNow("the push service did not take it")
