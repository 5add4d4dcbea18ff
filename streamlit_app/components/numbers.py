"""A number as a person types it, in a text field, with its gentle question below.

A text field and no number field: `1,5`, `£1,265.00` and six decimals are kept as they were typed.
Does not belong here: how a text becomes a number (`domain.typed`), what is odd about it (the page's own reading).
"""

from streamlit_app.components import style
from streamlit_app.components.fields import Body, Keep, text_field


def number_field(
    label: str, body: Body, name: str, *, key: str, keep: Keep, hint: str = "", ask: str = "", note: str = ""
) -> str:
    """A field for a number.

    Args:
        label: What is asked; `AAPL, Apple: units`.
        body: The draft; the text goes into `body[name]` as it was typed.
        name: Where in it.
        key: Tells this widget from others.
        keep: Keeps the draft.
        hint: Shown while it is empty.
        ask: What to look at again; nothing is asked about an empty field.
        note: How the number was read, where it could be read otherwise.

    Returns:
        The text as typed.
    """
    typed = text_field(label, body, name, key=key, keep=keep, hint=hint)
    if typed.strip():
        if note:
            style.note(note)
        if ask:
            style.ask(ask)
    return typed
