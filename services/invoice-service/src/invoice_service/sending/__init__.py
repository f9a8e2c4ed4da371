"""Documents sent by e-mail: what is to be sent, to whom, and how it went."""
