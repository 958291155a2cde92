"""SQLAlchemy tables, constraints, engine and sessions, migrations."""
