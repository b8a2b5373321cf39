"""The command line `ltrr`: one file a group of subcommands."""
