//! What an input that is not UTF-8 may be written in, for a message: the command that converts it, and what it would give.
//!
//! Nothing tells the encodings of one byte for a character apart for certain. So the publisher is shown what each of them
//! makes of a word of the input, the likeliest first, and decides.

use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding};
use oem_cp::code_table::{DECODING_TABLE_CP850, DECODING_TABLE_CP852};

/// How many readings are shown at most.
const SHOWN: usize = 6;

/// How many words are looked at for one that the readings disagree about.
const WORDS: usize = 500;

/// How many characters of a word are shown at most.
const SHOWN_CHARACTERS: usize = 30;

/// What one encoding makes of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The name of the encoding, as `iconv` takes it.
    pub iconv: &'static str,
    /// A word of the input.
    pub word: String,
}

/// What can be done about an input that is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// It is UTF-16 or UTF-32.
    Wide {
        /// The name of the encoding, as `iconv` takes it.
        iconv: &'static str,
    },
    /// It is in one of these encodings, the likeliest first.
    Convert(Vec<Reading>),
    /// Most of it is UTF-8: to convert all of it would spoil that.
    Mixed(Vec<Reading>),
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wide { iconv } => {
                write!(f, "this looks like {iconv}; save it as UTF-8, or convert it with {}", Command(iconv))
            }
            Self::Convert(readings) if readings.is_empty() => f.write_str("save it as UTF-8, or convert it with iconv"),
            Self::Convert(readings) => {
                f.write_str(
                    "save it as UTF-8, or convert it with the command that gives the right text, the likeliest first: ",
                )?;
                list(f, readings, |reading| {
                    format!("{} gives `{}`", Command(reading.iconv), reading.word.escape_debug())
                })
            }
            Self::Mixed(readings) => {
                f.write_str(
                    "the rest is UTF-8, so converting the input would spoil it; write this part in UTF-8, too",
                )?;
                if !readings.is_empty() {
                    f.write_str(" (it reads ")?;
                    list(f, readings, |reading| format!("`{}` in {}", reading.word.escape_debug(), reading.iconv))?;
                    f.write_str(")")?;
                }
                Ok(())
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, readings: &[Reading], show: impl Fn(&Reading) -> String) -> fmt::Result {
    let shown: Vec<String> = readings.iter().map(show).collect();
    f.write_str(&shown.join(", "))
}

struct Command<'a>(&'a str);

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "iconv -f {} -t UTF-8", self.0)
    }
}

/// UTF-16 and UTF-32, by a byte order mark or by the zeros that ASCII has in them.
pub(super) fn wide(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Some("UTF-16"),
        _ => {}
    }
    let start = &head[..head.len().min(256)];
    let zeros = |offset| start.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let most = |zeros| start.len() >= 4 && 3 * zeros >= start.len();
    match (zeros(0), zeros(1)) {
        (0, odd) if most(odd) => Some("UTF-16LE"),
        (even, 0) if most(even) => Some("UTF-16BE"),
        _ => None,
    }
}

/// Advice for `sample`, in which something is not UTF-8. Before it there were `before` characters of more than one byte.
pub(super) fn advice(sample: &[u8], before: u64) -> Advice {
    if let Some(iconv) = wide(sample).filter(|_| before == 0) {
        return Advice::Wide { iconv };
    }
    let (mut valid, mut invalid) = (before, 0);
    let mut first = None;
    let mut at = 0;
    for chunk in sample.utf8_chunks() {
        valid += chunk.valid().chars().filter(|char| !char.is_ascii()).count() as u64;
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            invalid += 1;
            first.get_or_insert(at);
        }
        at += chunk.invalid().len();
    }
    let guess = guess(sample);
    if valid > 2 * invalid {
        let word = words(sample).find(|word| first.is_some_and(|first| word.contains(&first)));
        let word = word.map_or(&[][..], |word| &sample[word]);
        let candidates = likely(guess, word);
        return Advice::Mixed(different(candidates.iter().filter_map(|candidate| candidate.reading(word))));
    }
    let candidates = likely(guess, sample);
    // The word that they disagree about most.
    let foreign = words(sample).map(|word| &sample[word]).filter(|word| !word.is_ascii()).take(WORDS);
    let mut best = Vec::new();
    for word in foreign {
        let next = different(candidates.iter().filter_map(|candidate| candidate.reading(word)));
        if next.len() > best.len() {
            best = next;
        }
    }
    best.truncate(SHOWN);
    Advice::Convert(best)
}

/// Of readings that are the same the likelier one is enough.
fn different(readings: impl Iterator<Item = Reading>) -> Vec<Reading> {
    let mut different: Vec<Reading> = Vec::new();
    for reading in readings {
        if different.iter().all(|known| known.word != reading.word) {
            different.push(reading);
        }
    }
    different
}

/// The words of a sample. No encoding has these separators as a part of another character.
fn words(sample: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    sample.split(|byte| b" ,;\t\"\r\n:{}[]".contains(byte)).map(move |word| {
        let range = start..start + word.len();
        start = range.end + 1;
        range
    })
}

