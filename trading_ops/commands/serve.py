"""serve: the desk's pages in a browser, in the foreground until Ctrl-C."""

import ipaddress
import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from trading_ops.domain.errors import BadInput, Refused
from trading_ops.settings import Settings
from trading_ops.store import configuration, migrate, people
from trading_ops.store.connect import connect
from trading_ops.store.server import Server

EVERYWHERE = ("0.0.0.0", "::")
PORTS = {"http": 80, "https": 443}


def serve(
    host: Annotated[str, typer.Option(help="address of this machine to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8501,
    tls_cert: Annotated[Path | None, typer.Option(help="certificate chain, PEM")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="its private key, PEM")] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="a name by which browsers call this machine")] = None,
    plain_http: Annotated[bool, typer.Option(help="listen beyond this machine without TLS")] = False,
) -> None:
    """The pages of the desk, behind their sign-in. Ctrl-C stops them."""
    from streamlit_app.app import Listening, run

    _check_certificate(tls_cert, tls_key)
    _check_reach(host, tls=tls_cert is not None, plain_http=plain_http)
    names = [] if host in EVERYWHERE else [f"[{host}]" if ":" in host else host]
    listening = Listening(host, port, tls_cert, tls_key, (*names, *(allow_host or [])))
    settings = Settings.from_env()
    with Server(settings).use():
        migrate.require_current(settings)
        with connect(settings, "sign_in") as conn:
            if not any(account.active for account in people.everyone(conn)):
                typer.echo("Nobody can sign in yet. Add people with `trading-ops user add`.")
        scheme = "http" if tls_cert is None else "https"
        hint = _of_the_link(settings, scheme, port, listening.hosts)
        if hint:
            typer.echo(hint)
        typer.echo(f"The desk of {settings.home} on {scheme}://{host}:{port} (Ctrl-C stops it)")
        run(settings, listening)


def _of_the_link(settings: Settings, scheme: str, port: int, hosts: Collection[str]) -> str:
    """What is wrong with the address that tickets and mails name, as a sentence; empty when it leads here."""
    with connect(settings, "app_writer") as conn:
        try:
            link = configuration.policy_in_force(conn).policy.ticket.page_url
        except Refused:  # a home without a policy has no tickets that could lead anywhere
            return ""
    named = urlsplit(link)
    if (named.scheme, named.port or PORTS.get(named.scheme), named.hostname in hosts) == (scheme, port, True):
        return ""
    return (
        f"Tickets and mails link to {link} (policy ticket.page_url), which is not where these pages are: "
        f"{scheme}, port {port}, names {', '.join(sorted(hosts))}. Change the policy, or --allow-host and --port."
    )


def _check_reach(host: str, *, tls: bool, plain_http: bool) -> None:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as exc:
        raise BadInput(f"--host {host!r}: give an address of this machine, like 127.0.0.1 or 192.168.1.20.") from exc
    if not address.is_loopback and not tls and not plain_http:
        raise Refused(
            f"--host {host} can be reached from other machines, and without TLS everybody on the way reads passwords. "
            "Give --tls-cert and --tls-key, or say --plain-http when something in front of it speaks TLS."
        )


def _check_certificate(cert: Path | None, key: Path | None) -> None:
    if (cert is None) != (key is None):
        raise BadInput("--tls-cert and --tls-key belong together: give both or neither.")
    if cert is None or key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as exc:
        raise BadInput(f"--tls-cert {cert} and --tls-key {key} cannot be used together: {exc}.") from exc
