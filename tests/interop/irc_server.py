"""As much of an IRC server (RFC 1459) as a gateway needs: people register, join channels and speak there."""

import asyncio


class IRCServer:
    """One server with any channels; everybody in a channel hears what is said."""

    def __init__(self) -> None:
        self.port = 0
        self._channels: dict[str, dict[str, asyncio.StreamWriter]] = {}
        self._listening: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens on a port of this machine."""
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends."""
        assert self._listening is not None
        self._listening.close()
        for members in self._channels.values():
            for writer in members.values():
                writer.close()

    def say(self, channel: str, nick: str, text: str) -> None:
        """Somebody says something to everybody in a channel."""
        for writer in self._channels[channel].values():
            writer.write(f":{nick}!{nick}@irc PRIVMSG {channel} :{text}\r\n".encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nick = ""
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            command, _, rest = line.partition(" ")
            if command == "NICK":
                nick = rest.removeprefix(":")
            elif command == "USER":
                writer.write(f":irc 001 {nick} :Welcome\r\n:irc 376 {nick} :End of MOTD\r\n".encode())
            elif command == "PING":
                writer.write(f":irc PONG irc {rest}\r\n".encode())
            elif command == "JOIN":
                self._join(rest.partition(" ")[0].removeprefix(":"), nick, writer)
            elif command == "PRIVMSG":
                channel, _, text = rest.partition(" :")
                self._tell_others(channel, nick, text)

    def _join(self, channel: str, nick: str, writer: asyncio.StreamWriter) -> None:
        members = self._channels.setdefault(channel, {})
        members[nick] = writer
        names = " ".join(members)
        for each in members.values():
            each.write(f":{nick}!{nick}@irc JOIN {channel}\r\n".encode())
        writer.write(f":irc 353 {nick} = {channel} :{names}\r\n:irc 366 {nick} {channel} :End of NAMES\r\n".encode())
        writer.write(f":irc 332 {nick} {channel} :A topic\r\n".encode())

    def _tell_others(self, channel: str, nick: str, text: str) -> None:
        for other, writer in self._channels[channel].items():
            if other != nick:
                writer.write(f":{nick}!{nick}@irc PRIVMSG {channel} :{text}\r\n".encode())