#[derive(Clone, Copy)]
enum Candidate {
    /// One that browsers know.
    Web(&'static Encoding),
    /// One of DOS, which they do not know: its name and its upper half.
    Dos(&'static str, &'static [char; 128]),
}

const CP850: Candidate = Candidate::Dos("CP850", &DECODING_TABLE_CP850);
const CP852: Candidate = Candidate::Dos("CP852", &DECODING_TABLE_CP852);

impl Candidate {
    /// What `iconv` calls it.
    fn iconv(self) -> &'static str {
        let encoding = match self {
            Self::Web(encoding) => encoding,
            Self::Dos(name, _) => return name,
        };
        match encoding.name() {
            "macintosh" => "MACINTOSH",
            "windows-1250" => "WINDOWS-1250",
            "windows-1251" => "WINDOWS-1251",
            "windows-1252" => "WINDOWS-1252",
            "windows-1253" => "WINDOWS-1253",
            "windows-1254" => "WINDOWS-1254",
            "windows-1255" => "WINDOWS-1255",
            "windows-1256" => "WINDOWS-1256",
            "windows-1257" => "WINDOWS-1257",
            "windows-1258" => "WINDOWS-1258",
            "windows-874" => "CP874",
            "ISO-8859-8-I" => "ISO-8859-8",
            "Shift_JIS" => "CP932",
            "EUC-KR" => "CP949",
            "Big5" => "BIG5-HKSCS",
            "GBK" | "gb18030" => "GB18030",
            name => name,
        }
    }

    /// The text; `None` when it is not in this encoding. A character may be cut at the end.
    fn decode(self, bytes: &[u8]) -> Option<String> {
        let text = match self {
            Self::Dos(_, table) => oem_cp::decode_string_complete_table(bytes, table),
            Self::Web(encoding) => {
                let mut decoder = encoding.new_decoder_without_bom_handling();
                let mut text = String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
                match decoder.decode_to_string_without_replacement(bytes, &mut text, false) {
                    (DecoderResult::InputEmpty, _) => text,
                    _ => return None,
                }
            }
        };
        // Bytes that stand for nothing.
        let control = |char: char| ('\u{80}'..'\u{a0}').contains(&char);
        (!text.contains(control)).then_some(text)
    }

    fn reading(self, word: &[u8]) -> Option<Reading> {
        let text = self.decode(word)?;
        Some(Reading { iconv: self.iconv(), word: text.chars().take(SHOWN_CHARACTERS).collect() })
    }
}

/// What a detector takes the sample for; it knows what browsers know.
fn guess(sample: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The encodings that the sample may be in, the likeliest first.
fn likely(guess: &'static Encoding, sample: &[u8]) -> Vec<Candidate> {
    use encoding_rs::{ISO_8859_2, ISO_8859_15, MACINTOSH, WINDOWS_1250, WINDOWS_1252};
    let mut candidates = vec![Candidate::Web(guess)];
    let mut add = |encoding: &'static Encoding| {
        if encoding != guess {
            candidates.push(Candidate::Web(encoding));
        }
    };
    add(WINDOWS_1252);
    add(MACINTOSH);
    // It differs from the first in the sign of the euro.
    if sample.contains(&0xA4) {
        add(ISO_8859_15);
    }
    add(WINDOWS_1250);
    add(ISO_8859_2);
    candidates.extend([CP850, CP852]);
    // Of another language than those of the west the detector knows more than the list of letters; of one letter nothing.
    let certain = guess != WINDOWS_1252 && sample.iter().filter(|byte| !byte.is_ascii()).count() > 1;
    let odd = |candidate: &Candidate| {
        let guessed = matches!(candidate, Candidate::Web(encoding) if *encoding == guess);
        candidate.decode(sample).map(|text| oddness(&text, !(certain && guessed)))
    };
    let mut candidates: Vec<_> =
        candidates.into_iter().filter_map(|candidate| Some((odd(&candidate)?, candidate))).collect();
    candidates.sort_by_key(|(oddness, _)| *oddness);
    candidates.into_iter().map(|(_, candidate)| candidate).collect()
}

/// How unlike a text it is: symbols within words, capitals behind small letters, letters that are rare.
fn oddness(text: &str, rare_letters: bool) -> u64 {
    const FREQUENT: &str = "éèàäöüßñçáíóúãõåøæ’";
    const KNOWN: &str = "âëìîïòôœùûýÀÂÄÁÃÅÆÇÉÈÊËÍÎÑÓÔÖÕØŒÚÜê";
    const SYMBOLS: &str = "‘“”„«»–—…€£§°·©®™²³½¿¡ºª\u{a0}";
    let mut oddness = 0;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let misplaced =
            char.is_uppercase() && (before.is_lowercase() || after.is_lowercase() && before.is_alphabetic());
        let foreign = char > '\u{250}' && (before.is_ascii_alphabetic() || after.is_ascii_alphabetic());
        oddness += match char {
            _ if char.is_ascii() || FREQUENT.contains(char) => 0,
            _ if char.is_alphabetic() => {
                let rare = if KNOWN.contains(char) { 1 } else { 2 };
                6 * u64::from(misplaced) + 8 * u64::from(foreign) + if rare_letters { rare } else { 0 }
            }
            _ if before.is_alphabetic() && after.is_alphabetic() => 10,
            _ if SYMBOLS.contains(char) => 2,
            _ => 6,
        };
        before = char;
    }
    oddness
}
