"""The phone's keypad of digits for fields that take a number: to the framework they are text, with all letters."""

import streamlit as st

NUMBER = r"\bin [£$%]|\bunits\b"
"""A field takes a number when its label names a unit, as every such label of the desk does."""
# Written here and nowhere else; holds no text of anyone. The framework makes fields anew, so new ones are marked as
# they appear; it never sets this attribute itself.
_SCRIPT = f"""<script>
if (!window.deskKeypad) {{
  const number = /{NUMBER}/i;
  const mark = () => document.querySelectorAll("input[type=text][aria-label]:not([inputmode])").forEach(field => {{
    if (number.test(field.ariaLabel)) field.inputMode = "decimal";
  }});
  window.deskKeypad = new MutationObserver(mark);
  window.deskKeypad.observe(document.body, {{childList: true, subtree: true}});
  mark();
}}
</script>"""


def digits_for_numbers() -> None:
    """Put it in place once a page; it stays when the person goes on to another page."""
    st.html(_SCRIPT, unsafe_allow_javascript=True)
