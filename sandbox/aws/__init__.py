"""AWS on this machine: the embedded services, Lambda, the event source mapping and the stack."""
