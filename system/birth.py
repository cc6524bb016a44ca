"""How an actor's instance is made: Thespian's rules, without its cost of examining the constructor at every birth."""

import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from thespian.system.sourceLoader import loadModuleFromHashSource
from thespian.system.utilis import actualActorClass

CONSTRUCTORS_REMEMBERED_MAX = 1024

log = logging.getLogger("limner.actors")


def bear(
    actor_class: Any,
    capabilities: Mapping[str, Any],
    requirements: Mapping[str, Any] | None,
    source_hash: str | None,
    sources: Mapping[str, Any],
) -> Any:
    """A new instance, or None when the class refuses these capabilities. `actor_class` may be its dotted name, to be
    found in a loaded source when `source_hash` is given. Raises whatever finding or making it raises."""
    loader = functools.partial(loadModuleFromHashSource, source_hash, sources) if source_hash else None
    actor_class = actualActorClass(actor_class, loader)
    check = getattr(actor_class, "actorSystemCapabilityCheck", None)
    if check is not None and not check(capabilities, requirements or {}):
        log.info("%s refuses the capabilities of this system", actor_class)
        return None
    wanted = _constructor_arguments(actor_class.__init__)
    if not wanted:
        return actor_class()
    offered = {"capabilities": capabilities, "requirements": requirements}
    return actor_class(**{name: offered[name] for name in wanted})


@functools.lru_cache(maxsize=CONSTRUCTORS_REMEMBERED_MAX)
def _constructor_arguments(constructor: Callable[..., None]) -> tuple[str, ...]:
    """Which of the two arguments that Thespian offers this __init__ names."""
    try:
        names = inspect.signature(constructor).parameters
    except (TypeError, ValueError):  # a constructor written in C tells nothing
        return ()
    return tuple(name for name in ("capabilities", "requirements") if name in names)
