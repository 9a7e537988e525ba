//! What the columns of a Hugging Face table are: from the features that `datasets` writes into the schema's metadata, or
//! else from the Arrow types.

use anyhow::{Context, Result, bail};
use arrow_schema::{DataType, Field, Fields};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// Key of the schema's metadata under which `datasets` writes the features.
pub(super) const METADATA_KEY: &str = "huggingface";
/// Children of the struct that an `Image` column is.
const BYTES: &str = "bytes";
const PATH: &str = "path";

/// Features by column, as JSON.
pub(super) type Features = Map<String, Json>;

/// What the values of a column are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ColumnKind {
    /// Images whose bytes are in the table.
    Image,
    /// Images of which the table has only paths; they are never opened.
    ImagePath,
    /// Classes by number: the names.
    Class(Arc<[String]>),
    /// Lists of classes by number: the names.
    Classes(Arc<[String]>),
    /// Texts, numbers, truth values and lists of them.
    Plain,
    /// Bytes that nothing says are images.
    Bytes,
    /// Something that no dataset can use; the text says what.
    Unusable(&'static str),
}

/// A column of a table, or a field of a struct in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// The name; that of a field in a struct is `STRUCT.FIELD`.
    pub name: String,
    pub kind: ColumnKind,
    /// Names of the column, and of the fields in it that lead to the values.
    pub path: Vec<String>,
}

/// The features in the metadata of a schema; `None` if `datasets` did not write the table.
///
/// # Errors
/// Fails if the entry is not the JSON that `datasets` writes.
pub(super) fn features_in(metadata: &str) -> Result<Option<Features>> {
    let json: Json = serde_json::from_str(metadata).context("the schema's metadata `huggingface` is not JSON")?;
    let features = json.get("info").and_then(|info| info.get("features"));
    match features {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(features)) => Ok(Some(features.clone())),
        Some(other) => bail!("the schema's metadata `huggingface`: expected features by column, found {other}"),
    }
}

/// The columns of a table with this schema.
///
/// # Errors
/// Fails if a feature does not fit the type of its column.
pub(super) fn columns_of(fields: &Fields, features: Option<&Features>) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    for field in fields {
        let feature = features.and_then(|features| features.get(field.name()));
        add_column(&mut columns, field, feature, vec![field.name().clone()])
            .with_context(|| format!("column {}", field.name()))?;
    }
    for (position, column) in columns.iter().enumerate() {
        if columns[..position].iter().any(|other| other.name == column.name) {
            bail!("expected columns of different names, found {:?} twice", column.name);
        }
    }
    Ok(columns)
}

fn add_column(columns: &mut Vec<Column>, field: &Field, feature: Option<&Json>, path: Vec<String>) -> Result<()> {
    let mut kind = kind_of(field, feature)?;
    if let (ColumnKind::Unusable(_), DataType::Struct(children)) = (&kind, field.data_type()) {
        for child in children {
            let inner = feature.and_then(|feature| feature_of_child(feature, child.name()));
            let path = path.iter().chain([child.name()]).cloned().collect();
            add_column(columns, child, inner.as_ref(), path)?;
        }
        return Ok(());
    }
    if path.len() > 1 && matches!(kind, ColumnKind::Image | ColumnKind::Bytes) {
        kind = ColumnKind::Unusable("an image inside a struct");
    }
    columns.push(Column { name: path.join("."), kind, path });
    Ok(())
}

/// The feature of a field of a struct. A `Sequence` of a struct is stored as a struct of lists.
fn feature_of_child(feature: &Json, name: &str) -> Option<Json> {
    if feature.get("_type").and_then(Json::as_str) == Some("Sequence") {
        let inner = feature.get("feature")?.get(name)?;
        return Some(serde_json::json!({ "_type": "List", "feature": inner }));
    }
    feature.get(name).cloned()
}

