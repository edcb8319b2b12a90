"""The engine: PostgreSQL decides, Redis delivers."""
