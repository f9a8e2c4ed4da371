"""What a customer was invoiced, has paid and owes."""
