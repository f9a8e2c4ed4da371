"""How the pages speak of runs."""

from invoice_service.imports.sync import Run

KINDS = {
    "import": "Import",
    "dry_run": "Preview",
    "retry": "Another try",
    "check": "Check",
    "mend": "Check and mend",
}
_DONE = ("created", "updated", "deleted", "made_inactive", "unchanged", "failed")


def kind_of(run: Run) -> str:
    """What kind of run it is."""
    return KINDS.get(run.kind, run.kind.replace("_", " ").capitalize())


def summary_of(run: Run) -> str:
    """What it did, or would do, in a line."""
    counts = {name: getattr(run.counts, name) for name in _DONE}
    told = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return ", ".join(told) or ("nothing yet" if run.under_way else "nothing to do")
