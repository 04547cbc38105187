"""The pure middle: values and decisions. No clock, no I/O, no randomness; standard library and msgspec only."""
