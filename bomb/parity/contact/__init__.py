"""Hard contact: pressed, pushed, dragged, dropped, thrown, rolled and toppled stones in both simulators."""
