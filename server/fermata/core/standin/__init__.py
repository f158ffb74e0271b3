"""The account's own occupant of a room, to which its clients attach (docs/design/0006)."""
