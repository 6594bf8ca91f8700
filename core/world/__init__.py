"""What is in the world: scene, robot, bodies, states, and the geometry they share."""
