"""The rules of rooms (XEP-0045)."""
