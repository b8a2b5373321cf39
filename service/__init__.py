"""The engine behind HTTP, and the page on which one sees retrieval learn."""

from service.app import create_app
from service.dialogue import Answering, Dialogue, SearchOnly
from service.settings import Settings
from service.simulating import Told, ToldRound

__all__ = [
    "Answering",
    "Dialogue",
    "SearchOnly",
    "Settings",
    "Told",
    "ToldRound",
    "create_app",
]
