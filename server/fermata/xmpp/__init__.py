"""The words of XMPP: values and how they are written."""
