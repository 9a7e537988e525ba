//! Parquet, one row group, compressed with gzip: strings, lists of strings, booleans, doubles and UTC timestamps in
//! microseconds, every column optional. An object is a string of JSON.

use super::{Column, Kind, TableExport};
use anyhow::{Context, Result};
use parquet::basic::{Compression, GzipLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Writes the rows as a whole Parquet file.
///
/// # Errors
/// Fails if `output` cannot be written.
pub fn write_parquet(table: &TableExport, output: &mut (dyn Write + Send)) -> Result<()> {
    let schema = parse_message_type(&schema_of(table)).context("cannot make the schema of the Parquet file")?;
    let properties = WriterProperties::builder().set_compression(Compression::GZIP(GzipLevel::default())).build();
    let mut file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for column in table.columns {
        let mut writer = group.next_column()?.with_context(|| format!("column {} has no place", column.name))?;
        write_column(table, *column, &mut writer).with_context(|| format!("cannot write column {}", column.name))?;
        writer.close()?;
    }
    group.close()?;
    file.close()?;
    Ok(())
}

fn schema_of(table: &TableExport) -> String {
    let mut schema = String::from("message rows {\n");
    for Column { name, kind } in table.columns {
        schema.push_str(&match kind {
            Kind::Text | Kind::Object => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);\n"),
            Kind::Flag => format!("OPTIONAL BOOLEAN {name};\n"),
            Kind::Number => format!("OPTIONAL DOUBLE {name};\n"),
            Kind::Time => format!("OPTIONAL INT64 {name} (TIMESTAMP(MICROS,true));\n"),
            Kind::List => format!(
                "OPTIONAL GROUP {name} (LIST) {{ REPEATED GROUP list {{ REQUIRED BYTE_ARRAY element (UTF8); }} }}\n"
            ),
        });
    }
    schema.push('}');
    schema
}

/// Definition and repetition levels. A value of an optional column is defined (1) or not (0); a list is missing (0),
/// empty (1) or has elements (2), the first of which begins a row (repetition 0) and the others continue it (1).
fn write_column(table: &TableExport, column: Column, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
    let (mut defined, mut repeated): (Vec<i16>, Vec<i16>) = (Vec::new(), Vec::new());
    let (mut texts, mut flags, mut numbers, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let bytes = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    for row in &table.rows {
        let value = &row[column.name];
        defined.push(i16::from(!value.is_null()));
        repeated.push(0);
        match value {
            Value::Null => {}
            Value::String(text) if column.kind == Kind::Time => {
                let time = OffsetDateTime::parse(text, &Rfc3339).with_context(|| format!("{text} is no time"))?;
                times.push((time.unix_timestamp_nanos() / 1000) as i64);
            }
            Value::String(text) => texts.push(bytes(text)),
            Value::Bool(flag) => flags.push(*flag),
            Value::Number(number) => numbers.push(number.as_f64().with_context(|| format!("{number} is no number"))?),
            Value::Array(items) => {
                for (place, text) in items.iter().filter_map(Value::as_str).enumerate() {
                    if place > 0 {
                        defined.push(2);
                        repeated.push(1);
                    } else if let Some(first) = defined.last_mut() {
                        *first = 2;
                    }
                    texts.push(bytes(text));
                }
            }
            Value::Object(_) => texts.push(bytes(&value.to_string())),
        }
    }
    let defined = Some(defined.as_slice());
    match column.kind {
        Kind::Text | Kind::Object => writer.typed::<ByteArrayType>().write_batch(&texts, defined, None)?,
        Kind::List => writer.typed::<ByteArrayType>().write_batch(&texts, defined, Some(&repeated))?,
        Kind::Flag => writer.typed::<BoolType>().write_batch(&flags, defined, None)?,
        Kind::Number => writer.typed::<DoubleType>().write_batch(&numbers, defined, None)?,
        Kind::Time => writer.typed::<Int64Type>().write_batch(&times, defined, None)?,
    };
    Ok(())
}
