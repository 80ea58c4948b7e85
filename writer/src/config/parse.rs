//! From the text of the file to what it says.

use std::collections::BTreeMap;
use std::path::Path;

use lastgood_protocol::manifest::Meta;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::payload::{Nan, Permit};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::error::Invalid;
use super::keys::Section;
use super::table::Table;
use super::{Config, Dataset, InputFormat, Schema, value};
use crate::convert::csv::ColumnType;

/// Reads a file that stands in `dir`.
pub(super) fn config(text: &str, dir: &Path) -> Result<Config, Invalid> {
    let parsed = DeTable::parse(text)
        .map_err(|error| Invalid { span: error.span().unwrap_or_default(), problem: error.message().to_owned() })?;
    let top = Table::file(parsed.get_ref(), text);
    let mut config =
        Config { given: top.only_known(&["compression", "retention", "defaults", "datasets"])?, ..Config::default() };

    config.dir = top.read("dir", path)?.map(|path| dir.join(path));
    set(&mut config.strict, top.read("strict", boolean)?);
    let settings = &mut config.settings;
    set(&mut settings.lock_wait, top.read("lock_wait", |it| value::time(it.as_str()?).ok())?);
    set(&mut settings.lease, top.read("lease", |it| value::lease(it.as_str()?).ok())?);
    let stale_after = top.read("stale_marker_after", |it| value::age(it.as_str()?).ok())?;
    set(&mut settings.foreign_marker_stale_after, stale_after.map(|limit| limit.0));
    let expires_in = top.read("expires_in", |it| value::lifetime(it.as_str()?).ok())?;
    set(&mut settings.expires_in, expires_in.map(|limit| limit.0));
    set(&mut settings.plain_copies, top.read("plain_copies", boolean)?);
    set(&mut config.modes.file, top.read("file_mode", mode)?);
    set(&mut config.modes.dir, top.read("dir_mode", |value| permissions(value, 0o2777))?);

    if let Some(table) = top.table("compression", Section::Compression)? {
        config.given.extend(table.only_known(&[])?);
        let compression = &mut settings.compression;
        set(&mut compression.gzip, table.read("gzip", |it| value::gzip(&plain(it)?).ok())?.map(|level| level.0));
        set(&mut compression.brotli, table.read("brotli", |it| value::brotli(&plain(it)?).ok())?.map(|level| level.0));
        set(&mut compression.min_size, table.read("min_size", size)?);
    }
    if let Some(table) = top.table("retention", Section::Retention)? {
        config.given.extend(table.only_known(&[])?);
        let retention = &mut config.retention;
        set(&mut retention.keep, table.read("keep", |it| value::keep(&integer(it)?).ok())?);
        set(&mut retention.grace, table.read("grace", |it| value::time(it.as_str()?).ok())?);
        set(&mut config.collect_after_publish, table.read("auto", boolean)?);
    }
    if let Some(table) = top.table("defaults", Section::Dataset)? {
        config.given.extend(table.only_known(&[])?);
        config.defaults = dataset(&table, &Dataset::default(), dir)?;
    }
    if let Some(tables) = top.table("datasets", Section::Top)? {
        for (name, span) in tables.names() {
            let parsed = DatasetName::parse(name).map_err(|error| Invalid { span, problem: error.to_string() })?;
            let Some(table) = tables.table(name, Section::Dataset)? else { continue };
            config.given.extend(table.only_known(&[])?);
            config.datasets.insert(parsed, dataset(&table, &config.defaults, dir)?);
        }
    }
    Ok(config)
}

/// A dataset as its table says, on top of the defaults.
fn dataset(table: &Table<'_>, defaults: &Dataset, dir: &Path) -> Result<Dataset, Invalid> {
    let mut dataset = defaults.clone();
    let version = table.read("schema_version", |it| value::version(&integer(it)?).ok())?;
    let file = table.read("schema", path)?.map(|path| dir.join(path));
    if let Some(file) = file {
        let version = version.or(defaults.schema.as_ref().map(|schema| schema.version)).unwrap_or(1);
        dataset.schema = Some(Schema { file, version });
    } else if let Some(version) = version {
        let Some(schema) = &mut dataset.schema else {
            let problem = "`schema_version`: expected `schema` beside it, found none".to_owned();
            return Err(Invalid { span: table.span("schema_version"), problem });
        };
        schema.version = version;
    }

    set(&mut dataset.assert_formats, table.read("assert_formats", boolean)?);

    let input = &mut dataset.input;
    set(&mut input.format, table.read("format", format)?);
    input.delimiter = table.read("delimiter", |value| value.as_str()?.parse().ok())?.or(input.delimiter);
    input.columns.extend(table.read("columns", columns)?.unwrap_or_default());
    set(&mut input.unnamed, table.read("unnamed", |value| value.as_str()?.parse().ok())?);
    set(&mut input.null, table.read("null", |value| list(value, text))?);

    let rules = &mut dataset.rules;
    set(&mut rules.nan, table.read("nan", nan)?);
    if let Some(allowed) = table.read("allow", allowed)? {
        let permit = |what| if allowed.contains(&what) { Permit::Allow } else { Permit::Refuse };
        rules.unsafe_numbers = permit(Allow::UnsafeNumbers);
        rules.duplicate_names = permit(Allow::DuplicateNames);
        rules.unpaired_surrogates = permit(Allow::UnpairedSurrogates);
    }
    set(&mut rules.max_bytes, table.read("max_bytes", size)?);

    let guards = &mut dataset.guards;
    guards.min_rows = table.read("min_rows", |it| value::rows(&integer(it)?).ok())?.or(guards.min_rows);
    guards.max_shrink = table.read("max_shrink", part)?.or(guards.max_shrink);
    set(&mut guards.require_meta, table.read("require_meta", |value| list(value, text))?);
    if let Some(column) = table.read("time_column", text)? {
        guards.time_column = Some(column);
    }

    dataset.meta.extend(table.read("meta", members)?.unwrap_or_default());
    if !dataset.meta.is_empty() {
        let json = Value::Object(dataset.meta.clone()).to_string();
        Meta::parse(&json).map_err(|error| Invalid { span: table.span("meta"), problem: error.to_string() })?;
    }
    Ok(dataset)
}

