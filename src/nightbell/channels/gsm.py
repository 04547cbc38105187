"""Fits text into SMS segments, as telephone networks count them. Pure.

One character outside the GSM alphabet turns the whole message into UCS-2 and halves what fits, so look-alikes are
replaced first. Source: 3GPP TS 23.038 (alphabet, extension table), 23.040 (segments of 153 and 67).
"""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "^{}\\[~]|€\f"
_COST = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENDED, 2)}
_LOOK_ALIKES = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "…": "...",
     "•": "*", "·": "-", "\u00a0": " ", "\u202f": " ", "\t": " ", "`": "'", "«": '"', "»": '"', "×": "x", "→": "->"}
)  # fmt: skip
#: (one message, each part of several) in units of the alphabet.
_GSM_ROOM = (160, 153)
_UCS2_ROOM = (70, 67)


def plain(text: str) -> str:
    """Return the text with typographic characters replaced by those of the GSM alphabet."""
    return text.translate(_LOOK_ALIKES)


def is_gsm(text: str) -> bool:
    """Return whether the text needs no UCS-2."""
    return all(character in _COST for character in text)


def length(text: str) -> int:
    """Return how many units the text takes: septets, or UTF-16 code units where it is not GSM."""
    if is_gsm(text):
        return sum(_COST[character] for character in text)
    return len(text.encode("utf-16-le")) // 2


def segments(text: str) -> int:
    """Return into how many parts the network cuts the text."""
    alone, part = _GSM_ROOM if is_gsm(text) else _UCS2_ROOM
    size = length(text)
    return 1 if size <= alone else -(-size // part)


def fitting(head: str, tail: str, *, most: int) -> str:
    """Return `head` cut with a mark so that it and the whole `tail` fit into `most` segments.

    Shape: `tail` holds links and codes and is never cut; it must fit by itself.
    """
    if segments(head + tail) <= most:
        return head + tail
    mark = "..." if is_gsm(head + tail) else "…"
    short, long = 0, len(head)
    while short < long:
        middle = (short + long + 1) // 2
        if segments(head[:middle].rstrip() + mark + tail) <= most:
            short = middle
        else:
            long = middle - 1
    return head[:short].rstrip() + mark + tail
