"""What a browser is asked while something is measured in it: when a reader acted, and when the last change was painted."""

from __future__ import annotations

#: Takes the names of the events that begin an action; ``window.measured`` then gives milliseconds from the first of them
#: to the paint of the first change and of the last one that came of it; null if nothing came of it within three seconds.
#: Done when nothing has changed for a second and a half: a server under load answers late.
WATCH = """names => {
  const documents = Bokeh.documents.filter(Boolean);
  window.measured = new Promise(done => {
    let begun = null, first = null, last = null, settled = null;
    const finish = () => {
      for (const one of documents) one.remove_on_change(changed);
      for (const name of names) window.removeEventListener(name, start, true);
      done(last === null ? null : {first: first - begun, last: last - begun});
    };
    const start = () => { if (begun === null) { begun = performance.now(); settled = setTimeout(finish, 3000); } };
    const changed = () => {
      if (begun === null) return;
      clearTimeout(settled);
      settled = setTimeout(finish, 1500);
      requestAnimationFrame(() => requestAnimationFrame(() => { last = performance.now(); first = first ?? last; }));
    };
    for (const name of names) window.addEventListener(name, start, true);
    for (const one of documents) one.on_change(changed);
    // Nobody acts: then nothing comes of it either.
    setTimeout(() => { if (begun === null) finish(); }, 20000);
  });
}"""
#: The place of the first chart on the screen; null without one.
CHART = """() => {
  const seen = [];
  const walk = node => {
    if (node.classList && node.classList.contains('bk-events')) seen.push(node.getBoundingClientRect());
    if (node.shadowRoot) walk(node.shadowRoot);
    for (const child of node.children || []) walk(child);
  };
  walk(document.body);
  const box = seen.find(r => r.width > 200 && r.height > 100 && r.top < innerHeight);
  return box ? {x: box.x, y: box.y, width: box.width, height: box.height} : null;
}"""
#: What the chart's caption says: which step is drawn.
CAPTION = """() => {
  const texts = [];
  const walk = node => {
    if (node.nodeType === 3 && /(rollup|raw samples)/.test(node.data)) texts.push(node.data.trim());
    if (node.shadowRoot) walk(node.shadowRoot);
    for (const child of node.childNodes || []) walk(child);
  };
  walk(document.body);
  return texts[0] || '';
}"""
#: Span of the first chart's time axis, in hours.
SPAN = """() => {
  for (const one of Bokeh.documents.filter(Boolean))
    for (const model of one._all_models.values())
      if (model.type === 'Figure' && model.x_range) return (model.x_range.end - model.x_range.start) / 3.6e6;
}"""
