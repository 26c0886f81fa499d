"""The outbox: readings on disk from the moment they are taken until the server has stored them."""
