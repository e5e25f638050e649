//! Owns how an input is spoiled: what is cut, doubled, swapped, put in or nested without end.
//! Does not know what reads it.
//! Invariant: the same dice spoil an input alike, and no input is longer than the bound.

use crate::dice::Dice;

/// No input is longer.
const MOST: usize = 1 << 16;

/// What is put into an input: what formats are made of, and what they seldom meet.
const TOKENS: [&[u8]; 44] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b":",
    b",",
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b"\\",
    b"`",
    b"$(",
    b"${",
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!binary ",
    b"|\n",
    b"- ",
    b"#",
    b"%",
    b"--",
    b"..",
    b"/",
    b"**",
    b"[!",
    b"(?",
    b"null",
    b"true",
    b"-0",
    b"1e999999999",
    b"99999999999999999999999999",
    b"0.1.2",
    b"NaN",
    b"\xff\xfe",
    b"\xc3",
    b"\xe2\x80\xae",
    b"\x1b[2K",
    b"METRIC x=1",
    b"DIRC\0\0\0\x02",
    b"<!ENTITY a \"&a;\">",
];

/// What is nested without end.
const NESTS: [&[u8]; 12] = [
    b"[", b"{\"a\":", b"(", b"$(", b"`", b"- ", b"{a: ", b"<a>", b"\"", b"{", b"!", b"((",
];

/// Spoils an input, now and then with a piece of another one.
pub(crate) fn spoil(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    // Now and then it stays as it is: what is valid must be read.
    let times = dice.pick(&[0, 1, 1, 2, 3, 5, 12]);
    for _ in 0..times {
        spoil_once(&mut bytes, other, dice);
        bytes.truncate(MOST);
    }
    bytes
}

fn spoil_once(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.index(bytes.len() + 1);
    let end = at + dice.index((bytes.len() - at).min(64) + 1);
    match dice.below(10) {
        0 if !bytes.is_empty() => {
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << dice.below(8);
        }
        1 => drop(bytes.drain(at..end)),
        2 => bytes.truncate(at),
        3 => bytes.extend_from_within(at..end),
        4 => {
            let from = dice.index(other.len() + 1);
            let to = from + dice.index((other.len() - from).min(200) + 1);
            put_in(bytes, at, &other[from..to]);
        }
        5 => {
            let times = dice.pick(&[3, 100, 5_000]);
            put_in(bytes, at, &dice.pick(&NESTS).repeat(times));
        }
        6 => swap_lines(bytes, dice),
        7 => {
            let piece = bytes[at..end].to_vec();
            put_in(bytes, at, &piece.repeat(dice.pick(&[2, 50, 2_000])));
        }
        8 => {
            let token = dice.pick(&TOKENS).to_vec();
            drop(bytes.splice(at..end, token));
        }
        _ => put_in(bytes, at, dice.pick(&TOKENS)),
    }
}

fn put_in(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}

fn swap_lines(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let (one, two) = (dice.index(lines.len()), dice.index(lines.len()));
    lines.swap(one, two);
    *bytes = lines.join(&b'\n');
}
