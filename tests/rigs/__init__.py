"""What the tests set up: real servers, fakes of what is not here, links that fail, and small worlds to look at."""
