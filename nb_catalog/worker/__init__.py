"""The worker: claims jobs, reserves and records their calls, sends, spools, checks and stores."""

from nb_catalog.worker.recovery import sweep
from nb_catalog.worker.worker import Worker, drain, work_is_waiting

__all__ = ["Worker", "drain", "sweep", "work_is_waiting"]
