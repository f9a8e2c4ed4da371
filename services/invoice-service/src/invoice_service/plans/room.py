"""How many more customers a plan allows. Pure: counted elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CustomerRoom:
    """What a capped plan leaves; ``used`` is how many customers there are: more than the cap, if that was lowered."""

    plan: str
    cap: int
    used: int

    @property
    def left(self) -> int:
        """Free places."""
        return max(self.cap - self.used, 0)

    @property
    def refusal(self) -> str:
        """What is said where there is none."""
        return f"plan {self.plan!r} allows {self.cap} customers, and they are all there"
