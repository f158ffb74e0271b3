"""Bookmarks that clients have kept as private XML become items of their own (XEP-0402 §7.3)."""

import json
import time
from xml.etree import ElementTree as ET

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OLD, NEW = "storage:bookmarks", "urn:xmpp:bookmarks:1"
KEY = f"{{{OLD}}}storage"
CONFIG = {"access_model": "whitelist", "max_items": 0, "send_last_published_item": "never"}

value = sa.table("value", *map(sa.column, ("owner", "space", "key", "value")))
entity = sa.table("entity", *map(sa.column, ("number", "jid")))
node = sa.table("node", *map(sa.column, ("owner", "node", "config", "creator", "stamp")))
item = sa.table("item", *map(sa.column, ("owner", "node", "id", "seq", "stamp", "publisher", "size", "xml")))


def upgrade() -> None:
    connection = op.get_bind()
    of_lists = value.c.space == "private", value.c.key == KEY
    lists = sa.select(value.c.owner, value.c.value, entity.c.jid).where(*of_lists, value.c.owner == entity.c.number)
    for owner, xml, jid in connection.execute(lists).all():
        storage = ET.fromstring(xml)
        conferences = {each.get("jid", ""): each for each in storage if each.tag == f"{{{OLD}}}conference"}
        if not conferences:
            continue
        now, row = time.time(), value.c.owner == owner
        config = json.dumps(CONFIG)
        connection.execute(sa.insert(node).values(owner=owner, node=NEW, config=config, creator=jid, stamp=now))
        for seq, (room, conference) in enumerate(conferences.items(), 1):
            made = bookmark(conference)
            connection.execute(
                sa.insert(item).values(
                    owner=owner, node=NEW, id=room, seq=seq, stamp=now, publisher=jid, size=len(made) + 1_000, xml=made
                )
            )
            storage.remove(conference)
        if len(storage):
            kept = ET.tostring(storage, encoding="unicode")
            connection.execute(sa.update(value).where(*of_lists, row).values(value=kept))
        else:
            connection.execute(sa.delete(value).where(*of_lists, row))


def bookmark(conference: ET.Element) -> str:
    made = ET.Element(f"{{{NEW}}}conference")
    for name in ("name", "autojoin"):
        if conference.get(name):
            made.set(name, conference.get(name, ""))
    for name in ("nick", "password"):
        text = conference.findtext(f"{{{OLD}}}{name}")
        if text:
            ET.SubElement(made, f"{{{NEW}}}{name}").text = text
    return ET.tostring(made, encoding="unicode")


def downgrade() -> None:
    """Items stay items."""
