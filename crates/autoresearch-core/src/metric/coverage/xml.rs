//! Owns the coverage reports in XML: Cobertura's, Clover's and `JaCoCo`'s.
//! Does not follow what a document type or an entity names.
//! Invariant: a report that ends before its root element does is damaged.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::lines::{CoverageError, LineCoverage, LineTally};

/// What has been read so far.
#[derive(Default)]
struct XmlReport {
    /// The name of the root element.
    root: Option<String>,
    depth: usize,
    /// The file that the lines belong to.
    file: String,
    tally: LineTally,
    /// `JaCoCo`'s sum.
    sum: Option<LineCoverage>,
}

pub(super) fn read_xml(bytes: &[u8]) -> Result<LineCoverage, CoverageError> {
    let text = String::from_utf8_lossy(bytes);
    let damaged = |error: String| CoverageError::Damaged(error);
    let mut reader = Reader::from_str(&text);
    let mut report = XmlReport::default();
    loop {
        match reader.read_event() {
            Err(error) => return Err(damaged(error.to_string())),
            Ok(Event::Start(element)) => {
                report.read_element(&element)?;
                report.depth += 1;
            }
            Ok(Event::Empty(element)) => report.read_element(&element)?,
            Ok(Event::End(_)) => report.depth = report.depth.saturating_sub(1),
            Ok(Event::Eof) => break,
            Ok(_) => {}
        }
    }
    if report.depth > 0 {
        return Err(damaged("it ends before its last element".to_owned()));
    }
    match report.root.as_deref() {
        Some("coverage") => Ok(report.tally.count_lines()),
        Some("report") => Ok(report.sum.unwrap_or_default()),
        _ => Err(CoverageError::Unknown),
    }
}

impl XmlReport {
    fn read_element(&mut self, element: &BytesStart<'_>) -> Result<(), CoverageError> {
        let name = element.local_name();
        match name.as_ref() {
            _ if self.root.is_none() => self.root = Some(name.as_ref().to_owned()),
            // Cobertura.
            "class" => {
                if let Some(file) = find_text(element, "filename") {
                    self.file = file;
                }
            }
            // Clover.
            "file" => {
                let file = find_text(element, "path").or_else(|| find_text(element, "name"));
                self.file = file.unwrap_or_default();
            }
            "line" if self.root.as_deref() == Some("coverage") => self.read_line(element)?,
            "counter" if self.depth == 1 => self.read_counter(element)?,
            _ => {}
        }
        Ok(())
    }

    /// Cobertura's `number` and `hits`, or Clover's `num` and `count`.
    fn read_line(&mut self, element: &BytesStart<'_>) -> Result<(), CoverageError> {
        let [line, hits] = if find_text(element, "number").is_some() {
            ["number", "hits"]
        } else {
            ["num", "count"]
        }
        .map(|key| find_number(element, key));
        let (line, hits) = (line?, hits?);
        self.tally.note_line(&self.file, line, hits > 0);
        Ok(())
    }

    fn read_counter(&mut self, element: &BytesStart<'_>) -> Result<(), CoverageError> {
        if find_text(element, "type").as_deref() == Some("LINE") {
            let covered = find_number(element, "covered")?;
            let missed = find_number(element, "missed")?;
            self.sum = Some(LineCoverage {
                covered,
                lines: covered.saturating_add(missed),
            });
        }
        Ok(())
    }
}

fn find_text(element: &BytesStart<'_>, key: &str) -> Option<String> {
    let found = element.try_get_attribute(key).ok()??;
    Some(found.value.into_owned())
}

fn find_number(element: &BytesStart<'_>, key: &str) -> Result<u64, CoverageError> {
    let number = find_text(element, key).and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| {
        let name = element.local_name();
        CoverageError::Damaged(format!(
            "a `{}` without a number for `{key}`",
            name.as_ref()
        ))
    })
}