fn kind_of(field: &Field, feature: Option<&Json>) -> Result<ColumnKind> {
    let data_type = field.data_type();
    let Some(feature) = feature else { return Ok(kind_of_type(data_type)) };
    if let Some(inner) = feature_of_elements(feature) {
        // Otherwise it is a struct of lists, whose fields are columns of their own.
        if element_of(data_type).is_some() {
            return Ok(match inner.get("_type").and_then(Json::as_str) {
                Some("ClassLabel") => ColumnKind::Classes(names_of(inner)?),
                Some("Image") => ColumnKind::Unusable("a list of images"),
                _ => kind_of_type(data_type),
            });
        }
    }
    match feature.get("_type").and_then(Json::as_str) {
        Some("Image") => image_kind(data_type),
        Some("ClassLabel") => Ok(ColumnKind::Class(names_of(feature)?)),
        Some(other @ ("Audio" | "Video" | "Pdf" | "Nifti")) => {
            let what = match other {
                "Audio" => "sound",
                "Video" => "video",
                "Pdf" => "PDF files",
                _ => "volumes",
            };
            Ok(if matches!(data_type, DataType::Struct(_)) { ColumnKind::Bytes } else { ColumnKind::Unusable(what) })
        }
        Some("Value") if is_bytes(data_type) && feature.get("dtype").and_then(Json::as_str) == Some("string") => {
            Ok(ColumnKind::Plain)
        }
        _ => Ok(kind_of_type(data_type)),
    }
}

/// The feature of a list's elements: `List` and `LargeList`, `Sequence` before datasets 4, and a JSON array of one feature.
fn feature_of_elements(feature: &Json) -> Option<&Json> {
    match feature {
        Json::Array(elements) => elements.first(),
        _ => match feature.get("_type").and_then(Json::as_str)? {
            "List" | "LargeList" | "Sequence" => feature.get("feature"),
            _ => None,
        },
    }
}

fn image_kind(data_type: &DataType) -> Result<ColumnKind> {
    match data_type {
        DataType::Struct(fields) => {
            let bytes = fields.iter().find(|field| field.name() == BYTES);
            Ok(if bytes.is_some_and(|bytes| is_bytes(bytes.data_type())) {
                ColumnKind::Image
            } else {
                ColumnKind::ImagePath
            })
        }
        other if is_bytes(other) => Ok(ColumnKind::Image),
        other if is_text(other) => Ok(ColumnKind::ImagePath),
        other => bail!("expected an Image as a struct of bytes and path, as bytes or as a text, found {other}"),
    }
}

/// The names of a `ClassLabel`, whose numbers are their positions.
fn names_of(feature: &Json) -> Result<Arc<[String]>> {
    let names = match (feature.get("names"), feature.get("num_classes").and_then(Json::as_u64)) {
        (Some(Json::Array(names)), _) => names
            .iter()
            .map(|name| {
                name.as_str().map(str::to_owned).with_context(|| format!("expected a class name, found {name}"))
            })
            .collect::<Result<Vec<_>>>()?,
        (_, Some(count @ 1..1_000_000)) => (0..count).map(|number| number.to_string()).collect(),
        _ => bail!("expected a ClassLabel with names, found {feature}"),
    };
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            bail!("expected different class names, found {name:?} twice");
        }
    }
    Ok(names.into())
}

/// What a column is as far as its type says.
fn kind_of_type(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Struct(fields) if is_image_struct(fields) => ColumnKind::Image,
        DataType::Struct(_) => ColumnKind::Unusable("a struct"),
        DataType::Dictionary(_, values) => kind_of_type(values),
        other if is_bytes(other) => ColumnKind::Bytes,
        other => match element_of(other) {
            Some(element) if element.is_nested() || is_bytes(element) => {
                ColumnKind::Unusable("a list of lists or bytes")
            }
            Some(_) => ColumnKind::Plain,
            None if is_text(other) || is_plain(other) => ColumnKind::Plain,
            None => ColumnKind::Unusable("of a type that is neither text, number nor list"),
        },
    }
}

/// Whether the struct is what `datasets` writes for an image.
fn is_image_struct(fields: &Fields) -> bool {
    fields.len() == 2
        && fields.iter().any(|field| field.name() == BYTES && is_bytes(field.data_type()))
        && fields.iter().any(|field| field.name() == PATH && is_text(field.data_type()))
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_plain(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(
            data_type,
            DataType::Null
                | DataType::Boolean
                | DataType::Decimal128(..)
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(..)
        )
}

fn element_of(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}
