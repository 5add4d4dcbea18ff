"""Make the database administrator's password, once; what is there is never replaced.

Two files with the same password: one as PostgreSQL's image reads it, one as every PostgreSQL client does.
"""

from pathlib import Path

from trading_ops.store.secret_files import new_password, read_secret, write_secret

FOLDER = Path("/run/desk-secrets")
ADMINISTRATOR = "postgres"
HOST, PORT = "postgres", 5432


def make(folder: Path) -> str:
    """Make what is missing; returns a sentence that says what was done, without the password.

    Raises:
        SecretsTooOpen: A file is there and open to others.
    """
    plain, passfile = folder / "postgres_password", folder / "pgpass"
    made = not plain.exists()
    if made:
        write_secret(plain, new_password() + "\n")
    line = f"{HOST}:{PORT}:*:{ADMINISTRATOR}:{read_secret(plain).strip()}\n"
    if not passfile.exists() or read_secret(passfile) != line:
        write_secret(passfile, line)
    return f"The database's password was {'made' if made else 'there already'}."


if __name__ == "__main__":
    print(make(FOLDER))
