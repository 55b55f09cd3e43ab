"""The colours of a sheet, inside the file: it is opened where the portal's style sheets are not.

The page has the same classes in static/portal/wall.css, with the portal's own colours, light and dark.
"""

from __future__ import annotations

#: The families of `projects.wall_chart.fonts`, in the same order, then whatever there is.
FAMILIES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "DengXian",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "STHeiti",
    "Heiti SC",
    "SimSun",
)

_LIGHTS = {
    "red": ("#a01a1d", "#b3282b", "#fbecea"),
    "yellow": ("#7d5200", "#e0a526", "#fcf3da"),
    "green": ("#1f6b3c", "#4d9a68", "#e8f4ec"),
    "blue": ("#1f518c", "#5b89c0", "#e7eff8"),
    "grey": ("#555b63", "#9a9ea5", "#eeeeed"),
}


def _rules() -> str:
    families = ",".join(f"'{name}'" for name in FAMILIES)
    rules = [
        f"text{{font-family:{families},sans-serif;fill:#1c1e22}}",
        ".paper{fill:#fff}",
        ".title,.group-name,.upper,.now{font-weight:700}",
        ".filters,.as-of,.column,.who,.legend,.step{fill:#474b52}",
        ".group-count{fill:#474b52}",
        ".demo{fill:none;stroke:#666b73;stroke-width:.5;stroke-dasharray:1.5 1}",
        ".demo-word{fill:#474b52;font-weight:700}",
        ".rule{stroke:#1c1e22;stroke-width:.5}",
        ".hair{stroke:#e4e1db;stroke-width:.25}",
        ".group{fill:#efede8}",
        # the head and the lines behind the rows
        ".upper,.lower{font-size:13px;text-anchor:middle;fill:#474b52}",
        ".upper-line{stroke:#666b73;stroke-width:1}",
        ".lower-line,.month{stroke:#c8c4bc;stroke-width:.8}",
        ".week{stroke:#e4e1db;stroke-width:.5}",
        ".today{stroke:#1c1e22;stroke-width:1.8}",
        ".flag{fill:#1c1e22}",
        ".flag-word{fill:#fff;font-size:10.5px;font-weight:700;text-anchor:middle}",
        # bars
        ".track{stroke-width:1}",
        ".open{stroke-dasharray:3 2}",
        ".ghost{fill:#9a9ea5}",
        ".ghost-end{stroke:#666b73;stroke-width:1.4}",
        ".key-done{fill:#4d9a68}",
        ".edge path{fill:#666b73}",
        ".undated{font-size:11px;fill:#666b73}",
        # milestones
        ".moved{stroke:#666b73;stroke-width:1;stroke-dasharray:2 1.5}",
        ".was{fill:#fff;stroke:#666b73;stroke-width:1}",
        ".mark{fill:none;stroke:#fff;stroke-width:1.7;stroke-linecap:round}",
        ".dot{fill:#1c1e22}",
        ".ring{fill:#fff;stroke-width:1.8}",
        ".hollow{fill:none;stroke:#555b63;stroke-width:3}",
    ]
    for tone, (ink, fill, wash) in _LIGHTS.items():
        rules += [
            f".tone-{tone} .track,.tone-{tone}.track{{fill:{wash};stroke:{fill}}}",
            f".tone-{tone} .done{{fill:{fill}}}",
            f".d-{tone} .fill{{fill:{fill};stroke:#fff;stroke-width:.8}}",
            f".d-{tone} .ring{{stroke:{ink}}}",
            f".light-{tone}{{fill:{fill}}}",
        ]
    return "".join(rules)


SHEET_STYLE = _rules()
