"""The tab where runs are looked at and compared."""

import html

import gradio as gr

from sflowgan_tf.evaluation.report import PLOT, embedded
from sflowgan_tf.playing import gallery

NONE = "none"


class RunsTab:
    """Its components."""

    def __init__(self) -> None:
        """Lays them out."""
        self.hint = gr.HTML(apply_default_css=False)
        with gr.Row():
            self.names = [
                gr.Dropdown([NONE], value=NONE, label=label) for label in ("Run", "Beside it")
            ]
        with gr.Row(elem_classes="stage"):
            self.shown = [gr.HTML(apply_default_css=False, min_height=40) for _ in self.names]


def chosen(names: list[str]) -> list[str]:
    """What the two drop-downs say at first: the two latest runs."""
    return [*names, NONE, NONE][:2]


def hint(names: list[str]) -> str:
    """HTML of what to do where there are no runs."""
    if names:
        return ""
    return (
        '<p class="note-line">There are no runs here yet. <code>make fit</code> trains one in '
        "minutes; its sheets, curves and evaluation appear here, and it joins the models above.</p>"
    )


def shown(name: str | None, picture: str | None, why: str) -> str:
    """HTML of a run: what it paints of the scene, its sheet, curves and evaluation.

    Args:
        name: of the run; "none" for an empty column.
        picture: data URI of the scene as it paints it; None where it can't.
        why: a sentence, where it can't.

    Raises:
        UserError: there is none of that name.
    """
    if name in (None, NONE):
        return ""
    left = gallery.Left.by(name)
    parts = [f"<h3>{html.escape(left.name)}</h3><p>{html.escape(left.facts)}</p>"]
    if picture is None:
        parts.append(f"<p>{html.escape(why)}</p>")
    else:
        parts.append(_figure(picture, "The scene of the first tab, painted by this run"))
    parts += [_figure(embedded(sheet), f"Sheet {sheet.stem}") for sheet in left.sheets]
    curves = [_curve(curve) for curve in left.curves()]
    if curves:
        parts.append(f'<h4>Losses</h4><div class="curves">{"".join(curves)}</div>')
    page = left.report
    if page is None and left.paints:
        parts.append(
            "<p>No evaluation yet: <code>python -m sflowgan_tf.evaluate --run "
            f"{html.escape(left.name)}</code></p>"
        )
    elif page is not None:
        parts.append(
            "<details><summary>Evaluation</summary>"
            f'<iframe title="Evaluation of {html.escape(left.name, quote=True)}" sandbox="" '
            f'srcdoc="{html.escape(page, quote=True)}"></iframe></details>'
        )
    return f'<section class="run">{"".join(parts)}</section>'


def _figure(source: str, caption: str) -> str:
    text = html.escape(caption, quote=True)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def _curve(curve: dict) -> str:
    width, height = PLOT
    name = html.escape(curve["name"], quote=True)
    return (
        f'<figure><svg viewBox="-2 -2 {width + 4} {height + 4}" role="img" aria-label="{name}, '
        f'from {curve["low"]} to {curve["high"]}"><path d="{curve["path"]}"/></svg>'
        f"<figcaption>{name}<br>{curve['low']} to {curve['high']}, "
        f"steps {curve['first']} to {curve['last']}</figcaption></figure>"
    )
