"""Publish-subscribe: the rules of nodes, whoever they belong to, an account or a service (XEP-0060, XEP-0163)."""
