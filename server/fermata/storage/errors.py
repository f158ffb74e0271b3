"""What goes wrong with the disk or the database."""


class StorageError(Exception):
    """The database can't be opened, read or written; the text is for whoever runs the server."""
