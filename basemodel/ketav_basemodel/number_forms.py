"""Numbers as notes have them: counts, dates, times, prices and telephone numbers."""

import numpy as np


def draw_number(random: np.random.Generator) -> str:
    """Draw a number: a count, year, date, time, share, range, price or telephone number."""
    n = [int(v) for v in random.integers(1, 32, size=4)]
    forms = (
        str(n[0]),
        str(int(random.integers(1, 10_000))),
        str(int(random.integers(1800, 2030))),
        f"{n[0]}/{n[1] % 12 + 1}/{int(random.integers(1990, 2030))}",
        f"{n[0]}.{n[1] % 12 + 1}.{n[2]:02d}",
        f"{n[0]}.{n[1] % 12 + 1}",
        f"{n[0] % 24}:{n[1] + n[2] % 28:02d}",
        f"{n[0] * 3}%",
        f"{n[0]}-{n[0] + n[1]}",
        f"{n[0]}.",
        f"{n[0]})",
        f"{n[0]}+{n[1]}={n[0] + n[1]}",
        _price(random),
        _phone(random),
    )
    return forms[int(random.integers(len(forms)))]


def number_words(count: int, seed: int = 5) -> dict[str, float]:
    """Draw `count` numbers; return their words and how often each came."""
    random = np.random.default_rng(seed)
    words: dict[str, float] = {}
    for word in " ".join(draw_number(random) for _ in range(count)).split():
        words[word] = words.get(word, 0.0) + 1
    return words


def _price(random: np.random.Generator) -> str:
    """Draw a price: mostly in shekels, the sign before or after the amount."""
    sign = "₪₪₪$€"[int(random.integers(5))]
    amount = str(int(random.integers(1, 2000))) if random.random() < 0.7 else f"{random.uniform(1, 300):.2f}"
    return (f"{sign}{amount}", f"{amount}{sign}", f"{amount} {sign}")[int(random.integers(3))]


def _phone(random: np.random.Generator) -> str:
    """Draw an Israeli telephone number, with hyphens or without."""
    digits = "".join(str(d) for d in random.integers(0, 10, size=7))
    area = ("02", "03", "04", "08", "09", "050", "052", "053", "054", "058", "077")[int(random.integers(11))]
    return (f"{area}-{digits}", f"{area}{digits}", f"{area}-{digits[:3]}-{digits[3:]}", f"*{digits[:4]}")[
        int(random.integers(4))
    ]
