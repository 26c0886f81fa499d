"""DL/T 645 and CJ/T 188: meters that answer with frames which say whose they are and what they hold."""
