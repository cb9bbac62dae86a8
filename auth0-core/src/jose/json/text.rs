//! The inside of JSON strings.
use std::borrow::Cow;

/// Returns the number of bytes before the end of the string, an escape or a control character. It reads
/// eight bytes at a time, because most of a token is the inside of strings.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return position * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
    bytes.len() - rest.len() + rest.iter().take_while(plain).count()
}

/// Returns a word with the top bit set of the lowest byte that is `"`, `\` or a control character. The bytes
/// above it have no meaning: a subtraction may have borrowed from them.
const fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let quote = zeros(word ^ (ONES * b'"' as u64));
    let backslash = zeros(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & TOPS
}

pub(super) fn unescaped(content: &str) -> Option<Cow<'_, str>> {
    if content.contains('\\') {
        unescape(content).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(content))
    }
}

/// Returns the text of a JSON string's content; `None` for a bad escape or a lone surrogate.
pub(super) fn unescape(content: &str) -> Option<String> {
    let mut text = String::new();
    unescape_into(&mut text, content)?;
    Some(text)
}

/// The same, into a text whose memory is used again.
pub(super) fn unescape_into(text: &mut String, content: &str) -> Option<()> {
    text.clear();
    text.reserve(content.len());
    for_each_char(content, |c| text.push(c))
}

pub(super) fn is_well_escaped(content: &str) -> bool {
    for_each_char(content, |_| {}).is_some()
}

fn for_each_char(content: &str, mut then: impl FnMut(char)) -> Option<()> {
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            then(c);
            continue;
        }
        then(match chars.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match hex4(&mut chars)? {
                high @ 0xd800..=0xdbff => {
                    if chars.next()? != '\\' || chars.next()? != 'u' {
                        return None;
                    }
                    let low @ 0xdc00..=0xdfff = hex4(&mut chars)? else { return None };
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                }
                unit => char::from_u32(unit)?,
            },
            _ => return None,
        });
    }
    Some(())
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.to_digit(16)?))
}
