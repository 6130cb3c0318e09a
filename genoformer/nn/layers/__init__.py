"""What networks are made of below attention: linear layers, positions, and checks of their settings."""
