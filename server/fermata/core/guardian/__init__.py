"""Whether somebody here is still in a room elsewhere, and how he gets back in (docs/design/0006)."""
