"""The network between a client and the server, which a test can cut."""

import asyncio


class Relay:
    """Passes bytes on from a port of its own, `port`, to another one on this machine."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self._to = to
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    async def listening(cls, port: int) -> "Relay":
        """A relay that listens."""
        relay = cls(port)
        relay._server = await asyncio.start_server(relay._connected, "127.0.0.1", 0)
        relay.port = relay._server.sockets[0].getsockname()[1]
        return relay

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, there = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, there}
        await asyncio.gather(self._pass(reader, there), self._pass(answers, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(65536):
                writer.write(octets)
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def cut(self) -> None:
        """Every connection is lost, without a word to either side; new ones go through."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """Nothing goes through any more."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
