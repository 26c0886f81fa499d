"""The records' schema, step by step; ``stores.records.database`` applies the steps that a database lacks."""
