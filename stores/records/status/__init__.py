"""What processes and agents say of themselves, how it is told, and how far analytics has got."""
