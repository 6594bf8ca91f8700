"""Demonstrations are collected: played, recorded, and kept in a folder."""
