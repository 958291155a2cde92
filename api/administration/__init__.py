"""What people do to the operator over HTTP: switches, interventions, and the book of both."""
