"""Settings of Sphinx for the site that `build.py` makes; its pages are staged in another folder."""

import twinlab

project = "twinlab"
author = "The twinlab authors"
project_copyright = "The twinlab authors, Apache-2.0"
version = release = twinlab.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_design", "sphinx_copybutton"]
root_doc = "index"
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}

# --- Pages: an anchor for each heading; notebooks keep the outputs that they came with -------------------------------
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
# A scheme that nobody knows is a mistake, no address.
myst_url_schemes = ("http", "https", "mailto")
nb_execution_mode = "off"
# By default two scripts of a content delivery network.
nb_ipywidgets_js = {}
nb_merge_streams = True

# --- Reference: docstrings in numpydoc's form, names in single backticks are links where they are known ---------------
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "model_config, model_post_init"}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
python_use_unqualified_type_names = True
add_module_names = False
maximum_signature_line_length = 100

# --- Look: no font, script or picture from outside -------------------------------------------------------------------
html_theme = "furo"
html_title = "twinlab"
html_static_path = ["static"]
html_js_files = ["site.js"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#005a8c", "color-brand-content": "#00629b"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f0", "color-brand-content": "#7cc4f0"},
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
# Excerpts of results are read with requests, which browsers refuse to pages that are opened from a disk.
html_show_search_summary = False
# Examples with "…" are no Python.
suppress_warnings = ["misc.highlighting_failure"]


def _one_environment() -> None:
    """Let numpydoc compile its template once, and not for each of thousands of docstrings."""
    from numpydoc import docscrape_sphinx

    make, made = docscrape_sphinx.SandboxedEnvironment, []

    def environment(loader: object) -> object:
        if not made:
            made.append(make(loader=loader))
        return made[0]

    docscrape_sphinx.SandboxedEnvironment = environment


_one_environment()
