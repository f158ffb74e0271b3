"""What everybody does while the server lives: chosen at random, in bursts, and never far ahead of the answers."""

from random import Random

from .. import ns
from . import deeds
from .deeds import Deed
from .participant import DOMAIN, Participant

WINDOW = 24  # deeds of one client that may be unanswered
CONTACTS = 12  # made-up people in each roster, and with affiliations in each room
_BURST = 6
_AFFILIATIONS = ("member", "member", "admin", "outcast", "none")
_FILLERS = ("", "", "", " a word or two", " häufig ☎ ", " " + "lorem ipsum " * 20, " " + "é" * 1000)


class Traffic:
    """`owners` are the accounts that own the rooms, by room; `accounts` everybody who may get a chat message."""

    def __init__(self, random: Random, owners: dict[str, str], accounts: list[str]) -> None:
        self._random, self._owners, self._accounts = random, owners, accounts

    def begin(self, participant: Participant) -> None:
        """Become available and enter the rooms."""
        xml = [participant.do(deeds.available(participant.new_id()))]
        xml += [participant.enter(room) for room in self._owners]
        participant.send("".join(xml) + self._request(participant))

    def go_on(self, participant: Participant) -> None:
        """A few deeds, if enough of those before are answered."""
        free = WINDOW - participant.waiting
        if free < 2:
            return
        random = self._random
        xml = [self._deed(participant) for _ in range(random.randint(1, min(_BURST, free - 1)))]
        if random.random() < 0.7 or participant.waiting > WINDOW - 3:
            xml.append(self._request(participant))
        participant.send("".join(xml))

    def _request(self, participant: Participant) -> str:
        if participant.is_managed:
            return f"<r xmlns='{ns.SM}'/>"
        return participant.do(deeds.ping(participant.new_id()))

    def _deed(self, participant: Participant) -> str:
        random, rooms = self._random, participant.rooms
        owned = [room for room in rooms if self._owners[room] == participant.account]
        choice = random.random()
        if owned and choice < 0.3:
            return participant.do(self._ownership(participant, random.choice(owned)))
        if choice < 0.45:
            return participant.do(deeds.chat(*self._addressed(participant), self._text(participant)))
        if choice < 0.65 and rooms:
            return participant.do(deeds.groupchat(participant.new_id(), random.choice(rooms), self._text(participant)))
        if choice < 0.8:
            return participant.do(self._roster_change(participant))
        if choice < 0.84:
            return self._come_or_go(participant)
        return participant.do(self._passing(participant))

    def _addressed(self, participant: Participant) -> tuple[str, str]:
        others = [account for account in self._accounts if account != participant.account]
        return participant.new_id(), self._random.choice(others)

    def _text(self, participant: Participant) -> str:
        return participant.new_id() + self._random.choice(_FILLERS)

    def _ownership(self, participant: Participant, room: str) -> Deed:
        random, id = self._random, participant.new_id()
        if random.random() < 0.3:
            return deeds.describe(id, room)
        return deeds.affiliate(id, room, self._somebody(), random.choice(_AFFILIATIONS))

    def _somebody(self) -> str:
        return f"nobody{self._random.randrange(CONTACTS)}@{DOMAIN}.example"

    def _roster_change(self, participant: Participant) -> Deed:
        id, contact = participant.new_id(), self._somebody()
        if contact in participant.roster and self._random.random() < 0.2:
            del participant.roster[contact]
            return deeds.remove_contact(id, participant.account, contact)
        participant.roster[contact] = id
        return deeds.name_contact(id, participant.account, contact)

    def _come_or_go(self, participant: Participant) -> str:
        room = self._random.choice(list(self._owners))
        place = participant.places[room]
        if place.under_way:
            return participant.do(deeds.ping(participant.new_id()))
        return participant.leave(room) if place.is_in else participant.enter(room)

    def _passing(self, participant: Participant) -> Deed:
        choice = self._random.random()
        if choice < 0.4:
            return deeds.composing(*self._addressed(participant))
        if choice < 0.7 and participant.rooms:
            return deeds.status(participant.new_id(), self._random.choice(participant.rooms), participant.name)
        return deeds.ping(participant.new_id())
