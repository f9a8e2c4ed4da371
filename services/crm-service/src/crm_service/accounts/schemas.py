"""The form of accounts in requests and answers."""

from contracts.values import Address
from servicekit.fields import AddressBody, Body, Edit, Line, Name, Phone, Text

from crm_service.answers import RecordOut


class NewAccount(Body):
    account_name: Name
    phone: Phone = ""
    fax: Phone = ""
    website: Line = ""
    description: Text = ""
    billing_address: AddressBody = AddressBody()
    shipping_address: AddressBody = AddressBody()


class AccountEdit(Edit, NewAccount):
    account_name: Name = ""


class AccountOut(RecordOut):
    account_name: str
    phone: str
    fax: str
    website: str
    description: str
    billing_address: Address
    shipping_address: Address
