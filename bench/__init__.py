"""`make bench`: what a delivered stanza costs Fermata, Prosody and ejabberd on this machine, at equal settings."""
