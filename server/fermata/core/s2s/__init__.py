"""Streams between servers: negotiated, proven and kept (RFC 6120, XEP-0178, XEP-0198, XEP-0220, XEP-0288)."""
