"""The shell towards the disk: SQLAlchemy; nobody else knows a table."""
