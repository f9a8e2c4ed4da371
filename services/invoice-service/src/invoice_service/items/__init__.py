"""Items: what is sold, with its price and tax, to be named by documents' lines."""
