//! The demo's data: what the npm package `vega-datasets` has, as the datasets that the dashboard shows.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataError {
    /// The weather is not the expected CSV.
    #[error("seattle-weather.csv: {0}")]
    Weather(#[from] csv::Error),
    /// The flights are not the expected JSON.
    #[error("flights-2k.json: {0}")]
    Flights(#[from] serde_json::Error),
    /// There is less data than one generation shows.
    #[error("expected at least {wanted} rows, found {found}")]
    TooFew {
        /// How many a generation shows.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
}

/// One day in Seattle: a row of the dataset `performance`.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Weather {
    date: Date,
    /// Millimetres.
    precipitation: f64,
    /// Degrees Celsius.
    temp_max: f64,
    /// Degrees Celsius.
    temp_min: f64,
    /// Metres per second.
    wind: f64,
    weather: String,
}

/// One flight: a row of the dataset `transactions`.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Flight {
    /// Departure in local time.
    #[serde(deserialize_with = "slashed_date")]
    date: DateTime,
    /// Minutes; negative when early.
    delay: i64,
    /// Miles.
    distance: u64,
    origin: String,
    destination: String,
}

/// Reads `seattle-weather.csv`.
pub(super) fn weather(csv: &[u8]) -> Result<Vec<Weather>, DataError> {
    let rows: Result<_, csv::Error> = csv::Reader::from_reader(csv).into_deserialize().collect();
    Ok(rows?)
}

/// Reads `flights-2k.json`, whose dates look like `2001/01/31 06:55`.
pub(super) fn flights(json: &[u8]) -> Result<Vec<Flight>, DataError> {
    Ok(serde_json::from_slice(json)?)
}

/// The `tick`-th window of `size` rows, each `step` rows after the one before; after the last it begins again.
pub(super) fn window<T>(rows: &[T], size: usize, step: usize, tick: usize) -> Result<&[T], DataError> {
    let spare = rows.len().checked_sub(size).ok_or(DataError::TooFew { wanted: size, found: rows.len() })?;
    let start = tick % (spare / step + 1) * step;
    Ok(&rows[start..start + size])
}

fn slashed_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    DateTime::strptime("%Y/%m/%d %H:%M", &text).map_err(|error| D::Error::custom(format!("date {text:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DataError, flights, weather, window};

    #[test]
    fn weather_becomes_json_numbers() {
        let csv = "date,precipitation,temp_max,temp_min,wind,weather\n2012-01-01,0.0,12.8,-5.0,4.7,drizzle\n";
        assert_eq!(
            serde_json::to_string(&weather(csv.as_bytes()).unwrap()).unwrap(),
            r#"[{"date":"2012-01-01","precipitation":0.0,"temp_max":12.8,"temp_min":-5.0,"wind":4.7,"weather":"drizzle"}]"#
        );
    }

    #[test]
    fn flights_get_iso_dates() {
        let json = r#"[{"date":"2001/01/31 06:55","delay":-19,"distance":1797,"origin":"LAX","destination":"BNA"}]"#;
        assert_eq!(
            serde_json::to_string(&flights(json.as_bytes()).unwrap()).unwrap(),
            r#"[{"date":"2001-01-31T06:55:00","delay":-19,"distance":1797,"origin":"LAX","destination":"BNA"}]"#
        );
    }

    #[test]
    fn bad_rows_are_refused() {
        let csv = "date,precipitation,temp_max,temp_min,wind,weather\n";
        for row in ["2012-13-01,0,1,1,1,sun", "2012-01-01,x,1,1,1,sun", "2012-01-01,0"] {
            assert!(weather(format!("{csv}{row}\n").as_bytes()).is_err(), "{row}");
        }
        let json = r#"[{"date":"31.01.2001","delay":1,"distance":1,"origin":"","destination":""}]"#;
        let error = flights(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("31.01.2001"), "{error}");
    }

    proptest! {
        #[test]
        fn windows_are_full_move_by_the_step_and_wrap(
            len in 1..200_usize,
            size in 1..200_usize,
            step in 1..20_usize,
            tick in 0..1000_usize,
        ) {
            let rows: Vec<usize> = (0..len).collect();
            let Ok(now) = window(&rows, size, step, tick) else {
                prop_assert!(len < size);
                return Ok(());
            };
            let next = window(&rows, size, step, tick + 1).unwrap();
            prop_assert_eq!(now.len(), size);
            prop_assert!(now.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            if now[0] + step + size <= len {
                prop_assert_eq!(next[0], now[0] + step);
            } else {
                prop_assert_eq!(next[0], 0);
            }
            prop_assert_eq!(window(&rows, size, step, 0).unwrap()[0], 0);
        }
    }

    #[test]
    fn too_few_rows_are_refused() {
        assert!(matches!(window(&[1, 2], 3, 1, 0), Err(DataError::TooFew { wanted: 3, found: 2 })));
    }
}
