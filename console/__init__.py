"""The web: what people look at and decide in, server-rendered, in their own language."""
