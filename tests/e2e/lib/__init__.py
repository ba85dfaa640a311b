"""What the end-to-end tests run Sonde against: real servers on free loopback ports."""
