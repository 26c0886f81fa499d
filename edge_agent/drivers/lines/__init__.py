"""Ways to devices that bytes go and come on: TCP connections and serial lines."""
