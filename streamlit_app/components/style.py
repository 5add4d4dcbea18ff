"""How the executor's pages look on a phone: large type, large buttons, a red block that cannot be overlooked.

Every text goes through `html.escape` here: a name, a note or a reason is never markup.
"""

import html
from collections.abc import Iterable

import streamlit as st

_CSS = """
<style>
.stMainBlockContainer {padding: 4rem 1rem 6rem; max-width: 46rem;}
.stButton button, .stFormSubmitButton button, .stDownloadButton button {min-height: 3rem; font-size: 1.05rem;}
div[role="radiogroup"] label {min-height: 2.9rem; padding: .35rem .2rem; align-items: center;}
.stCheckbox label {min-height: 2.9rem; align-items: center;}
.desk-big {font-size: 1.55rem; font-weight: 700; line-height: 1.25; margin: .2rem 0 .4rem;}
.desk-stop {background: #a40000; color: #fff; padding: 1rem 1.1rem; border-radius: .6rem; margin: .3rem 0 1rem;}
.desk-stop b {font-size: 1.4rem; display: block; margin-bottom: .3rem;}
.desk-calm {background: #e8f3ea; color: #12351b; padding: 1rem 1.1rem; border-radius: .6rem; margin: .3rem 0 1rem;}
.desk-calm b {font-size: 1.4rem; display: block; margin-bottom: .3rem;}
.desk-ask {background: #fff4d6; color: #3d2e00; padding: .7rem .9rem; border-radius: .5rem; margin: .1rem 0 .6rem;}
.desk-way a {display: block; padding: .75rem .9rem; margin: .1rem 0 .8rem; min-height: 3rem; box-sizing: border-box;
  border: 2px solid #0b5394; border-radius: .5rem; color: #0b5394; font-weight: 700; text-align: center;}
.desk-note {color: #4a4a4a; margin: -.4rem 0 .5rem; font-size: .92rem;}
.desk-banner {background: #5b2a86; color: #fff; padding: .5rem .8rem; border-radius: .4rem; font-weight: 700;}
.desk-list {margin: .2rem 0 .6rem; padding-left: 1.4rem;} .desk-list li {margin: .35rem 0;}
</style>
"""


_STEP, _STEP_NUMBER = "desk:step", "desk:step_number"
_TO_TOP = "document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0);"


def style() -> None:
    """Put the page's style in place; first on every page of the executor."""
    st.html(_CSS)


def begin_at_top(step: str) -> None:
    """Show a new step from its top: the framework would leave the screen where the last step's button was."""
    if st.session_state.get(_STEP) == step:
        return
    st.session_state[_STEP] = step
    st.session_state[_STEP_NUMBER] = st.session_state.get(_STEP_NUMBER, 0) + 1
    # Written here and nowhere else; holds no text of anyone.
    st.html(f"<script>{_TO_TOP}/* {st.session_state[_STEP_NUMBER]} */</script>", unsafe_allow_javascript=True)


def block(kind: str, strong: str, *lines: str) -> None:
    """A block of the given kind (`stop`, `calm`): one strong sentence and more below."""
    more = "".join(f"<div>{html.escape(line)}</div>" for line in lines if line)
    st.html(f'<div class="desk-{kind}" role="status"><b>{html.escape(strong)}</b>{more}</div>')


def ask(sentence: str) -> None:
    """A gentle question beside a field."""
    st.html(f'<div class="desk-ask" role="status">{html.escape(sentence)}</div>')


def way(words: str, address: str) -> None:
    """A way to another page of the desk, as large as a button."""
    to = html.escape(address, quote=True)
    st.html(f'<div class="desk-way"><a href="{to}" target="_self">{html.escape(words)}</a></div>')


def note(sentence: str) -> None:
    """A small remark under a field."""
    st.html(f'<div class="desk-note">{html.escape(sentence)}</div>')


def big(sentence: str) -> None:
    """What has to be done, in large type; a heading for those who listen to the page."""
    st.html(f'<h2 class="desk-big">{html.escape(sentence)}</h2>')


def banner(words: str) -> None:
    """What a ticket that must not be executed says first."""
    st.html(f'<div class="desk-banner">{html.escape(words)}</div>')


def listed(lines: Iterable[str], *, numbered: bool = False) -> None:
    """Sentences as a list, numbered from 1 when they are."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    tag = "ol" if numbered else "ul"
    st.html(f'<{tag} class="desk-list">{items}</{tag}>')