fn set<T>(target: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *target = given;
    }
}

fn boolean(value: &DeValue<'_>) -> Option<bool> {
    value.as_bool()
}

fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn path(value: &DeValue<'_>) -> Option<String> {
    text(value).filter(|path| !path.is_empty())
}

/// An integer of TOML in decimal digits, as an option would have it.
fn integer(value: &DeValue<'_>) -> Option<String> {
    let integer = value.as_integer()?;
    i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|integer| integer.to_string())
}

/// A text, or an integer as a text.
fn plain(value: &DeValue<'_>) -> Option<String> {
    text(value).or_else(|| integer(value))
}

fn size(value: &DeValue<'_>) -> Option<u64> {
    value::size(&plain(value)?).ok()
}

fn mode(value: &DeValue<'_>) -> Option<u32> {
    permissions(value, 0o777)
}

/// Permissions with no other bits than these.
fn permissions(value: &DeValue<'_>, bits: u32) -> Option<u32> {
    let digits = match value {
        // 0o644; a decimal 644 would be something else altogether.
        DeValue::Integer(integer) if integer.radix() == 8 => integer.as_str(),
        DeValue::String(text) => text,
        _ => return None,
    };
    u32::from_str_radix(digits, 8).ok().filter(|&mode| mode & !bits == 0)
}

fn format(value: &DeValue<'_>) -> Option<InputFormat> {
    match value.as_str()? {
        "auto" => Some(InputFormat::Auto),
        "json" => Some(InputFormat::Json),
        "csv" => Some(InputFormat::Csv),
        "jsonl" => Some(InputFormat::JsonLines),
        _ => None,
    }
}

fn columns(value: &DeValue<'_>) -> Option<BTreeMap<String, ColumnType>> {
    let entries = value.as_table()?.iter();
    entries.map(|(name, kind)| Some((name.get_ref().to_string(), kind.get_ref().as_str()?.parse().ok()?))).collect()
}

fn nan(value: &DeValue<'_>) -> Option<Nan> {
    match value.as_str()? {
        "refuse" => Some(Nan::Refuse),
        "null" => Some(Nan::Null),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Allow {
    UnsafeNumbers,
    DuplicateNames,
    UnpairedSurrogates,
}

fn allowed(value: &DeValue<'_>) -> Option<Vec<Allow>> {
    list(value, |value| match value.as_str()? {
        "unsafe-numbers" => Some(Allow::UnsafeNumbers),
        "duplicate-names" => Some(Allow::DuplicateNames),
        "unpaired-surrogates" => Some(Allow::UnpairedSurrogates),
        _ => None,
    })
}

fn part(value: &DeValue<'_>) -> Option<crate::guards::Shrink> {
    match value {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) => integer.as_str().parse().ok(),
        _ => None,
    }
}

fn list<T>(value: &DeValue<'_>, read: impl Fn(&DeValue<'_>) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(|element| read(element.get_ref())).collect()
}

fn members(value: &DeValue<'_>) -> Option<Map<String, Value>> {
    let entries = value.as_table()?.iter();
    entries.map(|(name, value)| Some((name.get_ref().to_string(), json(value.get_ref())?))).collect()
}

/// The same value in JSON; `None` for what JSON has not, such as `inf`.
fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok()?.into(),
        DeValue::Float(float) => serde_json::Number::from_f64(float.as_str().parse().ok()?)?.into(),
        DeValue::Boolean(boolean) => (*boolean).into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(_) => list(value, json)?.into(),
        DeValue::Table(_) => members(value)?.into(),
    })
}
