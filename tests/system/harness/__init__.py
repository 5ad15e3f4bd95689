"""What the system tests are made of: real servers, the bridge, and a scripted backend."""
