"""The form of contacts in requests and answers."""

from servicekit.fields import Body, Edit, Email, Line, Name, Phone

from crm_service.answers import RecordOut, Reference


class NewContact(Body):
    salutation: Line = ""
    first_name: Line = ""
    last_name: Name
    email: Email = ""
    phone: Phone = ""
    mobile: Phone = ""
    account_id: Reference = None


class ContactEdit(Edit, NewContact):
    last_name: Name = ""


class ContactOut(RecordOut):
    salutation: str
    first_name: str
    last_name: str
    email: str
    phone: str
    mobile: str
    account_id: str | None
