"""Fermata: the working tree that this file is in."""

import json
import subprocess
import sys
from pathlib import Path

from .credentials import DOMAIN, PASSWORD, Certificate
from .errors import BenchError
from .servers import Place, Reach, Server

_ROOT = Path(__file__).resolve().parents[1]
_PROGRAMS = Path(sys.executable).parent


class Fermata(Server):
    """Defaults, but for: a stream without TLS may authenticate, and nobody else is listened to."""

    name, title = "fermata", "Fermata"
    accounts_of = "fermata"

    def version(self) -> str:
        """The version, and the commit if there is one to be told."""
        version = _run([str(_PROGRAMS / "fermata"), "--version"]).removeprefix("Fermata ")
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True, check=False
        )
        return f"{version} ({described.stdout.strip()})" if described.returncode == 0 else version

    def make_accounts(self, directory: Path, count: int, certificate: Certificate, domain: str = DOMAIN) -> None:
        """As anybody would: by the command line."""
        self.configure(Place(directory, 0, certificate, True, domain))
        table = directory / "accounts.csv"
        table.write_text("".join(f"u{number}@{domain},{PASSWORD}\n" for number in range(count)))
        _run([str(_PROGRAMS / "fermata"), "--config", str(directory / "fermata.toml"), "user", "import", str(table)])

    def configure(self, place: Place) -> None:
        """The archive is switched for accounts and rooms together."""
        settings: dict[str, dict[str, object]] = {
            "server": {"domains": [place.domain], "data_dir": f"{place.directory}/var"},
            "storage": {"url": f"sqlite:///{place.directory}/fermata.db"},
            "tls": {"certificate": str(place.certificate.certificate), "key": str(place.certificate.key)},
            "c2s": {
                "listen": [f"tcp:{place.port}:interface=127.0.0.1:backlog=1000"],
                "listen_direct_tls": [],
                "require_tls": False,
            },
            "s2s": _servers(place.reach),
            "http": {"listen": []},
            "stay": {"journal": place.keeps_journal},
            "archive": {"accounts": place.keeps_archive, "rooms": place.keeps_archive},
        }
        text = "".join(
            f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
            for section, values in settings.items()
        )
        (place.directory / "fermata.toml").write_text(text)

    def command(self, place: Place) -> list[str]:
        """As `make run` does it, but for the log."""
        log = f"--logfile={place.directory}/fermata.log"
        config = ["--config", str(place.directory / "fermata.toml")]
        return [str(_PROGRAMS / "twistd"), "--nodaemon", "--pidfile=", log, "fermata", *config]


def _servers(reach: Reach | None) -> dict[str, object]:
    if reach is None:
        return {"listen": []}
    return {"listen": [f"tcp:5269:interface={reach.address}"], "resolver": f"127.0.0.1:{reach.resolver}"}


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{command[0]} says: {(done.stderr.strip() or done.stdout.strip())[-800:]}")
    return done.stdout.strip()
