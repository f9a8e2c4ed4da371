"""The two words by which a consumer tells what to do with an event it could not handle."""


class Transient(Exception):
    """It may succeed later: a service is down, or what is needed is not there yet."""


class Permanent(Exception):
    """It can never succeed, however often it is tried."""
