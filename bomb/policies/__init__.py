"""Policies that come with BOMB; registered in ``bomb.policies.registry`` under the names users type."""
