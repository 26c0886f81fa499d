"""Letters leave: who is told of what, in which words, by which courier, and what becomes of it."""
