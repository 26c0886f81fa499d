"""How each kind of task is put to the product."""
