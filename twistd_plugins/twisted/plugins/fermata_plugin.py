"""Makes `twistd fermata` known; the work begins in fermata.app.service."""

from twisted.application.service import ServiceMaker

fermata = ServiceMaker("fermata", "fermata.app.tap", "An XMPP server that keeps people in their rooms.", "fermata")
