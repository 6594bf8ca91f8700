"""Policies that come with BOMB; registered in core.registry under the names users type."""
