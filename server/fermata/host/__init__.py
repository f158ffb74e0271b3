"""What carries stanzas between sessions, rules and extensions."""
