"""What becomes of the nodes of a service when somebody is not there any more."""

from collections.abc import Iterator

from ...xmpp.jid import JID
from .effects import Effects
from .lifecycle import removal
from .nodes import Nodes
from .records import NodeAffiliationSaved
from .subscribe import end


def forget(nodes: Nodes, jid: JID) -> Iterator[Effects]:
    """Removes what a bare JID alone owns, and what it has to do with other nodes."""
    for node in list(nodes):
        if node.owners() == [jid]:
            yield removal(nodes, node)
            continue
        effects = Effects()
        if node.affiliations.pop(jid, None) is not None:
            effects.records.append(NodeAffiliationSaved(nodes.number, node.name, jid, "none"))
        for subscriber in [each for each in node.subscriptions if each.bare == jid]:
            end(nodes, node, subscriber, effects)
        if effects.records:
            yield effects
