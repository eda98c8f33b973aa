"""The draft of one file, and what the file gives with it."""

from twinlab.harmonise import Context, draft, harmonise
from twinlab.harmonise.drafting.samples import samples_of
from twinlab.model.load import check_mapping, parse_mapping, parse_model
from twinlab.sources import open_source


def drafted(folder, text, *, name="log.csv"):
    """Draft one file; return the model, the mapping, and what the file gives."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    made = draft([path], name="x")
    model = parse_model(made.model_yaml)
    (mapping,) = (parse_mapping(text, name) for name, text in made.mappings.items())
    check_mapping(mapping, model)
    (sample,) = samples_of(open_source(path))
    return model, mapping, harmonise(sample, mapping, Context(model))
