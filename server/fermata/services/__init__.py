"""What runs the rules and does what they ask."""
