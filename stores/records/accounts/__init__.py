"""Accounts of people: roles, passwords and second factors, sessions, and how somebody leaves."""
