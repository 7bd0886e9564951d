"""What makes the portal run on a fresh machine: real servers out of Python wheels, the demo, a place to read its mails.

Nothing in here is imported by the portal itself.
"""
