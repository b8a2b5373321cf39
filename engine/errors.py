"""Everything the engine refuses, and how.

LtrrError
├── BadInput            an argument that cannot be used (also a ValueError)
│   ├── BadQuery        not text, too long
│   ├── BadContext      NaN, wrong types, an unknown filter field
│   ├── BadDocuments    an empty catalogue, duplicate ids, a damaged row
│   └── BadEvent        an unknown impression or item, an item that was not shown
├── SnapshotError       a damaged snapshot, or one of another format version
└── LockedError         another process is writing to the same folder
"""


class LtrrError(Exception):
    """The base of all errors raised on purpose."""


class BadInput(LtrrError, ValueError):
    """An argument that cannot be used; nothing was changed."""


class BadQuery(BadInput):
    """The query cannot be searched."""


class BadContext(BadInput):
    """The context of a search cannot be used."""


class BadDocuments(BadInput):
    """Documents that cannot be indexed."""


class BadEvent(BadInput):
    """Feedback or history that cannot be recorded."""


class SnapshotError(LtrrError):
    """A snapshot that cannot be read."""


class LockedError(LtrrError):
    """The folder is in use by another writing process."""
