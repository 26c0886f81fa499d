"""How suspicious a meter's use is: what strays from normal, held against shapes of trouble, told within a budget."""
