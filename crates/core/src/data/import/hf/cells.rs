//! Cells of Arrow arrays as [`Value`]s.

use super::super::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};
use std::fmt::Debug;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const NANOSECONDS_PER_DAY: i128 = 86_400_000_000_000;

/// A cell without classes.
///
/// # Errors
/// Fails with what was found if no value can say it.
pub(super) fn plain_value(array: &dyn Array, row: usize) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Missing);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Missing,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).into()),
        DataType::LargeUtf8 => Value::Text(array.as_string::<i64>().value(row).into()),
        DataType::Utf8View => Value::Text(array.as_string_view().value(row).into()),
        DataType::Int8 => number::<Int8Type>(array, row),
        DataType::Int16 => number::<Int16Type>(array, row),
        DataType::Int32 => number::<Int32Type>(array, row),
        DataType::Int64 => number::<Int64Type>(array, row),
        DataType::UInt8 => number::<UInt8Type>(array, row),
        DataType::UInt16 => number::<UInt16Type>(array, row),
        DataType::UInt32 => number::<UInt32Type>(array, row),
        DataType::UInt64 => number::<UInt64Type>(array, row),
        DataType::Float16 => real(f64::from(f32::from(array.as_primitive::<Float16Type>().value(row)))),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            if value.is_nan() { Value::Missing } else { Value::Number(format!("{value:?}")) }
        }
        DataType::Float64 => real(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => Value::Number(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Date32 => {
            let days = i128::from(array.as_primitive::<Date32Type>().value(row));
            Value::Text(date(days * NANOSECONDS_PER_DAY)?[..10].into())
        }
        DataType::Date64 => {
            Value::Text(date(i128::from(array.as_primitive::<Date64Type>().value(row)) * 1_000_000)?[..10].into())
        }
        DataType::Timestamp(unit, _) => Value::Text(date(match unit {
            TimeUnit::Second => i128::from(array.as_primitive::<TimestampSecondType>().value(row)) * 1_000_000_000,
            TimeUnit::Millisecond => {
                i128::from(array.as_primitive::<TimestampMillisecondType>().value(row)) * 1_000_000
            }
            TimeUnit::Microsecond => i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1_000,
            TimeUnit::Nanosecond => i128::from(array.as_primitive::<TimestampNanosecondType>().value(row)),
        })?),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = integer(dictionary.keys(), row).and_then(|key| usize::try_from(key).ok());
            let key = key.filter(|key| *key < dictionary.values().len()).ok_or("a damaged dictionary")?;
            plain_value(dictionary.values(), key)?
        }
        _ => {
            if let Some(bytes) = bytes(array, row) {
                let text = std::str::from_utf8(bytes).map_err(|_| String::from("bytes that are not UTF-8"))?;
                return Ok(Value::Text(text.into()));
            }
            let Some(elements) = elements(array, row) else { return Err(format!("a value of {}", array.data_type())) };
            let values = (0..elements.len()).map(|element| plain_value(&elements, element));
            Value::List(values.collect::<Result<_, _>>()?)
        }
    })
}

/// A class by its name. -1 and null are no class.
///
/// # Errors
/// Fails with what was expected and found if there is no such class.
pub(super) fn class_value(array: &dyn Array, row: usize, names: &[String]) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Missing);
    }
    let expected = || format!("expected a class of 0 to {} ({}), or -1 for none", names.len() - 1, names.join(", "));
    if let Some(number) = integer(array, row) {
        if number == -1 {
            return Ok(Value::Missing);
        }
        let name = usize::try_from(number).ok().and_then(|number| names.get(number));
        return name.map(|name| Value::Text(name.clone())).ok_or_else(|| format!("{}, found {number}", expected()));
    }
    match plain_value(array, row)? {
        Value::Text(name) if names.contains(&name) => Ok(Value::Text(name)),
        Value::Missing => Ok(Value::Missing),
        other => Err(format!("{}, found {other:?}", expected())),
    }
}

/// A list of classes by their names. A list that is null is no label; an empty one says that no class applies.
///
/// # Errors
/// Fails with what was expected and found if there is no such class.
pub(super) fn classes_value(array: &dyn Array, row: usize, names: &[String]) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Missing);
    }
    let Some(elements) = elements(array, row) else {
        return Err(format!("expected a list of classes, found {}", array.data_type()));
    };
    let values = (0..elements.len()).map(|element| class_value(&elements, element, names));
    Ok(Value::List(values.collect::<Result<_, _>>()?))
}

/// The bytes of a cell; `None` if it is null or holds no bytes.
pub(super) fn bytes(array: &dyn Array, row: usize) -> Option<&[u8]> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Binary => Some(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Some(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => Some(array.as_fixed_size_binary().value(row)),
        _ => None,
    }
}

fn elements(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::List(_) => Some(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => Some(array.as_fixed_size_list().value(row)),
        _ => None,
    }
}

fn number<T: ArrowPrimitiveType<Native: Debug>>(array: &dyn Array, row: usize) -> Value {
    Value::Number(format!("{:?}", array.as_primitive::<T>().value(row)))
}

/// NaN is what pandas writes for an empty cell.
fn real(value: f64) -> Value {
    if value.is_nan() { Value::Missing } else { Value::Number(format!("{value:?}")) }
}

fn integer(array: &dyn Array, row: usize) -> Option<i64> {
    match array.data_type() {
        DataType::Int8 => Some(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Some(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Some(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Some(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Some(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Some(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(row)).ok(),
        _ => None,
    }
}

/// A moment since 1970 in ISO 8601.
fn date(nanoseconds: i128) -> Result<String, String> {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok().filter(|moment| moment.year() >= 0);
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).ok_or_else(|| "a date outside the calendar".into())
}
