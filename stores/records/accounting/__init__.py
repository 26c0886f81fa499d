"""What accounting keeps in the records: tariffs, notices, ledgers, closed months, what is to be computed again."""
