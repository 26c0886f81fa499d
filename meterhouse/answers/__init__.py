"""What commands answer: shapes for programs, and the same as tables for people."""
