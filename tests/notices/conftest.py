from tests.notices.world import truths  # noqa: F401  (a fixture)
