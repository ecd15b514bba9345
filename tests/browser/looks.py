"""What a page must look like, asked of the browser itself; each returns what is wrong."""

from __future__ import annotations

from typing import Final

# Everything that can be worked has a name for who does not see it.
NAMELESS: Final = """() => [...document.querySelectorAll(
        "a, button, input:not([type=hidden]), select, textarea")]
    .filter((each) => each.checkVisibility())
    .filter((each) => !(each.textContent.trim() || each.getAttribute("aria-label")
        || each.labels?.length))
    .map((each) => each.outerHTML)"""

# WCAG 2.2, 1.4.3: 4.5 to 1, for large letters 3 to 1. Backgrounds here are plain colours.
TOO_FAINT: Final = """() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = parts(colour).map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const colour = getComputedStyle(each).backgroundColor;
            if ((parts(colour)[3] ?? 1) === 1) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const written = [...document.querySelectorAll("body *")].filter((element) =>
        element.checkVisibility() && !element.closest("svg, .visually-hidden, .skip")
        && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return written.flatMap((element) => {
        const style = getComputedStyle(element);
        const [one, other] = [luminance(style.color), luminance(ground(element))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const isLarge = parseFloat(style.fontSize) >= 24
            || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
        return contrast < (isLarge ? 3 : 4.5)
            ? [`${contrast.toFixed(2)} ${element.outerHTML.slice(0, 120)}`] : [];
    });
}"""
