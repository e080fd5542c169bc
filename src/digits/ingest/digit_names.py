"""Names of digits, as people call folders: 7, seven, class_7, label=7, ٧."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORDS = """
    zero one two three four five six seven eight nine
    null eins zwei drei vier fünf sechs sieben acht neun
    zéro un deux trois quatre cinq six sept huit neuf
    cero uno dos tres cuatro cinco seis siete ocho nueve
    zero uno due tre quattro cinque sei sette otto nove
    zero um dois três quatro cinco seis sete oito nove
    nul een twee drie vier vijf zes zeven acht negen
    noll ett två tre fyra fem sex sju åtta nio
    nul en to tre fire fem seks syv otte ni
    zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć
    ноль один два три четыре пять шесть семь восемь девять
    sıfır bir iki üç dört beş altı yedi sekiz dokuz
    nol satu dua tiga empat lima enam tujuh delapan sembilan
    零 一 二 三 四 五 六 七 八 九
    영 일 이 삼 사 오 육 칠 팔 구
"""
_FILLERS = frozenset(
    "class cls category cat label lbl y target digit digits number num no n d c s the "
    "ziffer klasse zahl chiffre classe nombre cifra dígito digito numero número clase".split()
)
_ENGLISH = dict(zip(_WORDS.split()[:10], range(10), strict=True))
_SAID = re.compile(r"(?:label|class|digit|lbl|cls)[ _=-]*([0-9])(?![0-9])", re.IGNORECASE)
_TOKENS = re.compile(r"[^\W\d_]+|\d+")


def _plain(text: str) -> str:
    """Lowercase, in compatible characters, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _meanings() -> dict[str, int]:
    """What each word means; a word with two meanings in two languages (`sex`, `sei`) has none."""
    found: dict[str, set[int]] = {}
    for line in _WORDS.strip().splitlines():
        for digit, word in enumerate(line.split()):
            found.setdefault(_plain(word), set()).add(digit)
    return {word: min(digits) for word, digits in found.items() if len(digits) == 1}


_MEANINGS = _meanings()


@lru_cache(4096)  # each file asks again for its folders
def named_digit(name: str) -> int | None:
    """The one digit that a folder's name stands for, or None.

    The name is a digit in any script or a word for one in a common language, alone or beside a word
    such as `class` or `digit`. Both together must agree: `7_seven`.
    """
    digits: set[int] = set()
    for token in _TOKENS.findall(_plain(name)):
        digit = _digit_of(token)
        if digit is not None:
            digits.add(digit)
        elif token not in _FILLERS:
            return None
    return digits.pop() if len(digits) == 1 else None


def said_digit(name: str) -> int | None:
    """The one digit that the name of a file says in words, or None: seven_1, img_12_label_7.

    Words are English ones alone: in a name of many, `to` and `en` are seldom 2 and 1 in Danish.
    """
    digits = {int(match[1]) for match in _SAID.finditer(name)}
    digits |= {_ENGLISH[token] for token in _TOKENS.findall(name.casefold()) if token in _ENGLISH}
    return digits.pop() if len(digits) == 1 else None


def _digit_of(token: str) -> int | None:
    if token in _MEANINGS:
        return _MEANINGS[token]
    for plural in ("s", "es"):  # a folder of sevens
        if token.removesuffix(plural) in _ENGLISH:
            return _ENGLISH[token.removesuffix(plural)]
    if not token.isdecimal():
        return None
    number = int(token)  # in any script
    return number if len(token) == 1 or (len(token) == 2 and number < 10) else None
