"""Our own server as one of several."""

from collections.abc import Mapping

from kit.people import PASSWORD
from kit.server import Server

from .place import SERVERS, SERVERS_TLS, Place, Terms
from .site import Site


class Fermata(Site):
    """Speaks with other servers on the standard ports. Without dialback it believes certificates only."""

    software = "Fermata"

    def __init__(self, place: Place, terms: Terms, people: int = 0, stay: Mapping[str, object] | None = None) -> None:
        """`stay` are settings of that section."""
        super().__init__(place, people)
        place.directory.mkdir(parents=True)
        self.server = Server(
            place.directory,
            {
                "server": {"domains": [place.domain], "data_dir": str(place.directory / "var")},
                "tls": {
                    "certificate": str(place.certificate),
                    "key": str(place.key),
                    "ca_file": str(place.trusted),
                },
                "s2s": {
                    "listen": [f"tcp:{SERVERS}:interface={place.address}"],
                    "listen_direct_tls": [f"tcp:{SERVERS_TLS}:interface={place.address}"],
                    "resolver": f"127.0.0.1:{place.resolver}",
                    "require_valid_certificate": not terms.dialback,
                    "bidi": terms.bidi,
                },
                "stay": stay or {},
            },
        )
        self._mark = 0  # the lines of its log that were looked at
        self.server.add_accounts((f"{name}@{place.domain}", PASSWORD) for name in self.accounts)

    def client_address(self) -> tuple[str, int]:
        return "127.0.0.1", self.server.port

    def said(self) -> str:
        return "".join(self.server.log)

    def failures(self) -> str:
        mark, self._mark = self._mark, len(self.server.log)
        return self.server.failures(mark)

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        self.server.kill()
