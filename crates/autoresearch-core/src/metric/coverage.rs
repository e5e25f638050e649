//! Owns the reading of coverage reports: which of the known forms one has, and how many of its lines are covered.
//! Does not open the report, nor know whether it is of now.
//! Invariant: a report without lines is refused, never 0 or 100 per cent.

mod json;
mod lines;
mod text;
mod xml;

pub use self::lines::{CoverageError, LineCoverage};

/// Reads a report; what it is, its beginning says.
pub fn read_coverage(bytes: &[u8]) -> Result<LineCoverage, CoverageError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.trim_ascii_start();
    let found = match bytes.first() {
        Some(b'{') => json::read_json(bytes)?,
        Some(b'<') => xml::read_xml(bytes)?,
        _ => {
            let text = String::from_utf8_lossy(bytes);
            if text.starts_with("mode:") {
                text::read_go_profile(&text)?
            } else {
                text::read_lcov(&text)?
            }
        }
    };
    if found.lines == 0 || found.covered > found.lines {
        return Err(CoverageError::Empty);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
