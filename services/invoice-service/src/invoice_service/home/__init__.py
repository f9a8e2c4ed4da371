"""Where one begins: what is owed, what is overdue, how it went month by month."""
