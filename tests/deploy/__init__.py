"""What `deploy/` has for administrators, tried with the programs it is for."""
