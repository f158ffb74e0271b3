"""SASL mechanisms as conversations (RFC 4422)."""
