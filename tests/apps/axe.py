"""axe-core on a page in a browser: what people with screen readers, keyboards or weak eyes would stumble over."""

from axe_playwright_python.sync_playwright import Axe

__all__ = ["grave_faults"]

#: Impacts that no page may have.
GRAVE = ("serious", "critical")


def grave_faults(page):
    """Return the serious and critical faults that axe-core finds on a Playwright page, a line each; it asks nothing outside."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {fault['help']}: {node['target']} {node['html'][:300]}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
