"""Records of the estate in SQL: what stands where, which cases are open, who may come in, who did what."""
