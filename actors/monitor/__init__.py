"""The Monitor: what it measures, what it decides about pace and intake, what it tells."""
