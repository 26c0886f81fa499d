"""Reads what people write down (site.yaml, profiles, tariffs, notices) into the model, and writes it back."""
