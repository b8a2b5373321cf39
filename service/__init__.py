"""The engine behind HTTP, and the page on which one sees retrieval learn."""

from service.app import create_app
from service.settings import Settings
from service.simulating import Told, ToldRound

__all__ = [
    "Settings",
    "Told",
    "ToldRound",
    "create_app",
]
