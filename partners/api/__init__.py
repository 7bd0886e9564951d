"""Partners for tools: relationships and invitations of a customer, one's own invitations and tokens; who calls at all."""
