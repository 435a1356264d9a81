"""A hook that cannot be called as agreed."""


def deliver() -> None:
    return None
