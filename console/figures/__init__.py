"""What pages say in figures: of the estate, a building, an alert; as numbers, cards, tables and drawings."""
