"""What the workflow does for a potential: one pure decision (S15-S20).

It goes by the potential as it is now, by what exists in Invoice now and by what the workflow remembers, never by which
event told of it. So it does not matter in which order events come, or how often (S19); only a potential that was
deleted gets nothing any more. It gives the next step; once that is done, what exists has changed, and the next decision
follows from that, until there is nothing left to do. It never asks for a step that the states of a document do not
allow. ``docs/workflow.md`` is this, written out as a table.
"""

from workflow_service.policy.deciding import decide as decide
from workflow_service.policy.deciding import is_due as is_due
from workflow_service.policy.deciding import kind_of as kind_of
from workflow_service.policy.deciding import remembering as remembering
from workflow_service.policy.values import KIND as KIND
from workflow_service.policy.values import AcceptEstimate as AcceptEstimate
from workflow_service.policy.values import CreateEstimate as CreateEstimate
from workflow_service.policy.values import CreateInvoice as CreateInvoice
from workflow_service.policy.values import Decision as Decision
from workflow_service.policy.values import DeclineEstimate as DeclineEstimate
from workflow_service.policy.values import Document as Document
from workflow_service.policy.values import DocumentKind as DocumentKind
from workflow_service.policy.values import Lock as Lock
from workflow_service.policy.values import Memory as Memory
from workflow_service.policy.values import Nothing as Nothing
from workflow_service.policy.values import Step as Step
from workflow_service.policy.values import Trigger as Trigger
from workflow_service.policy.values import UpdateEstimate as UpdateEstimate
from workflow_service.policy.values import VoidInvoice as VoidInvoice
