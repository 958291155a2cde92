"""Facts for those who ask: frozen values read in sets, never rows and never JSON."""
