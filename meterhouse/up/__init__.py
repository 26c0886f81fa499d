"""The server of a real site on one machine: its folder, settings, certificates, broker and processes."""
