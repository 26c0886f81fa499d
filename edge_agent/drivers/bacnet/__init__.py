"""BACnet/IP, read only: the link is ours (ANSI/ASHRAE 135, Annex J, clause 6), bacpypes3 writes and reads the rest."""
