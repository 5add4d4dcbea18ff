"""The door over TLS: the cookie's stricter name, and what is refused on the way."""

import datetime as dt
import ipaddress
import re
import ssl
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trading_ops.settings import Settings
from trading_ops_tests.integration.page_server import PASSWORD, add_person, serving


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate that this machine signed for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk.lan")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("desk.lan"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.touch(0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


def test_over_tls_the_cookie_is_for_this_host_encrypted_and_nothing_else(
    fresh_home: Settings, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    add_person(fresh_home, "anna")
    words = ("--tls-cert", str(cert), "--tls-key", str(key), "--allow-host", "desk.lan")
    with (
        serving(fresh_home, *words, scheme="https") as served,
        httpx2.Client(base_url=served.url, verify=ssl.create_default_context(cafile=str(cert)), timeout=20) as client,
    ):
        page = client.get("/sign-in", headers={"Host": f"desk.lan:{served.port}"})
        assert "Secure" in page.headers["set-cookie"]
        fields = dict(re.findall(r'name="(form|next)" value="([^"]*)"', client.get("/sign-in").text))
        fields |= {"username": "anna", "password": PASSWORD}
        plain = {"Origin": served.url.replace("https", "http")}
        assert client.post("/sign-in", data=fields, headers=plain).status_code == 403
        got = client.post("/sign-in", data=fields, headers={"Origin": served.url})
        given = got.headers["set-cookie"]
        assert re.fullmatch(r"__Host-desk=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax; Secure", given), (
            given
        )
        token = given.split(";")[0].removeprefix("__Host-desk=")
        client.cookies.clear()
        assert client.get("/", headers={"Cookie": f"__Host-desk={token}"}).status_code == 200
        assert client.get("/", headers={"Cookie": f"desk={token}"}).status_code == 401
        framed = client.get("/", headers={"Cookie": f"__Host-desk={token}"})
        assert f"wss://127.0.0.1:{served.port}" in framed.headers["content-security-policy"]
