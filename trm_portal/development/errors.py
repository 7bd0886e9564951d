"""What can keep the demo or the tests from starting, said to the person who started them."""


class SetUpError(Exception):
    """The set-up can't go on; the text says why and what to do, and is all that a person needs to see."""
