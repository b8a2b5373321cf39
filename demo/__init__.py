"""The music demo: a catalogue, its listeners, and what learning changes for them."""
