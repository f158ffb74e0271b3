"""Components for the tests of components inside the process, good ones and bad ones."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.words.protocols.jabber.xmlstream import toResponse
from twisted.words.xish import domish
from zope.interface import implementer

from fermata.xmpp.wokkel import disco, iwokkel, subprotocols

from . import ns

XMPPHandler: Any = subprotocols.XMPPHandler


@implementer(iwokkel.IDisco)
class Parrot(XMPPHandler):
    """Says again what it is told, after a word of its own."""

    def __init__(self, word: str = "") -> None:
        super().__init__()
        self.word = word

    def connectionInitialized(self) -> None:  # noqa: N802
        self.xmlstream.addObserver("/message[@type='chat']/body", self.heard)

    def heard(self, message: domish.Element) -> None:
        reply = domish.Element((None, "message"))
        reply["to"], reply["from"], reply["type"] = message["from"], message["to"], "chat"
        reply.addElement("body", content=self.word + str(message.body))
        self.send(reply)

    def getDiscoInfo(self, requestor: Any, target: Any, node: str = "") -> list[Any]:  # noqa: N802
        return [disco.DiscoIdentity("client", "bot", "Parrot")]

    def getDiscoItems(self, requestor: Any, target: Any, node: str = "") -> list[Any]:  # noqa: N802
        return []


def parrot_with_disco(**options: Any) -> list[Any]:
    """A component of several parts."""
    return [Parrot(**options), disco.DiscoHandler()]


class RoomParrot(XMPPHandler):
    """Enters the room that it is told of, and agrees with whatever is said there."""

    def connectionInitialized(self) -> None:  # noqa: N802
        self.xmlstream.addObserver("/message[@type='chat']", self.enter)
        self.xmlstream.addObserver("/message[@type='groupchat']", self.agree)

    def enter(self, message: domish.Element) -> None:
        self.send(f"<presence to='{message.body}/parrot'><x xmlns='{ns.MUC}'/></presence>")

    def agree(self, message: domish.Element) -> None:
        if message.body is not None and not str(message.body).endswith("!"):
            room = message["from"].partition("/")[0]
            self.send(f"<message to='{room}' type='groupchat'><body>{message.body}!</body></message>")


class Faulty(XMPPHandler):
    """Does everything that it should not, and in between what it should."""

    def connectionInitialized(self) -> None:  # noqa: N802
        observe = self.xmlstream.addObserver
        observe("/message[@id='raise']", self.fail)
        observe("/message[@id='foreign']", lambda message: self.say(message, "romeo@localhost"))
        observe("/message[@id='nonsense']", lambda message: self.send(domish.Element((None, "nonsense"))))
        observe("/message[@id='text']", lambda message: self.send("<presence to='romeo@localhost'"))
        observe("/message[@id='good']", lambda message: self.say(message, None))
        observe("/iq/raise", self.fail)
        observe("/iq/late", self.fail_late)
        observe("/iq/answer", self.answer)
        raise RuntimeError("a start that fails")

    def fail(self, element: domish.Element) -> None:
        raise RuntimeError("on purpose")

    def fail_late(self, iq: domish.Element) -> None:
        self.send(toResponse(iq, "result"))
        raise RuntimeError("after the answer")

    def answer(self, iq: domish.Element) -> None:
        """Without a word that it has."""
        self.send(toResponse(iq, "result"))

    def say(self, message: domish.Element, sender: str | None) -> None:
        reply = domish.Element((None, "message"))
        reply["to"], reply["id"] = message["from"], "reply"
        if sender is not None:
            reply["from"] = sender
        self.send(reply)

    def connectionLost(self, reason: Any) -> None:
        raise RuntimeError("an end that fails")


class Asking(XMPPHandler):
    """Asks those who write to it for their version, and waits for the answer."""

    def connectionInitialized(self) -> None:  # noqa: N802
        self.xmlstream.addOnetimeObserver("/message", self.ask)
        self.xmlstream.addObserver("/message", self.never)
        self.xmlstream.removeObserver("/message", self.never)

    def ask(self, message: domish.Element) -> None:
        from fermata.xmpp.wokkel import generic

        request: Any = generic.Request(recipient=_jid(message["from"]), sender=_jid(message["to"]))
        request.stanzaType = "get"
        request.toElement = lambda: _version_request(message)
        answer: Deferred[Any] = self.request(request)
        answer.addCallbacks(
            lambda iq: self.say(message, str(iq.query.firstChildElement())), lambda failure: self.say(message, "none")
        )

    def say(self, message: domish.Element, text: str) -> None:
        self.send(f"<message xmlns='jabber:client' to='{message['from']}'><body>{text}</body></message>")

    def never(self, message: domish.Element) -> None:
        raise AssertionError("this observer was removed")


def _jid(text: str) -> Any:
    from twisted.words.protocols.jabber.jid import internJID

    return internJID(text)  # type: ignore[no-untyped-call]


def _version_request(message: domish.Element) -> domish.Element:
    iq = domish.Element((None, "iq"))
    iq["type"], iq["to"], iq["from"], iq["id"] = "get", message["from"], message["to"], "v1"
    iq.addElement((ns.VERSION, "query"))
    return iq


def broken(**options: Any) -> None:
    """A factory that fails."""
    raise RuntimeError("no")


def nothing() -> object:
    """A factory that makes something else."""
    return object()


NOT_CALLABLE = 5
