"""The product as a whole: the command line, the demo, and the processes they start."""
