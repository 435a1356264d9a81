"""What the tests of accounts share."""

PASSWORD = "vier losse woorden samen"
