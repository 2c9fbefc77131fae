"""What is kept, table by table: every question and every change as a transaction on any of the databases."""
