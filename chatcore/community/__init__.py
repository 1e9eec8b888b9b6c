"""What people make around the rooms: channels. See README.md."""
