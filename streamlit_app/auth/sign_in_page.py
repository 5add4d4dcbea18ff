"""The sign-in and sign-out pages as HTML: no script, one style, readable on a phone and by a screen reader."""

import base64
import datetime as dt
import hashlib
import html

from starlette.responses import HTMLResponse

from trading_ops.domain.calendar import LONDON

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f7; color: #16191d; font: 1.125rem/1.5 system-ui, sans-serif; }
main { max-width: 26rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; margin: 1.25rem 0 .375rem; }
input { width: 100%; min-height: 3.25rem; padding: .5rem .875rem; font: inherit; color: inherit; background: #fff;
        border: 2px solid #5b6470; border-radius: .5rem; }
button, a.button { display: block; width: 100%; min-height: 3.5rem; margin-top: 1.5rem; padding: .75rem; font: inherit;
        font-weight: 600; text-align: center; text-decoration: none; color: #fff; background: #0b5394;
        border: 2px solid #0b5394; border-radius: .5rem; cursor: pointer; }
button.second, a.button { color: #0b5394; background: #fff; }
:focus-visible { outline: 4px solid #f2a900; outline-offset: 2px; }
p.said { margin: 0 0 1rem; padding: .875rem 1rem; background: #fff; border-left: .375rem solid #0b5394; }
p.wrong { border-color: #a61b1b; color: #7d1414; font-weight: 600; }
""".strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

LEFT = "You are signed out."
STALE = "This page was open for too long, or the browser keeps no cookies. Type your name and password again."


def wrong(left: int) -> str:
    """After a try that did not match."""
    tries = "1 try is" if left == 1 else f"{left} tries are"
    return f"This name and password do not match. {tries} left, then signing in waits for 15 minutes."


def locked(until: dt.datetime) -> str:
    """While a username is shut; the minute is rounded up, so that it is open when it is said to be."""
    opens = (until + dt.timedelta(seconds=59)).astimezone(LONDON)
    return f"Too many wrong tries. Signing in opens again by itself at {opens:%H:%M} (London time). Nothing is lost."


def sign_in(
    form: str, back_to: str, *, username: str = "", said: str = "", bad: bool = False, status: int = 200
) -> HTMLResponse:
    """The sign-in page.

    Args:
        form: Token that must come back with the form.
        back_to: Where to go afterwards; a path that was looked at.
        username: Typed before.
        said: A sentence above the fields.
        bad: It tells of something that went wrong.
        status: Of the answer.
    """
    told = (
        f'<p class="said{" wrong" if bad else ""}" role="{"alert" if bad else "status"}">{_text(said)}</p>'
        if said
        else ""
    )
    return _page(
        "Sign in",
        f"""{told}
<form method="post" action="/sign-in">
<input type="hidden" name="form" value="{_text(form)}"><input type="hidden" name="next" value="{_text(back_to)}">
<label for="username">Name</label>
<input id="username" name="username" value="{_text(username)}" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="64" required{"" if username else " autofocus"}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256"
 required{" autofocus" if username else ""}>
<button type="submit">Sign in</button>
</form>""",
        status,
    )


def sign_out() -> HTMLResponse:
    """The page that asks before it signs out."""
    return _page(
        "Sign out",
        """<form method="post" action="/sign-out">
<button type="submit">Sign out on this device</button>
<button type="submit" class="second" name="all" value="1">Sign out on all my devices</button>
</form>
<a class="button" href="/">Stay signed in</a>""",
    )


def no_such_page(sentence: str) -> HTMLResponse:
    """What a link that names nothing leads to."""
    told = f'<p class="said wrong" role="alert">{_text(sentence)}</p><a class="button" href="/">To the first page</a>'
    return _page("Nothing is here", told, 404)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    text = f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Trading desk</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
    return HTMLResponse(text, status, {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"})


def _text(value: str) -> str:
    return html.escape(value, quote=True)
