"""How ``small-vla`` is trained: eyes on key points, reading, the hand, then all of it together on actions."""
