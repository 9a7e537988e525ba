//! The objects of a JSON file, one at a time: lines of objects, a list of objects, or objects one after the other.

use super::text_file::open_text;
use crate::data::identifier::identifier_of;
use crate::data::import::{RowPlace, Value};
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail};
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

/// Maximum length of one object in bytes. A whole COCO file is one object.
const LONGEST: usize = 1 << 30;

/// A stream of objects.
pub(crate) struct JsonObjects {
    text: Box<dyn BufRead>,
    file: Arc<Path>,
    /// The current line, from 1.
    line: u64,
}

impl JsonObjects {
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { text: open_text(path)?, file: path.into(), line: 1 })
    }

    /// The next object with the line that it begins in; `None` at the end.
    ///
    /// # Errors
    /// Fails if there is something else than objects, or an object is damaged.
    pub fn next_object(&mut self) -> Result<Option<(RowPlace, Written)>> {
        let Some((line, bytes)) = self.next_bytes()? else { return Ok(None) };
        let value = Written::parse(&bytes)
            .with_context(|| format!("{}: line {line}: expected a JSON object", self.file.display()))?;
        if let Some(key) = value.repeated_key() {
            bail!("{}: line {line}: the key {key:?} appears twice with different values", self.file.display());
        }
        Ok(Some((RowPlace { file: Arc::clone(&self.file), row: line }, value)))
    }

    fn next_bytes(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let mut object = Vec::new();
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        let mut first_line = self.line;
        loop {
            let buffer = self.text.fill_buf().with_context(|| format!("cannot read {}", self.file.display()))?;
            if buffer.is_empty() {
                if depth > 0 {
                    bail!("{}: the object that begins in line {first_line} has no end", self.file.display());
                }
                return Ok(None);
            }
            let mut used = 0;
            let mut done = false;
            for byte in buffer {
                used += 1;
                self.line += u64::from(*byte == b'\n');
                if depth == 0 {
                    match byte {
                        b'{' => {
                            depth = 1;
                            first_line = self.line;
                            object.push(*byte);
                        }
                        b'[' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
                        other => bail!(
                            "{}: line {}: expected a JSON object {{…}}, found {:?}",
                            self.file.display(),
                            self.line,
                            char::from(*other)
                        ),
                    }
                    continue;
                }
                object.push(*byte);
                if quoted {
                    quoted = escaped || *byte != b'"';
                    escaped = !escaped && *byte == b'\\';
                    continue;
                }
                match byte {
                    b'"' => quoted = true,
                    b'{' => depth += 1,
                    b'}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    done = true;
                    break;
                }
            }
            self.text.consume(used);
            if done {
                return Ok(Some((first_line, object)));
            }
            if object.len() > LONGEST {
                bail!("{}: line {first_line}: expected an object of at most {LONGEST} bytes", self.file.display());
            }
        }
    }
}

/// The fields of an object as named values. Objects inside it become fields with a dot: `domain.ct_scan`.
pub(in crate::data::import) fn fields_of(object: &Written) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    add_fields(object, "", &mut fields);
    fields
}

fn add_fields(object: &Written, before: &str, fields: &mut Vec<(String, Value)>) {
    let Written::Object(entries) = object else { return };
    for (key, value) in entries {
        let key = format!("{before}{key}");
        match value {
            Written::Object(_) => add_fields(value, &format!("{key}."), fields),
            other => fields.push((key, value_of(other))),
        }
    }
}

fn value_of(value: &Written) -> Value {
    match value {
        Written::Null | Written::NotFinite(_) | Written::Object(_) => Value::Missing,
        Written::Bool(value) => Value::Bool(*value),
        Written::Number(_) => identifier_of(value).map_or(Value::Missing, Value::Number),
        Written::Text(text) => Value::Text(text.clone()),
        Written::List(items) => Value::List(items.iter().map(value_of).collect()),
    }
}
