"""Work orders: what is asked of one person, from the alarm or the report to the rating."""
