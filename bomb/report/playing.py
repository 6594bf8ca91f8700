"""From a stored run back to the environments that it was played in."""

from bomb.evaluation.store import RunStore

# Settings of a run that decide what an episode is; cameras and pictures do not.
_SETTINGS = ("action_mode", "control_hz", "max_steps", "stop_on_success")


def condition_options(store: RunStore) -> dict[str, dict]:
    """Arguments of ``core.make_task`` of every condition of a run, without cameras, by key."""
    settings = store.settings()
    shared = {name: settings[name] for name in _SETTINGS if name in settings}
    return {
        condition.key: {
            "task": condition.task,
            "backend": condition.backend,
            "split": condition.split,
            "perturbations": dict(condition.levels) or None,
            **shared,
        }
        for condition in store.conditions()
    }
