"""The encoding of bytes is told by the letters they are: words of other languages with the same bytes stay what they are."""

from __future__ import annotations

import pytest

from streamrnn_files.line_stage import encoding_of


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Größe;°C;naïve", "cp1252"),
        ("Zeit;m³h;Nm³h", "cp1252"),
        ("Veður;Hiti í Reykjavík;þrýstingur", "cp1252"),
        ("Tšehhi;Võru;Põhja", "cp1252"),
        ("zużycie;przepływ", "cp1250"),
        ("Středočeský;další;šedá žába", "cp1250"),
        ("Değer;gölge", "cp1254"),
        ("Температура", "cp1251"),
        ("温度;湿度;时间", "gb18030"),
        ("온도;습도;시간", "cp949"),
        ("ひらがな;カタカナ", "cp932"),
        ("Größe;温度;온도", "utf-8"),
    ],
)
def test_letters_tell_their_encoding(text, encoding):
    """What is written in an encoding is read back."""
    found = encoding_of(text.encode(encoding))

    assert found == encoding
