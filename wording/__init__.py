"""Sentences, numbers, dates and names in the reader's language, from one catalogue."""
