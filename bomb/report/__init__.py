"""What runs amount to: tables, pictures, and one page."""
